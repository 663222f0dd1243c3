"""Copies of SQLite files, consistent while others read and write them; and removing deleted data from a file."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from schemas.config.settings import make_private_folder
from schemas.errors import StorageError
from storage.database.private_files import make_private_file

FOLDER = "backups"
PAGES_AT_ONCE = 10_000  # 40 MB: after each, progress is reported and others may write
BUSY_SECONDS = 60.0  # to wait for other processes


def back_up(database: Path, label: str, report_progress: Callable[[str], None] = lambda _: None) -> Path:
    """Copy a SQLite file to `backups/NAME-LABEL-TIME.sqlite` next to it, readable by its user only; returns the path of the copy.

    `report_progress` gets a line now and then. An unfinished copy has another name, and the next backup removes it. Raises StorageError.
    """
    folder = database.parent / FOLDER
    copy = folder / f"{database.stem}-{label}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{database.suffix}"
    partial = folder / f".{database.stem}.part"
    try:
        make_private_folder(folder)
        for left in folder.glob(f"{partial.name}*"):  # of a killed process, and its journal, which SQLite would apply to the new copy
            left.unlink()
        make_private_file(partial)
        _copy(database, partial, lambda part: report_progress(f"Copying {database.name}: {part:.0%}"))
        partial.replace(copy)
        _sync(folder)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise StorageError(
            f"The backup {copy} cannot be written: {error}. Free some space, then run again; nothing was changed."
        ) from error
    return copy


def copy_file(source: Path, target: Path) -> None:
    """Copy a SQLite file to another path, as it is at one moment. Raises StorageError."""
    try:
        make_private_file(target)
        _copy(source, target, lambda _: None)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"{source} cannot be copied: {error}. Free some space, then run again.") from error


def vacuum(database: Path) -> None:
    """Rewrite a SQLite file without the data that was deleted from it, and empty its log. Raises StorageError."""
    try:
        with closing(sqlite3.connect(database, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("VACUUM")
            deadline = time.monotonic() + BUSY_SECONDS
            while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] and time.monotonic() < deadline:
                time.sleep(0.1)  # a reader still needs the log
    except sqlite3.Error as error:
        raise StorageError(
            f"Data that was deleted may still be readable in {database}: {error}. Free some space, then run `sqlite3 {database} VACUUM`."
        ) from error


def _copy(source: Path, target: Path, report_part: Callable[[float], None]) -> None:
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing, pages=PAGES_AT_ONCE, progress=lambda _, left, all_pages: report_part(1 - left / max(all_pages, 1)))
        writing.execute("PRAGMA journal_mode=DELETE")  # one file, without a log next to it
    _sync(target)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
