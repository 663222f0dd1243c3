"""Whether there is anything to process, from the ledger alone: nothing that reads or writes the lake is imported for it.

A ledger in a local file is read by Python's own module: importing SQLAlchemy would take most of the time of a command that finds nothing to
do. `tests/storage/ledger/test_pending.py` compares both ways.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass

from schemas.config.settings import Settings
from schemas.keys import report_key
from storage.database.migrations import SCHEMA_VERSION
from storage.objects.open import open_store

BUSY_SECONDS = 20.0  # as long as other transactions wait for a writer (`storage.database.engine`)
_PENDING = """
SELECT (SELECT max(version) FROM schema_version),
       EXISTS (SELECT 1 FROM crawl_runs AS closed
               WHERE crawl = :crawl AND state = 'closed' AND NOT EXISTS (
                   SELECT 1 FROM process_inputs JOIN process_runs USING (process_run)
                   WHERE process_inputs.crawl_run = closed.crawl_run AND published_at IS NOT NULL)),
       (SELECT process_run FROM process_runs WHERE crawl = :crawl AND published_at IS NOT NULL ORDER BY published_at DESC LIMIT 1),
       (SELECT crawl_run FROM crawl_runs WHERE crawl = :crawl AND state <> 'closed' ORDER BY run_no LIMIT 1),
       (SELECT group_concat(crawl_run, char(10)) FROM (
           SELECT DISTINCT crawl_run FROM held WHERE crawl = :crawl AND decision IS NULL ORDER BY crawl_run))
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits of a crawl: whether a closed run is unpublished, the process run published last, and the oldest run that is not closed.

    `held` are the crawl runs of which rows wait for a decision.
    """

    is_unpublished: bool
    last_published: str | None
    unclosed: str | None
    held: tuple[str, ...] = ()


def read_pending(crawl: str, settings: Settings) -> Pending:
    """What waits of a crawl. Raises UnavailableError, StorageError, and ConflictError for tables of another version."""
    return (None if settings.database else _of_local_file(crawl, settings)) or _of_ledger(crawl, settings)


def is_all_processed(crawl: str, settings: Settings) -> bool:
    """Whether every closed crawl run of a crawl is published, and its last publish has ended with its report. Raises as `read_pending`."""
    pending = read_pending(crawl, settings)
    return not pending.is_unpublished and _has_report(pending.last_published, settings)


def _of_local_file(crawl: str, settings: Settings) -> Pending | None:
    """The same of an SQLite file. None if it cannot be read, or has other tables: then the ledger says why."""
    address = f"{settings.database_file('frontier').absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
            found, is_unpublished, last, unclosed, held = connection.execute(_PENDING, {"crawl": crawl}).fetchone()
    except sqlite3.Error:
        return None
    return Pending(bool(is_unpublished), last, unclosed, tuple((held or "").split())) if found == SCHEMA_VERSION else None


def _of_ledger(crawl: str, settings: Settings) -> Pending:
    from storage.ledger.held import list_held
    from storage.ledger.ledger import open_ledger

    ledger = open_ledger(settings)
    try:
        held = sorted({one.crawl_run for one in list_held(ledger.database, crawl) if one.decision is None})
        unclosed = next(iter(ledger.unclosed_runs(crawl)), None)
        return Pending(bool(ledger.closed_unpublished(crawl)), ledger.last_published(crawl), unclosed, tuple(held))
    finally:
        ledger.close()


def _has_report(process_run: str | None, settings: Settings) -> bool:
    """Whether the last publish of a crawl, if any, has its report: the next process that plans writes one that is missing."""
    return process_run is None or open_store(settings).info(report_key(process_run, "report.json")) is not None
