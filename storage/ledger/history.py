"""The latest runs of every crawl, read by one query, however many runs the ledger has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import RowMapping, func, select

from schemas.config.settings import Settings
from schemas.manifest import Manifest
from storage.database.engine import open_database
from storage.database.ledger_tables import COMMITS, CRAWL_RUNS, PROCESS_INPUTS, PROCESS_RUNS


@dataclass(frozen=True, slots=True)
class PastRun:
    """A crawl run and what became of it: `manifest` if it is closed, `process_run` if one processes it, and whether it is `published`.

    `pages` are the pages registered so far.
    """

    crawl: str
    crawl_run: str
    planned_at: datetime
    pages: int
    manifest: Manifest | None
    process_run: str | None
    published: bool


def latest_runs(settings: Settings, per_crawl: int) -> list[PastRun]:
    """The last `per_crawl` runs of each crawl, newest first. Raises UnavailableError, StorageError."""
    place = func.row_number().over(partition_by=CRAWL_RUNS.c.crawl, order_by=CRAWL_RUNS.c.run_no.desc()).label("place")
    ranked = select(CRAWL_RUNS, place).subquery()
    of_input = (PROCESS_RUNS.c.process_run == PROCESS_INPUTS.c.process_run) & PROCESS_RUNS.c.replacement.is_(None)
    inputs = PROCESS_INPUTS.join(PROCESS_RUNS, of_input)
    query = (
        select(ranked, PROCESS_RUNS.c.process_run, PROCESS_RUNS.c.published_at)
        .select_from(ranked.outerjoin(inputs, PROCESS_INPUTS.c.crawl_run == ranked.c.crawl_run))
        .where(ranked.c.place <= per_crawl)
        .order_by(ranked.c.crawl, ranked.c.run_no.desc(), PROCESS_RUNS.c.published_at.is_(None))
    )
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection:
            runs = [_past_run(row) for row in connection.execute(query).mappings()]
    finally:
        database.close()
    return list({run.crawl_run: run for run in reversed(runs)}.values())[::-1]  # if there are several process runs, the published one


def unfinished_crawls(settings: Settings) -> set[str]:
    """The crawls with a run that is not closed or not published. Raises UnavailableError, StorageError, ConflictError."""
    published = PROCESS_INPUTS.join(PROCESS_RUNS, PROCESS_RUNS.c.process_run == PROCESS_INPUTS.c.process_run)
    done = select(PROCESS_INPUTS.c.crawl_run).select_from(published).where(PROCESS_RUNS.c.published_at.is_not(None))
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection:
            return set(connection.scalars(select(CRAWL_RUNS.c.crawl).where(CRAWL_RUNS.c.crawl_run.not_in(done)).distinct()))
    finally:
        database.close()


def published_since(settings: Settings, since: datetime) -> list[tuple[str, datetime]]:
    """The process runs that were published since then, with the time, oldest first. Raises UnavailableError, StorageError."""
    query = (
        select(PROCESS_RUNS.c.process_run, PROCESS_RUNS.c.published_at)
        .where(PROCESS_RUNS.c.published_at >= since.timestamp())
        .order_by(PROCESS_RUNS.c.published_at, PROCESS_RUNS.c.process_run)
    )
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection:
            return [(row.process_run, datetime.fromtimestamp(row.published_at, UTC)) for row in connection.execute(query)]
    finally:
        database.close()


def committed_tables(settings: Settings) -> set[str]:
    """The tables that process runs have committed to. Raises UnavailableError, StorageError."""
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection:
            return set(connection.scalars(select(COMMITS.c.table_name).distinct()))
    finally:
        database.close()


def _past_run(row: RowMapping) -> PastRun:
    return PastRun(
        crawl=row["crawl"],
        crawl_run=row["crawl_run"],
        planned_at=datetime.fromtimestamp(row["planned_at"], UTC),
        pages=row["pages"],
        manifest=Manifest.model_validate_json(row["manifest"]) if row["manifest"] else None,
        process_run=row["process_run"],
        published=row["published_at"] is not None,
    )
