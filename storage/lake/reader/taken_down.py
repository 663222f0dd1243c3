"""The URLs of the lake's rows that are taken down. Which data files have such rows is kept in a file of the home; others are not read.

The file names data files and no URLs, so that nothing of an erased page is in it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.config.settings import Settings
from storage.database.private_files import make_private_file
from storage.lake.reader.lake_objects import path_of
from storage.lake.reader.lake_table import LakeTable
from storage.lake.sources import SOURCES, file_reader
from storage.lake.takedown import Takedowns

if TYPE_CHECKING:
    import duckdb

NAME = "taken_down_files.json"
FORM = 1  # of the kept file; one more when other columns or rules decide which rows an entry covers
FETCHED_ROWS = 10_000
URL_COLUMNS = {"articles": ("url", "canonical_url"), "quarantine": ("url", "canonical_url"), "captures": ("url",)}
MAX_GONE = 1_000  # files that are not live and stay in the kept file, beside as many as are live: earlier states are read too

Row = tuple[str | None, ...]


def taken_down_urls(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    tables: Mapping[str, LakeTable],
    sources: Mapping[str, str],
    takedowns: Takedowns,
) -> list[str]:
    """The URLs of rows that are taken down, sorted. `sources` are the texts after FROM of the tables."""
    kept = _KeptFiles(settings.home / NAME, takedowns)
    urls: set[str] = set()
    for name, table in tables.items() if takedowns else ():
        columns = URL_COLUMNS.get(name, ("url",))
        if name == "runs" or not table.files:
            continue
        if file_reader(table) is not None and _has_stored(table, columns):
            urls |= _urls_in_files(connection, table, columns, kept, takedowns)
        else:
            urls |= _covered(_near(connection, columns, sources[name], takedowns), takedowns)
    kept.write({file for table in tables.values() for file in table.files})
    return sorted(urls)


def add_taken_down(connection: duckdb.DuckDBPyConnection, urls: list[str]) -> None:
    """Make the table of them in the current database. Not by Arrow: an array that is made of Python's values imports pandas."""
    connection.execute(f"CREATE TABLE {SOURCES}.taken_down (url VARCHAR)")
    connection.execute(f"INSERT INTO {SOURCES}.taken_down SELECT unnest($1::VARCHAR[])", [urls])


def _has_stored(table: LakeTable, columns: Iterable[str]) -> bool:
    """Whether the table has the columns, and not only this release."""
    return {column.name for column in table.columns if column.is_stored}.issuperset(columns)


def _urls_in_files(
    connection: duckdb.DuckDBPyConnection, table: LakeTable, columns: Sequence[str], kept: _KeptFiles, takedowns: Takedowns
) -> set[str]:
    """The URLs in the files that have some, and in those that were not read before."""
    read = {path_of(file): file for file in table.files if kept.known.get(file, True)}
    reader = file_reader(replace(table, files={file: size for file, size in table.files.items() if file in read.values()}))
    if reader is None:
        return set()
    urls, having = set[str](), set[str]()
    for file, *row in _near(connection, ("filename", *columns), reader, takedowns):
        if found := _covered([tuple(row)], takedowns):
            urls |= found
            having.add(path_of(str(file)))
    kept.add({file: path in having for path, file in read.items()})
    return urls


def _near(connection: duckdb.DuckDBPyConnection, columns: Iterable[str], source: str, takedowns: Takedowns) -> Iterator[Row]:
    """The rows with a URL that contains a listed host; SQL finds them, `Takedowns.covers` decides."""
    near = " OR ".join(f"contains(lower({column}), _named)" for column in columns if column != "filename")
    found = connection.execute(
        f"SELECT DISTINCT {', '.join(columns)} FROM {source}, (SELECT unnest($1) AS _named) WHERE {near}",  # noqa: S608 our own names
        [sorted(takedowns.host_names())],
    )
    while rows := found.fetchmany(FETCHED_ROWS):
        yield from rows


def _covered(rows: Iterable[Row], takedowns: Takedowns) -> set[str]:
    return {str(row[0]) for row in rows if any(url and takedowns.covers(url) for url in row)}


class _KeptFiles:
    """Data files, and whether they have rows that a takedown list covers. Of another list nothing is known. A data file never changes."""

    def __init__(self, path: Path, takedowns: Takedowns) -> None:
        self._path, self._key = path, _key(takedowns)
        self.known = self._read()
        self._is_changed = False

    def add(self, found: Mapping[str, bool]) -> None:
        """Add files that were read."""
        self._is_changed |= bool(found.keys() - self.known.keys())
        self.known |= found

    def write(self, live: set[str]) -> None:
        """Keep them, if there are new ones. Nothing is kept in a home that cannot be written."""
        if not self._is_changed:
            return
        if len(self.known) > 2 * len(live) + MAX_GONE:
            self.known = {file: has for file, has in self.known.items() if file in live}
        partial = self._path.with_name(f".{NAME}.{os.getpid()}")
        with suppress(OSError):
            try:
                make_private_file(partial)
                partial.write_text(json.dumps({"of": self._key, "files": self.known}), encoding="utf-8")
                partial.replace(self._path)
            finally:
                partial.unlink(missing_ok=True)

    def _read(self) -> dict[str, bool]:
        try:
            found: dict[str, Any] = json.loads(self._path.read_bytes())  # Any: JSON
            return {str(file): bool(has) for file, has in found["files"].items()} if found["of"] == self._key else {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}


def _key(takedowns: Takedowns) -> str:
    parts = [FORM, sorted(takedowns.urls), sorted(takedowns.prefixes), sorted(takedowns.hosts), sorted(takedowns.domains)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
