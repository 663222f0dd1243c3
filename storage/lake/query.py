"""SQL over the lake: a DuckDB connection with one view for each table. The views show published rows that are not taken down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import duckdb

from schemas.config.settings import Settings
from storage.lake.reader.lake_table import LakeTable
from storage.lake.reader.published_runs import add_published
from storage.lake.reader.tables import read_tables
from storage.lake.reader.taken_down import add_taken_down, taken_down_urls
from storage.lake.reader.url_files import files_of_url
from storage.lake.reader.views import add_orphans, orphans, view_statements
from storage.lake.sources import SOURCES, is_read_by_duckdb, quoted, source_of
from storage.lake.takedown import read_takedowns
from storage.objects.open import open_store
from storage.warc.removed_segments import read_removed


def connect(settings: Settings, as_of: str | datetime | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection, in memory, with a view of each table, and NAME_latest of `articles` and of each dataset's table.

    It shows the lake as it is now, or as it was after the process run `as_of`, or at that time, without rows whose URL or canonical URL
    is taken down. Times are in UTC. It can open only the files of these snapshots, has no folder to write to, and its
    settings cannot be changed. Its cursors are the same. Do not run SQL of other people with it: `crawlhouse.sql.reading` decides which may
    run. Raises UnavailableError, StorageError; ConfigError if the takedown list cannot be read; NotFoundError for a state that is not kept.
    """
    connection = _connection()
    tables = read_tables(settings, as_of)
    _add_views(connection, tables, settings)
    _restrict_access(connection, [file for table in tables.values() for file in table.files if is_read_by_duckdb(file)])
    return connection


def connect_for_url(settings: Settings, url: str) -> duckdb.DuckDBPyConnection:
    """The same, of the lake as it is now, for our own SQL about one URL: other rows may be missing, and files can be opened."""
    connection = _connection(threads=1)  # more of them would mostly wait for each other: little is read of each file
    _add_views(connection, read_tables(settings), settings, url)
    return connection


def _connection(**more: int) -> duckdb.DuckDBPyConnection:
    # no temporary directory, because SQL could read and write in it
    connection = duckdb.connect(config={"temp_directory": "", **more})
    connection.execute("SET GLOBAL TimeZone = 'UTC'; SET GLOBAL python_enable_replacements = false")
    connection.execute(f"SET GLOBAL parquet_metadata_cache = true; CREATE SCHEMA {SOURCES}")
    return connection


def _add_views(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, LakeTable], settings: Settings, url: str | None = None) -> None:
    """Add the views, with a URL only of the files that have something of it."""
    store = open_store(settings)
    takedowns, removed = read_takedowns(store), read_removed(store)
    sources = {name: source_of(connection, table, settings) for name, table in tables.items()}
    if takedowns:
        add_taken_down(connection, taken_down_urls(connection, settings, tables, sources, takedowns))
    found = orphans(connection, sources, tables, add_published(connection, settings, tables["runs"], sources["runs"]))
    if found:
        add_orphans(connection, found)
    elif url is not None:
        narrowed = files_of_url(connection, settings, tables, url, hides=bool(takedowns))
        sources |= {name: source_of(connection, table, settings) for name, table in narrowed.items() if table is not tables[name]}
        tables = narrowed
    for statement in view_statements(tables, sources, hides=bool(takedowns), adopts=bool(found), removed=removed, keeps_published=True):
        connection.execute(statement)


def _restrict_access(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    """Let the connection open these files and nothing else, until its end."""
    connection.execute(f"SET allowed_paths = [{quoted(files)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
