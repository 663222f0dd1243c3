"""Finds the data files that have something of one URL, so that a report on it opens the other files once and not with each query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import duckdb

from schemas.config.settings import Settings
from storage.lake.reader.file_filters import FileFilters
from storage.lake.reader.lake_objects import path_of
from storage.lake.reader.lake_table import LakeTable
from storage.lake.sources import SOURCES, file_reader, quoted_text

SEARCHED = ("articles", "captures", "quarantine")
IDENTITY = ("url", "article_id", "duplicate_of", "process_run")


def files_of_url(
    connection: duckdb.DuckDBPyConnection, settings: Settings, tables: Mapping[str, LakeTable], url: str, *, hides: bool
) -> dict[str, LakeTable]:
    """The tables with only those files that have something of a URL, published or not.

    Of `articles` these are the rows with this URL, or with this canonical URL if no row has the URL, all versions of their articles and
    of the originals and the duplicates of these. Of `captures` and `quarantine` they are the rows with the URL, or with that of such a
    row. The other tables stay whole, and so does a table whose files DuckDB does not read itself. `hides`: rows with the URL may be taken
    down. The connection has the table of published runs.
    """
    filters = FileFilters(connection, settings, [tables[name] for name in SEARCHED])
    articles = _Files(connection, filters, tables["articles"])
    rows = articles.rows("url", [url], IDENTITY)
    if hides or not _is_published(connection, {row[4] for row in rows}):
        rows += articles.rows("canonical_url", [url], IDENTITY)
    urls = {url, *(row[1] for row in rows)}
    ids = {row[2] for row in rows}
    copies = articles.rows("duplicate_of", ids, ("article_id",))
    related = ids | {row[3] for row in rows if row[3]} | {row[1] for row in copies}
    versions = articles.rows("article_id", related)
    narrowed = {"articles": articles.narrowed([*rows, *copies, *versions])}
    for name in SEARCHED[1:]:
        files = _Files(connection, filters, tables[name])
        narrowed[name] = files.narrowed(files.rows("url", urls))
    return {**tables, **narrowed}


def _is_published(connection: duckdb.DuckDBPyConnection, process_runs: Iterable[str]) -> bool:
    """Whether one of these process runs is published."""
    found = f"SELECT 1 FROM {SOURCES}.published WHERE list_contains($1, process_run) LIMIT 1"  # noqa: S608 our own names
    return bool(connection.execute(found, [sorted(process_runs)]).fetchall())


class _Files:
    """A table's data files."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, filters: FileFilters, table: LakeTable) -> None:
        self._connection, self._filters, self._table = connection, filters, table
        self._is_read = file_reader(table) is not None

    def rows(self, column: str, values: Iterable[str], wanted: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        """The file of each row that has one of the values in a column, then the wanted columns of the row.

        The values are asked for one by one: the statistics and the Bloom filters of a file answer for one value. They stand in the SQL:
        with parameters DuckDB opens the files twice.
        """
        found: list[tuple[str, ...]] = []
        for value in sorted(set(values)) if self._is_read else ():
            if reader := file_reader(replace(self._table, files=self._filters.narrowed(self._table, column, value))):
                sql = f"SELECT {', '.join(('filename', *wanted))} FROM {reader} WHERE {column} = {quoted_text(value)}"  # noqa: S608 quoted
                found += self._connection.execute(sql).fetchall()
        return found

    def narrowed(self, rows: Iterable[tuple[str, ...]]) -> LakeTable:
        """The table with the files of these rows alone."""
        if not self._is_read:
            return self._table
        paths = {path_of(row[0]) for row in rows}
        return replace(self._table, files={file: size for file, size in self._table.files.items() if path_of(file) in paths})
