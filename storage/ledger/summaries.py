"""Closed runs in numbers, one narrow row each: lists of many runs are read from here, not from manifests and reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from schemas.errors import NotFoundError
from schemas.manifest import Manifest
from storage.database.engine import Database
from storage.database.ledger_tables import CRAWL_RUNS, PROCESS_INPUTS, PROCESS_RUNS, RUN_SUMMARIES
from storage.database.upsert import upsert

OUTCOMES = ("records", "published", "known", "duplicate", "quarantined", "rejected")
_RUN = ("crawl", "crawl_run", "key", "planned_at", "state", "pages")
_SUMMARY = (  # in the order of the fields of RunSummary, but for the times
    *("crawl_run", "closed_at", "published_at", "due", "fetched", "denied", "failed", "filtered", "left_over", "bytes"),
    *("finish_reason", "missed", "process_run", *OUTCOMES, "layout"),
)
MISSING_AT_ONCE = 500  # runs whose manifests are read together
OVERLAP_SECONDS = 3600.0  # chosen: no publishing transaction takes as long


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A closed crawl run. due = fetched + denied + failed + filtered + left_over; `bytes` are of bodies as received.

    `missed` is the threshold that it missed, as a sentence. `process_run` published it; until then the outcomes of its records are 0.
    `layout` says which hosts' pages look different from before.
    """

    crawl_run: str
    closed_at: datetime
    due: int
    fetched: int
    denied: int
    failed: int
    filtered: int
    left_over: int
    bytes: int
    finish_reason: str
    missed: str | None = None
    process_run: str | None = None
    published_at: datetime | None = None
    records: int = 0
    published: int = 0
    known: int = 0
    duplicate: int = 0
    quarantined: int = 0
    rejected: int = 0
    layout: str | None = None


@dataclass(frozen=True, slots=True)
class RecentRun:
    """A crawl run in a list. `key` is the Airflow run that planned it, or the time by hand; `summary` is None until it is closed.

    `pages` are the pages registered so far.
    """

    crawl: str
    crawl_run: str
    key: str
    planned_at: datetime
    state: str
    pages: int
    summary: RunSummary | None


@dataclass(frozen=True, slots=True)
class Unsummarized:
    """A closed run without a row, or with an outdated one: its configuration as JSON, and the run that published it last."""

    crawl_run: str
    config: str
    manifest: Manifest
    process_run: str | None
    published_at: datetime | None


def recent_runs(database: Database, per_crawl: int, crawl: str | None = None) -> dict[str, list[RecentRun]]:
    """The last runs of each crawl, or of one, newest first. Raises UnavailableError, StorageError."""
    place = func.row_number().over(partition_by=CRAWL_RUNS.c.crawl, order_by=CRAWL_RUNS.c.run_no.desc()).label("place")
    ranked_query = select(*(CRAWL_RUNS.c[name] for name in (*_RUN, "run_no")), place)
    ranked = (ranked_query if crawl is None else ranked_query.where(CRAWL_RUNS.c.crawl == crawl)).subquery()
    query = (
        select(*(ranked.c[name] for name in _RUN), *(RUN_SUMMARIES.c[name] for name in _SUMMARY))
        .select_from(ranked.outerjoin(RUN_SUMMARIES, RUN_SUMMARIES.c.crawl_run == ranked.c.crawl_run))
        .where(ranked.c.place <= per_crawl)
        .order_by(ranked.c.crawl, ranked.c.run_no.desc())
    )
    found: dict[str, list[RecentRun]] = {}
    with database.read() as connection:
        for row in connection.execute(query):
            found.setdefault(row[0], []).append(_recent(row))
    return found


def find_run(database: Database, crawl_run: str) -> RecentRun:
    """One run as in a list. Raises NotFoundError."""
    columns = [*(CRAWL_RUNS.c[name] for name in _RUN), *(RUN_SUMMARIES.c[name] for name in _SUMMARY)]
    joined = CRAWL_RUNS.outerjoin(RUN_SUMMARIES, RUN_SUMMARIES.c.crawl_run == CRAWL_RUNS.c.crawl_run)
    query = select(*columns).select_from(joined).where(CRAWL_RUNS.c.crawl_run == crawl_run)
    with database.read() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no crawl run {crawl_run!r}. `crawlhouse runs` lists the last ones.")
    return _recent(row)


def unsummarized(database: Database, limit: int = MISSING_AT_ONCE) -> list[Unsummarized]:
    """Closed runs whose row is missing, or older than what published them last; at most `limit`, the newest first."""
    with database.read() as connection:
        outdated = {**_without_row(connection, limit), **_published_since(connection)}
        names = list(outdated)[:limit]
        published = {name: outdated[name] or _last_publication(connection, name) for name in names}
        columns = (CRAWL_RUNS.c.crawl_run, CRAWL_RUNS.c.config, CRAWL_RUNS.c.manifest)
        here = CRAWL_RUNS.c.crawl_run.in_(names) & CRAWL_RUNS.c.manifest.is_not(None)
        rows = connection.execute(select(*columns).where(here).order_by(CRAWL_RUNS.c.run_no.desc())).all()
    return [
        Unsummarized(row.crawl_run, row.config, Manifest.model_validate_json(row.manifest), *(published[row.crawl_run] or (None, None)))
        for row in rows
    ]


def write_summaries(database: Database, summaries: Sequence[RunSummary]) -> None:
    """Write rows, in place of those that are there."""
    rows = [
        asdict(one) | {"closed_at": one.closed_at.timestamp(), "published_at": one.published_at and one.published_at.timestamp()}
        for one in summaries
    ]
    if not rows:
        return
    with database.write() as connection:
        statement = upsert(connection, RUN_SUMMARIES)
        changed = {column.name: statement.excluded[column.name] for column in RUN_SUMMARIES.columns if not column.primary_key}
        connection.execute(statement.on_conflict_do_update(index_elements=["crawl_run"], set_=changed), rows)


def run_of_key(connection: Connection, crawl: str, key: str) -> str | None:
    """The crawl run that a crawl planned with a key, which is the id of the Airflow run."""
    return connection.scalar(select(CRAWL_RUNS.c.crawl_run).where(CRAWL_RUNS.c.crawl == crawl, CRAWL_RUNS.c.key == key))


Publication = tuple[str, datetime]  # a process run, and when it was published


def _without_row(connection: Connection, limit: int) -> dict[str, Publication | None]:
    joined = CRAWL_RUNS.outerjoin(RUN_SUMMARIES, RUN_SUMMARIES.c.crawl_run == CRAWL_RUNS.c.crawl_run)
    missing = (CRAWL_RUNS.c.state == "closed") & RUN_SUMMARIES.c.crawl_run.is_(None)
    query = select(CRAWL_RUNS.c.crawl_run).select_from(joined).where(missing).order_by(CRAWL_RUNS.c.run_no.desc()).limit(limit)
    return dict.fromkeys(connection.scalars(query))


def _published_since(connection: Connection) -> dict[str, Publication | None]:
    """The runs that were published after the newest row was written, with what published each last."""
    newest = connection.scalar(select(func.max(RUN_SUMMARIES.c.published_at))) or 0.0
    joined = PROCESS_RUNS.join(PROCESS_INPUTS, PROCESS_INPUTS.c.process_run == PROCESS_RUNS.c.process_run)
    joined = joined.outerjoin(RUN_SUMMARIES, RUN_SUMMARIES.c.crawl_run == PROCESS_INPUTS.c.crawl_run)
    columns = (PROCESS_INPUTS.c.crawl_run, PROCESS_RUNS.c.process_run, PROCESS_RUNS.c.published_at)
    query = select(*columns, RUN_SUMMARIES.c.process_run.label("summarized")).select_from(joined)
    query = query.where(PROCESS_RUNS.c.published_at > newest - OVERLAP_SECONDS).order_by(PROCESS_RUNS.c.published_at)
    last = {row.crawl_run: row for row in connection.execute(query)}
    return {name: (row.process_run, _time(row.published_at)) for name, row in last.items() if row.process_run != row.summarized}


def _last_publication(connection: Connection, crawl_run: str) -> Publication | None:
    joined = PROCESS_INPUTS.join(PROCESS_RUNS, PROCESS_RUNS.c.process_run == PROCESS_INPUTS.c.process_run)
    query = select(PROCESS_RUNS.c.process_run, PROCESS_RUNS.c.published_at).select_from(joined)
    here = (PROCESS_INPUTS.c.crawl_run == crawl_run) & PROCESS_RUNS.c.published_at.is_not(None)
    row = connection.execute(query.where(here).order_by(PROCESS_RUNS.c.published_at.desc()).limit(1)).one_or_none()
    return None if row is None else (row.process_run, _time(row.published_at))


def _recent(row: Sequence[Any]) -> RecentRun:  # Any: the columns of _RUN and _SUMMARY
    """A row as a run. It is read by place: there may be tens of thousands."""
    crawl, crawl_run, key, planned_at, state, pages, name, closed_at, published_at, *numbers = row
    published = None if published_at is None else _time(published_at)
    of_report = len(OUTCOMES) + 1
    before, outcomes = numbers[:-of_report], numbers[-of_report:]
    summary = None if closed_at is None else RunSummary(*(name, _time(closed_at), *before, published, *outcomes))
    return RecentRun(crawl, crawl_run, key, _time(planned_at), state, pages, summary)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
