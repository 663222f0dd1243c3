"""The records of a run as one dataset sees them, in a database on the local disk: what each is, and what became of its rows.

In memory are the records that are asked for. Times are those of `scratch_database`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from processing.resolve.portions.scratch_database import microseconds, open_scratch_database, time_of
from processing.resolve.records import RecordId
from processing.resolve.run_records import PageRows, RunRecord

PAGES = 2_000  # whose records are in memory at a time
TARGETS = 5_000  # captures of the lake to which visits refer, at a time
_TABLES = """
CREATE TABLE record (
    place INTEGER PRIMARY KEY, warc_filename TEXT, warc_offset INTEGER, url TEXT, fetched_at INTEGER, status INTEGER, content_digest TEXT,
    length INTEGER, crawl_run TEXT, unread TEXT, detail TEXT, target_filename TEXT, target_offset INTEGER, is_revisit INTEGER,
    has_waiting INTEGER DEFAULT 0, error TEXT, is_known INTEGER DEFAULT 0, captured_at INTEGER, earlier_outcome TEXT,
    published INTEGER DEFAULT 0, unchanged INTEGER DEFAULT 0, quarantined INTEGER DEFAULT 0, reason TEXT, reason_position INTEGER,
    UNIQUE (warc_filename, warc_offset)
);
"""
_INDEXES = (
    "CREATE INDEX record_of_page ON record (url)",
    "CREATE INDEX record_of_target ON record (target_filename, target_offset) WHERE target_filename IS NOT NULL",
)
_INSERT = """
INSERT INTO record (warc_filename, warc_offset, url, fetched_at, status, content_digest, length, crawl_run, unread, detail,
    target_filename, target_offset, is_revisit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SET_ERROR = "UPDATE record SET error = ? WHERE warc_filename = ? AND warc_offset = ?"
_READ_AGAIN = """
UPDATE record SET is_revisit = 0, target_filename = NULL, target_offset = NULL, has_waiting = ?
WHERE warc_filename = ? AND warc_offset = ? AND is_revisit
"""
_NOTE = "UPDATE record SET is_known = ?, captured_at = ?, earlier_outcome = ? WHERE warc_filename = ? AND warc_offset = ?"
_TALLY = """
UPDATE record SET published = published + :published, unchanged = unchanged + :unchanged, quarantined = quarantined + :quarantined,
    reason = CASE WHEN reason_position IS NULL OR :position < reason_position THEN :reason ELSE reason END,
    reason_position = coalesce(min(:position, reason_position), :position, reason_position)
WHERE warc_filename = :name AND warc_offset = :offset
"""
_PAGES = "SELECT DISTINCT url FROM record WHERE url > ? ORDER BY url LIMIT ?"
_WITHOUT_TARGET = """
SELECT DISTINCT target_filename, target_offset FROM record WHERE target_filename IS NOT NULL AND is_revisit AND NOT EXISTS (
    SELECT 1 FROM record AS target WHERE (target.warc_filename, target.warc_offset) = (record.target_filename, record.target_offset)
)
"""
_WITH_TARGET = """
SELECT record.*, target.* FROM record LEFT JOIN record AS target
ON record.is_revisit AND target.warc_filename = record.target_filename AND target.warc_offset = record.target_offset ORDER BY record.place
"""


@dataclass(slots=True)
class RowTally:
    """How many rows one record made for a dataset, and what became of them.

    `reason` is the one for which a row was quarantined, of the first of them on the page; `position` is that row's place.
    """

    published: int = 0
    unchanged: int = 0
    quarantined: int = 0
    reason: str | None = None
    position: int | None = None

    @property
    def made(self) -> int:
        """How many rows the record made."""
        return self.published + self.unchanged + self.quarantined

    def add(self, outcome: str, reason: str | None, position: int) -> None:
        """Count the row at a position of the page."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        if reason is not None and (self.position is None or position < self.position):
            self.reason, self.position = reason, position


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record with what is known of it for the dataset.

    `error` is why it was rejected. `is_known`: its page is as it was at its last reading. `captured_at` is when the capture was made that
    a revisit refers to, `earlier_outcome` what the lake's last reading of the same bytes gave.
    """

    record: RunRecord
    error: str | None
    is_known: bool
    captured_at: datetime | None
    earlier_outcome: str | None
    tally: RowTally


@dataclass(frozen=True, slots=True)
class EarlierReading:
    """What the lake says of a record: `is_known`, `captured_at` and `earlier_outcome` of a `StoredRecord`."""

    record_id: RecordId
    is_known: bool
    captured_at: datetime | None = None
    outcome: str | None = None


@contextmanager
def open_dataset_records(folder: Path, records: Iterable[RunRecord], pages: Iterable[PageRows]) -> Iterator[DatasetRecords]:
    """The records of a run, on whose pages a dataset's rows are. A revisit that was read itself is a record as any other.

    `folder` is a scratch folder. Raises StorageError when its disk is full.
    """
    with open_scratch_database(folder / "records.sqlite", _TABLES) as database:
        database.executemany(_INSERT, map(_values, records))
        for page in pages:
            if page.error is not None:
                database.execute(_SET_ERROR, (page.error, *page.record_id))
            if page.is_read:
                database.execute(_READ_AGAIN, (page.waiting > 0, *page.record_id))
        for index in _INDEXES:
            database.execute(index)
        yield DatasetRecords(database)


class DatasetRecords:
    """The records of a run for one dataset, in the order of the run's segments."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        (self.has_visits,) = database.execute(
            "SELECT EXISTS (SELECT 1 FROM record WHERE is_revisit AND target_filename IS NOT NULL)"
        ).fetchone()

    def until(self) -> datetime | None:
        """The time of the last record."""
        (latest,) = self._database.execute("SELECT max(fetched_at) FROM record").fetchone()
        return None if latest is None else time_of(latest)

    def urls(self) -> Iterator[list[str]]:
        """The URLs of all pages, sorted, some at a time."""
        last = ""
        while urls := [url for (url,) in self._database.execute(_PAGES, (last, PAGES))]:
            yield urls
            last = urls[-1]

    def get(self, record_id: RecordId) -> RunRecord | None:
        """The record, if it is one of the run."""
        row = self._database.execute("SELECT * FROM record WHERE warc_filename = ? AND warc_offset = ?", record_id).fetchone()
        return None if row is None else _stored(row).record

    def on_pages(self, urls: Collection[str]) -> Iterator[StoredRecord]:
        """The records of some pages."""
        find = "SELECT * FROM record WHERE url = ?"
        rows = (row for url in urls for row in self._database.execute(find, (url,)))
        return map(_stored, sorted(rows))

    def note(self, readings: Iterable[EarlierReading]) -> None:
        """Keep what the lake says of records."""
        values = ((one.is_known, _microseconds(one.captured_at), one.outcome, *one.record_id) for one in readings)
        self._database.executemany(_NOTE, values)

    def known(self, record_ids: Iterable[RecordId]) -> frozenset[RecordId]:
        """Those of the records whose pages are as they were at their last reading."""
        find = "SELECT 1 FROM record WHERE warc_filename = ? AND warc_offset = ? AND is_known"
        return frozenset(one for one in record_ids if self._database.execute(find, one).fetchone() is not None)

    def visits(self, targets: Iterable[RecordId]) -> dict[RecordId, list[RunRecord]]:
        """The revisits that refer to these captures, by capture."""
        if not self.has_visits:
            return {}
        find = "SELECT * FROM record WHERE target_filename = ? AND target_offset = ? AND is_revisit ORDER BY place"
        found = {one: [_stored(row).record for row in self._database.execute(find, one)] for one in targets}
        return {target: visits for target, visits in found.items() if visits}

    def visits_of_earlier(self) -> Iterator[dict[RecordId, list[RunRecord]]]:
        """The revisits that refer to captures of earlier runs, by capture, some at a time."""
        cursor = self._database.execute(_WITHOUT_TARGET) if self.has_visits else iter(())
        while targets := list(islice(cursor, TARGETS)):
            yield self.visits(targets)

    def count(self, tallies: Mapping[RecordId, RowTally]) -> None:
        """Add counts of rows to those of their records."""
        self._database.executemany(_TALLY, (_counted(record_id, tally) for record_id, tally in tallies.items()))

    def with_targets(self) -> Iterator[tuple[StoredRecord, StoredRecord | None]]:
        """All records, each revisit with the record of the run that it refers to."""
        for row in self._database.execute(_WITH_TARGET):
            middle = len(row) // 2
            yield _stored(row[:middle]), None if row[middle] is None else _stored(row[middle:])


def _values(record: RunRecord) -> tuple[object, ...]:
    target = record.refers_to or (None, None)
    return (
        *record.record_id, record.url, microseconds(record.fetched_at), record.status, record.content_digest, record.length,
        record.crawl_run, record.unread, record.detail, *target, record.is_revisit,
    )  # fmt: skip


def _stored(row: tuple[Any, ...]) -> StoredRecord:  # Any: the columns of `record`
    (
        _, name, offset, url, fetched_at, status, digest, length, crawl_run, unread, detail, target_name, target_offset, is_revisit,
        has_waiting, error, is_known, captured_at, earlier_outcome, *tally,
    ) = row  # fmt: skip
    record = RunRecord(
        (name, offset), url, time_of(fetched_at), status, digest, length, crawl_run, unread, detail,
        None if target_name is None else (target_name, target_offset), bool(is_revisit), bool(has_waiting),
    )  # fmt: skip
    captured = None if captured_at is None else time_of(captured_at)
    return StoredRecord(record, error, bool(is_known), captured, earlier_outcome, RowTally(*tally))


def _counted(record_id: RecordId, tally: RowTally) -> dict[str, object]:
    name, offset = record_id
    return {
        "published": tally.published, "unchanged": tally.unchanged, "quarantined": tally.quarantined, "reason": tally.reason,
        "position": tally.position, "name": name, "offset": offset,
    }  # fmt: skip


def _microseconds(time: datetime | None) -> int | None:
    return None if time is None else microseconds(time)
