"""Removes rows and logs that nobody needs any more, so that the database does not grow with every run for ever."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Table, delete, select

from schemas.config.settings import Settings
from schemas.keys import TASK_LOGS
from storage.database.chunks import write_chunks
from storage.database.clock import Clock, current_time
from storage.database.engine import Database, open_database
from storage.database.frontier_tables import FETCHES, ROBOTS, RUN_HOSTS, WORKERS
from storage.database.ledger_tables import CRAWL_RUNS
from storage.objects.open import open_store

KEEP_RUN_DAYS = 90  # chosen: `explain` shows what became of a URL in each run of three months; the last result stays for ever
KEEP_LOG_DAYS = 60  # of Airflow's tasks; chosen: longer than anybody looks for the cause of a failure
RUN_DATE = re.compile(r"/run_id=[^/]*?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)")  # in the key of a task's log


@dataclass(frozen=True, slots=True)
class UpkeepReport:
    """How many rows of results, of workers and hosts in runs, of cached robots.txt files, and how many logs were removed."""

    fetches: int
    run_rows: int
    robots: int
    logs: int

    def counts(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)


def tidy(settings: Settings, clock: Clock | None = None) -> UpkeepReport:
    """Remove what is old, in many short transactions. It may run at any time, and again. Raises UnavailableError, StorageError."""
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection:
            now = current_time(connection, clock)
            old = _old_runs(connection, now - timedelta(days=KEEP_RUN_DAYS).total_seconds())
        fetches = sum(_delete_rows(database, FETCHES, run_no) for run_no in old)
        run_rows = sum(_delete_rows(database, table, run_no) for table in (RUN_HOSTS, WORKERS) for run_no in old)
        robots = write_chunks(database, lambda connection, limit: _delete_expired(connection, now, limit))
    finally:
        database.close()
    return UpkeepReport(fetches, run_rows, robots, _delete_logs(settings, datetime.fromtimestamp(now, UTC) - timedelta(days=KEEP_LOG_DAYS)))


def _old_runs(connection: Connection, before: float) -> list[int]:
    """The closed runs that were planned before a time and still have rows."""
    old = (CRAWL_RUNS.c.state == "closed") & (CRAWL_RUNS.c.planned_at < before)
    has_rows = CRAWL_RUNS.c.run_no.in_(select(RUN_HOSTS.c.run_no)) | CRAWL_RUNS.c.run_no.in_(select(WORKERS.c.run_no))
    return list(connection.scalars(select(CRAWL_RUNS.c.run_no).where(old, has_rows).order_by(CRAWL_RUNS.c.run_no)))


def _delete_rows(database: Database, table: Table, run_no: int) -> int:
    key = next(column for column in table.primary_key if column.name != "run_no")

    def delete_some(connection: Connection, limit: int) -> int:
        some = list(connection.scalars(select(key).where(table.c.run_no == run_no).limit(limit)))
        connection.execute(delete(table).where(table.c.run_no == run_no, key.in_(some)))
        return len(some)

    return write_chunks(database, delete_some)


def _delete_expired(connection: Connection, now: float, limit: int) -> int:
    some = list(connection.scalars(select(ROBOTS.c.origin).where(ROBOTS.c.expires_at < now).limit(limit)))
    connection.execute(delete(ROBOTS).where(ROBOTS.c.origin.in_(some)))
    return len(some)


def _delete_logs(settings: Settings, before: datetime) -> int:
    store = open_store(settings)
    old = [one.key for one in store.list(TASK_LOGS) if (date := RUN_DATE.search(one.key)) and date[1] < f"{before:%Y-%m-%dT%H:%M:%S}"]
    for key in old:
        store.delete(key)
    return len(old)
