"""`lake.duckdb`: a DuckDB database beside the tables with the same views as `crawlhouse query`, for every DuckDB shell and library.

It is written anew after each change of the lake, under another name, and then takes the old one's place: who has it open reads on in the
old one, whose data files stay for days. In it are only views and the URLs that are taken down, no rows.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import duckdb

from runtime.scratch import scratch_folder
from schemas.config.settings import Settings
from schemas.keys import LAKE_PREFIX
from storage.lake.reader.lake_objects import FILE, file_system, path_of
from storage.lake.reader.lake_table import LakeTable
from storage.lake.reader.tables import read_tables
from storage.lake.reader.taken_down import add_taken_down, taken_down_urls
from storage.lake.reader.views import add_orphans, orphans, view_statements
from storage.lake.sources import SOURCES, quoted_text, read_parquet, select_from, source_of
from storage.lake.takedown import read_takedowns
from storage.objects.open import open_store
from storage.warc.removed_segments import read_removed

KEY = f"{LAKE_PREFIX}/lake.duckdb"
VARIABLE = "lake"  # set in DuckDB, it is where the lake's files are, if that is not where they were written
STORAGE_VERSION = "v1.0.0"  # that older shells read too
PATTERNS = str.maketrans({character: f"[{character}]" for character in "*?["})
LOG = logging.getLogger(__name__)


def refresh_lake_file(settings: Settings) -> bool:
    """Write `lake.duckdb` for the lake as it is now; whether it could be written. What goes wrong is logged, and raises nothing.

    Called by everything that changes the tables or the takedown list. Whoever is last reads the newest state.
    """
    try:
        write_lake_file(settings)
    except Exception as error:  # publishing is done; nobody should think that it failed because of a convenience
        LOG.warning("%s was not written: %s. The next publish writes it.", KEY, error)
        return False
    return True


def write_lake_file(settings: Settings) -> str:
    """The same; returns the file's key in the store. Raises UnavailableError, StorageError, OSError."""
    store, tables = open_store(settings), read_tables(settings)
    with scratch_folder() as folder:
        path = folder / "lake.duckdb"
        with duckdb.connect(config={"temp_directory": ""}) as connection:
            _fill(connection, path, tables, settings)
        store.put_file(KEY, path)
    return KEY


def _fill(connection: duckdb.DuckDBPyConnection, path: Path, tables: Mapping[str, LakeTable], settings: Settings) -> None:
    connection.execute(f"SET TimeZone = 'UTC'; CREATE SCHEMA {SOURCES}")
    store = open_store(settings)
    takedowns, removed = read_takedowns(store), read_removed(store)
    hidden: list[str] = []
    sources = {name: source_of(connection, table, settings) for name, table in tables.items()}
    gone = orphans(connection, sources, tables)
    if takedowns:
        hidden = taken_down_urls(connection, settings, tables, sources, takedowns)
    connection.execute(f"ATTACH {quoted_text(str(path))} AS lake (STORAGE_VERSION '{STORAGE_VERSION}')")
    texts = {name: _source(table, settings) for name, table in tables.items()}
    connection.execute(f"USE lake; CREATE SCHEMA {SOURCES}")
    add_taken_down(connection, hidden)
    if gone:
        add_orphans(connection, gone)
    for statement in view_statements(tables, texts, hides=bool(takedowns), adopts=bool(gone), removed=removed):
        connection.execute(statement)
    connection.execute("USE memory; DETACH lake")


def _source(table: LakeTable, settings: Settings) -> str:
    """The text after FROM. A file's place is the lake's, which a variable may name, and its name in it."""
    if not table.files:
        return select_from(table.columns, None)
    root = f"{settings.store_url()}/{LAKE_PREFIX}"
    files = ", ".join(_place(file.removeprefix(FILE), root) for file in table.files)
    return select_from(table.columns, read_parquet(f"[{files}]", is_evolved=table.schemas > 1), _stored_columns(table, settings))


def _stored_columns(table: LakeTable, settings: Settings) -> frozenset[str] | None:
    """The columns that at least one of a table's files has; None: all. Only a table whose schema has changed may lack some."""
    if table.schemas == 1 and all(column.is_stored for column in table.columns):
        return None
    import pyarrow.parquet as pq

    wanted, found = {column.name for column in table.columns}, set[str]()
    for file in sorted(table.files, reverse=True):  # the last day's first: mostly the newest
        found |= set(pq.read_schema(path_of(file), filesystem=file_system(settings, file)).names)
        if found >= wanted:
            return frozenset(found)
    return frozenset(found)


def _place(file: str, root: str) -> str:
    if not file.startswith(f"{root}/"):
        return quoted_text(file.translate(PATTERNS))
    here, name = (quoted_text(part.translate(PATTERNS)) for part in (root, file.removeprefix(root)))
    return f"coalesce(getvariable('{VARIABLE}'), {here}) || {name}"
