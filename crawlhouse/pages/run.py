"""The page of a crawl run: from due URLs to rows, hosts, reasons with examples, expectations, and what is in the store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from crawlhouse.monitor.summaries import refresh_summaries
from crawlhouse.pages.lake import LakeReader, read_lake
from crawlhouse.pages.plots import Flow, flow
from crawlhouse.pages.site import REFRESH_SECONDS, FailedTask, Site, render
from crawlhouse.rows import Row
from schemas.config.settings import Settings
from schemas.errors import NotFoundError, StorageError
from schemas.keys import manifest_key, report_key
from schemas.manifest import FetchCounts, Manifest
from schemas.outcomes import FetchOutcome, Outcome
from storage.database.engine import Database, open_database
from storage.frontier.admin.examples import example_urls, run_progress
from storage.frontier.queries import EXAMPLES
from storage.ledger.alarms import AlarmState, list_alarms
from storage.ledger.held import Held, held_of
from storage.ledger.ledger import Ledger
from storage.ledger.summaries import RecentRun, find_run
from storage.objects.open import open_store

BY_HAND = "by hand "  # keys of runs that Airflow did not plan
RECORD_REASONS = f"""
SELECT outcome, reason, count(*) AS count, list(url ORDER BY url)[:{EXAMPLES}] AS urls FROM captures
WHERE crawl_run = $1 AND fetched_at >= $2 GROUP BY ALL ORDER BY count DESC
"""  # noqa: S608 a number
DATASET_ROWS = "SELECT datasets FROM runs WHERE crawl_run = $1 ORDER BY sequence"
ROW_COUNTS = ("published", "unchanged", "quarantined")
SHOWN_HOSTS, SHOWN_SEGMENTS = 100, 200


@dataclass(frozen=True, slots=True)
class HostLine:
    """A host in a run. `latency` is the mean of its responses, in milliseconds."""

    name: str
    due: int
    fetched: int
    lost: int
    left_over: int
    errors: int
    retries: int
    bytes: int
    latency: float | None
    stopped: str | None
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """Why URLs or records ended as they did: how many, and up to five of them."""

    outcome: str
    reason: str | None
    count: int
    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """All that the page shows. `progress` has what workers report while the run is open."""

    run: RecentRun
    manifest: Manifest | None
    counts: FetchCounts
    flow: Flow
    hosts: tuple[HostLine, ...]
    fetch_reasons: tuple[ReasonLine, ...]
    record_reasons: tuple[ReasonLine, ...]
    datasets: Mapping[str, Mapping[str, int]]
    expectations: tuple[Mapping[str, Any], ...]
    held: tuple[Held, ...]
    alarms: tuple[AlarmState, ...]
    progress: Mapping[str, int] = field(default_factory=dict)
    lake_problem: str = ""

    @property
    def airflow_run(self) -> str | None:
        """The Airflow run that planned it; None if it was begun by hand."""
        return None if self.run.key.startswith(BY_HAND) else self.run.key

    @property
    def manifest_key(self) -> str:
        """Where the manifest is in the store."""
        return manifest_key(self.run.crawl, self.run.crawl_run)


@dataclass(frozen=True, slots=True)
class AirflowSide:
    """What Airflow knows of a run: the DAG run that processed it last, and the tasks that failed in it and in its fetching."""

    processing: str | None = None
    failed: tuple[FailedTask, ...] = ()


def render_run(settings: Settings, site: Site, crawl_run: str, airflow: AirflowSide = AirflowSide()) -> str:
    """The page as HTML. Raises NotFoundError, UnavailableError, StorageError."""
    view = read_run(settings, crawl_run)
    return render(
        "run.html",
        site,
        title=crawl_run,
        view=view,
        airflow=airflow,
        outcomes=list(Outcome),
        fetch_outcomes=list(FetchOutcome),
        refresh=0 if view.manifest and view.run.summary and view.run.summary.published_at else REFRESH_SECONDS,
        place="overview",
        shown_hosts=SHOWN_HOSTS,
        shown_segments=SHOWN_SEGMENTS,
    )


def read_run(settings: Settings, crawl_run: str) -> RunView:
    """What is known of a run. Raises NotFoundError, UnavailableError, StorageError."""
    database = open_database(settings.database_url("frontier"))
    try:
        refresh_summaries(database, settings)
        run = find_run(database, crawl_run)
        with read_lake(settings) as lake:
            return _view(settings, database, lake, run)
    finally:
        database.close()


def _view(settings: Settings, database: Database, lake: LakeReader, run: RecentRun) -> RunView:
    manifest = Ledger(database).manifest(run.crawl_run) if run.state == "closed" else None
    counts, reasons, progress = (manifest.counts, manifest.reasons, {}) if manifest else run_progress(database, run.crawl_run)
    examples = example_urls(database, run.crawl_run)
    if manifest:
        examples["left_over"] = list(manifest.left_over_urls)
    records = [
        ReasonLine(row["outcome"], row["reason"], row["count"], tuple(row["urls"]))
        for row in lake.rows(RECORD_REASONS, run.crawl_run, run.planned_at - timedelta(days=1))
    ]
    datasets = _dataset_rows(lake.rows(DATASET_ROWS, run.crawl_run))
    return RunView(
        run=run,
        manifest=manifest,
        counts=counts,
        flow=run_flow(run, counts, datasets),
        hosts=_hosts(manifest) if manifest else (),
        fetch_reasons=_fetch_reasons(reasons, counts, examples),
        record_reasons=tuple(records),
        datasets=datasets,
        expectations=_expectations(settings, run),
        held=_held(database, run.crawl_run),
        alarms=tuple(one for one in list_alarms(database, run.crawl) if one.condition.run == run.crawl_run),
        progress=progress,
        lake_problem=lake.problem if run.summary and run.summary.published_at else "",
    )


def run_flow(run: RecentRun, counts: FetchCounts, datasets: Mapping[str, Mapping[str, int]]) -> Flow:
    """The accounting from due URLs to rows, as far as the run has come."""
    fetched = [(name.replace("_", " "), getattr(counts, name), name) for name in ("fetched", "denied", "failed", "filtered", "left_over")]
    columns: list[list[tuple[str, int, str]]] = [[("due", counts.due, "due")], fetched]
    entered = [counts.due]
    summary = run.summary
    if summary is not None and summary.published_at is not None:
        columns.append([(str(name), getattr(summary, name), str(name)) for name in Outcome])
        entered.append(summary.records)
        made = {name: found["published"] for name, found in datasets.items() if found["published"]}
        rows = [(f"{'row' if count == 1 else 'rows'} of {name}", count, "rows") for name, count in made.items()]
        if rows and summary.published:
            columns.append(rows)
            entered.append(sum(count for _, count, _ in rows))
    return flow(columns, entered)


def _hosts(manifest: Manifest) -> tuple[HostLine, ...]:
    lines = [
        HostLine(
            name=name,
            due=host.due,
            fetched=host.count_of(FetchOutcome.FETCHED),
            lost=host.count_of(FetchOutcome.DENIED, FetchOutcome.FAILED),
            left_over=host.left_over,
            errors=host.errors,
            retries=host.retries,
            bytes=host.bytes,
            latency=host.latency_ms / host.responses if host.responses else None,
            stopped=host.stopped,
            reasons=host.reasons,
        )
        for name, host in manifest.statistics.hosts.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.lost - line.left_over, -line.due, line.name)))


def _fetch_reasons(reasons: Mapping[str, int], counts: FetchCounts, examples: Mapping[str, list[str]]) -> tuple[ReasonLine, ...]:
    every = {**reasons, **({"left_over": counts.left_over} if counts.left_over else {})}
    lines = []
    for name, count in sorted(every.items(), key=lambda item: -item[1]):
        outcome, _, reason = name.partition(":")
        lines.append(ReasonLine(outcome, reason or None, count, tuple(examples.get(name, ()))))
    return tuple(lines)


def _dataset_rows(rows: list[Row]) -> dict[str, dict[str, int]]:
    """The rows of each dataset, over all process runs of the crawl run: the last one that has the dataset counts."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        for counts in row["datasets"] or ():
            found[counts["dataset"]] = Counter({name: counts[name] or 0 for name in ("made", *ROW_COUNTS)})
    return {name: dict(counts) for name, counts in sorted(found.items())}


def _expectations(settings: Settings, run: RecentRun) -> tuple[Mapping[str, Any], ...]:  # Any: JSON of the report
    """What the gate judged of the run's rows: failed expectations first."""
    if run.summary is None or run.summary.process_run is None:
        return ()
    store, key = open_store(settings), report_key(run.summary.process_run, "expectations.json")
    try:
        data = store.get_bytes(key) if store.info(key) is not None else None
    except StorageError:
        data = None
    results = json.loads(data)["results"] if data else []
    mine = [one for one in results if run.crawl_run in one.get("crawl_runs", [run.crawl_run])]
    shown = [{**one, "failed_here": not one["success"] and run.crawl_run in (one.get("failing_runs") or [run.crawl_run])} for one in mine]
    return tuple(sorted(shown, key=lambda one: not one["failed_here"]))


def _held(database: Database, crawl_run: str) -> tuple[Held, ...]:
    try:
        return tuple(held_of(database, crawl_run))
    except NotFoundError:
        return ()
