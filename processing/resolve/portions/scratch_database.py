"""A database on the local disk for what may not fit into memory. It is made anew each time, so that it needs no journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.errors import StorageError

CACHE_KILOBYTES = 32 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@contextmanager
def open_scratch_database(path: Path, tables: str) -> Iterator[sqlite3.Connection]:
    """A new database with these tables, in one transaction until the end of the block.

    `path` is in a scratch folder. Raises StorageError when its disk is full.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE", f"cache_size = -{CACHE_KILOBYTES}"):
                database.execute(f"PRAGMA {pragma}")
            database.executescript(tables)
            database.execute("BEGIN")
            yield database
    except sqlite3.Error as error:
        advice = "Free some space, or name another folder in TMPDIR; then run this again."
        raise StorageError(f"{path.parent.parent} cannot be written or read: {error}. {advice}") from error


def microseconds(time: datetime) -> int:
    """A time as it is stored."""
    return (time - _EPOCH) // _MICROSECOND


def time_of(stored: int) -> datetime:
    """The time behind `microseconds`."""
    return _EPOCH + stored * _MICROSECOND
