"""The page `Crawls`: for each crawl its latest runs as bars, the results of the gate, and links to the DAGs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader

from processing.publish.report import RunReport
from schemas.config.settings import Settings
from schemas.errors import StorageError
from schemas.keys import report_key
from schemas.outcomes import FetchOutcome, Outcome
from storage.ledger.history import PastRun, latest_runs
from storage.objects.open import open_store
from storage.objects.store import ObjectStore

RUNS_PER_CRAWL = 12  # they fit on a screen
BAR_WIDTH = 420.0  # pixels of the longest bar


@dataclass(frozen=True, slots=True)
class BarSegment:
    """A segment of a bar: its name, its count, and its position and width in pixels."""

    name: str
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One expectation's result."""

    text: str
    success: bool
    unexpected: int


@dataclass(frozen=True, slots=True)
class RunView:
    """A crawl run as it is shown. `urls` and `records` are bars; `gate` is empty before the gate."""

    run: PastRun
    urls: tuple[BarSegment, ...]
    records: tuple[BarSegment, ...]
    due: int
    record_count: int
    gate: tuple[ExpectationResult, ...]

    @property
    def failed(self) -> tuple[ExpectationResult, ...]:
        """The expectations that were not met."""
        return tuple(expectation for expectation in self.gate if not expectation.success)


@dataclass(frozen=True, slots=True)
class CrawlView:
    """A crawl with its latest runs, newest first."""

    name: str
    runs: tuple[RunView, ...]


def render_runs(settings: Settings | None, problem: str = "") -> str:
    """The page as HTML. With a `problem`, it shows that instead of runs. Raises UnavailableError, StorageError."""
    crawls = _crawls(settings) if settings is not None else ()
    environment = Environment(loader=PackageLoader("crawlhouse.airflow"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("runs.html").render(
        crawls=crawls, problem=problem, outcomes=list(Outcome), fetch_outcomes=list(FetchOutcome), bar_width=BAR_WIDTH
    )


def _crawls(settings: Settings) -> tuple[CrawlView, ...]:
    store = open_store(settings)
    grouped = groupby(latest_runs(settings, RUNS_PER_CRAWL), key=lambda run: run.crawl)
    return tuple(CrawlView(name, _views(list(runs), store)) for name, runs in grouped)


def _views(runs: Sequence[PastRun], store: ObjectStore) -> tuple[RunView, ...]:
    reports = [_report(run, store) for run in runs]
    longest = max([1, *(run.manifest.counts.due for run in runs if run.manifest), *(report["records"] for report in reports if report)])
    return tuple(_view(run, report, longest, store) for run, report in zip(runs, reports, strict=True))


def _view(run: PastRun, report: Mapping[str, int], longest: int, store: ObjectStore) -> RunView:
    fetched = run.manifest.counts.model_dump() if run.manifest else {}
    urls = _bar({outcome: fetched.get(outcome, 0) for outcome in FetchOutcome}, longest)
    records = _bar({outcome: report.get(outcome, 0) for outcome in Outcome}, longest)
    return RunView(run, urls, records, fetched.get("due", 0), report.get("records", 0), _gate(run, store))


def _bar(counts: Mapping[str, int], longest: int) -> tuple[BarSegment, ...]:
    segments: list[BarSegment] = []
    x = 0.0
    for name, count in counts.items():
        width = count / longest * BAR_WIDTH
        if count:
            segments.append(BarSegment(str(name), count, round(x, 1), round(width, 1)))
        x += width
    return tuple(segments)


def _report(run: PastRun, store: ObjectStore) -> dict[str, int]:
    """The number of records of one crawl run, and of each outcome. Empty if its process run is not published."""
    data = _read(store, report_key(run.process_run, "report.json")) if run.process_run and run.published else None
    if not data:
        return {}
    report = RunReport.from_json(data)
    return report.by_crawl_run.get(run.crawl_run, report.counts())


def _gate(run: PastRun, store: ObjectStore) -> tuple[ExpectationResult, ...]:
    data = _read(store, report_key(run.process_run, "expectations.json")) if run.process_run else None
    return tuple(_expectation(result) for result in json.loads(data)["results"]) if data else ()


def _expectation(result: Mapping[str, Any]) -> ExpectationResult:  # Any: JSON of Great Expectations
    kwargs = result.get("kwargs", {})
    columns = kwargs.get("column_list") or [kwargs[name] for name in ("column", "column_A", "column_B") if name in kwargs]
    text = f"{', '.join(columns)} {result['type'].removeprefix('expect_').replace('_', ' ')}".strip()
    return ExpectationResult(text, bool(result["success"]), int(result.get("unexpected_count") or 0))


def _read(store: ObjectStore, key: str) -> bytes | None:
    """A report. None if it is not there, or not yet."""
    try:
        return store.get_bytes(key) if store.info(key) is not None else None
    except StorageError:
        return None
