"""SQL over the lake: a DuckDB connection with one view per table, over the live files, the published runs and what is not taken down."""

from __future__ import annotations

from typing import cast

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow.fs import FileSystem, LocalFileSystem
from pyiceberg.io.pyarrow import PyArrowFileIO, schema_to_pyarrow
from pyiceberg.table import Table

from schemas.config.settings import Settings
from storage.lake.lake import LATEST_SQL, open_lake
from storage.lake.takedown import Takedowns, read_takedowns
from storage.objects.open import open_store

FETCHED_ROWS = 10_000
URL_COLUMNS = {"articles": ("url", "canonical_url"), "quarantine": ("url", "canonical_url"), "captures": ("url",)}
SOURCES = "sources"  # the attached database of what the views are made of: SHOW TABLES does not list it
GLOB_CHARACTERS = set("*?[]{}")


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection, in memory, with the views `articles`, `articles_latest`, `captures`, `quarantine` and `runs`.

    It shows the lake as it was at this moment, without the rows whose URL or canonical URL is taken down. Times are shown in UTC. It can
    open no other file than the live ones, has no folder to write to, and its settings cannot be changed. What it must not be given is SQL
    of others: `crawlhouse.sql.reading` says which may run. Raises UnavailableError, StorageError; ConfigError for a takedown list that
    cannot be read.
    """
    # without a temporary directory: DuckDB would let SQL read and write in it
    connection = duckdb.connect(config={"temp_directory": ""})
    connection.execute(f"SET TimeZone = 'UTC'; SET python_enable_replacements = false; ATTACH ':memory:' AS {SOURCES}")
    takedowns = read_takedowns(open_store(settings))
    with open_lake(settings) as lake:
        # `runs` first: a run that is published meanwhile is then seen by none of the views
        tables = {name: lake.table(name) for name in ("runs", *URL_COLUMNS)}
        files = {name: _live_files(table) for name, table in tables.items()}
        sources = {name: _source(connection, table, files[name]) for name, table in tables.items()}
    _add_source(connection, "taken_down", _taken_down(connection, sources, takedowns))
    for name, source in sources.items():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}{_visible_condition(name, takedowns)}")  # noqa: S608 our own names
    connection.execute(f"CREATE VIEW articles_latest AS {LATEST_SQL}")
    _restrict_access(connection, [file for sizes in files.values() for file in sizes if _is_read_by_duckdb(file)])
    return connection


def _restrict_access(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    """Let the connection open these files and nothing else, for good."""
    connection.execute(f"SET allowed_paths = [{_quoted(files)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _visible_condition(name: str, takedowns: Takedowns) -> str:
    if name == "runs":
        return ""
    hidden = f" AND url NOT IN (SELECT url FROM {SOURCES}.taken_down)" if takedowns else ""  # noqa: S608 our own names
    return f" WHERE process_run IN (SELECT process_run FROM runs){hidden}"  # noqa: S608 our own names


def _taken_down(connection: duckdb.DuckDBPyConnection, sources: dict[str, str], takedowns: Takedowns) -> pa.Table:
    """The URLs of rows that are taken down. SQL finds those that name a listed host, the list itself decides."""
    urls: set[str] = set()
    for name, columns in URL_COLUMNS.items() if takedowns else ():
        near = " OR ".join(f"contains(lower({column}), _named)" for column in columns)
        found = connection.execute(
            f"SELECT DISTINCT {', '.join(columns)} FROM {sources[name]}, (SELECT unnest($1) AS _named) WHERE {near}",  # noqa: S608 our own names
            [sorted(takedowns.host_names())],
        )
        while rows := found.fetchmany(FETCHED_ROWS):
            urls.update(row[0] for row in rows if any(url and takedowns.covers(url) for url in row))
    return pa.table({"url": pa.array(sorted(urls), pa.string())})


def _live_files(table: Table) -> dict[str, int]:
    """The files of a table's current snapshot and their sizes in bytes, by name."""
    return dict(sorted((task.file.file_path, task.file.file_size_in_bytes) for task in table.scan().plan_files()))


def _source(connection: duckdb.DuckDBPyConnection, table: Table, sizes: dict[str, int]) -> str:
    """A table's live files as something to select from."""
    schema = schema_to_pyarrow(table.schema(), include_field_ids=False)
    if sizes and all(map(_is_read_by_duckdb, sizes)):
        columns = ", ".join(f'"{column}"' for column in schema.names)
        return f"(SELECT {columns} FROM read_parquet([{_quoted(sizes)}], union_by_name=true, hive_partitioning=false))"  # noqa: S608 our own names
    return _add_source(connection, table.name()[-1], _dataset(table, sizes, schema) if sizes else schema.empty_table())


def _add_source(connection: duckdb.DuckDBPyConnection, name: str, data: ds.Dataset | pa.Table) -> str:
    """Make Arrow data selectable; the name to select from."""
    connection.execute(f"USE {SOURCES}")
    connection.from_arrow(data).create_view(name)
    connection.execute("USE memory")
    return f"{SOURCES}.{name}"


def _is_read_by_duckdb(file: str) -> bool:
    """Whether DuckDB reads a file itself.

    Arrow reads those in S3, for which DuckDB would first have to download an extension, and those whose path DuckDB would take as a
    pattern of several files.
    """
    return not file.startswith("s3://") and not GLOB_CHARACTERS & set(file)


def _dataset(table: Table, sizes: dict[str, int], schema: pa.Schema) -> ds.Dataset:
    """Files as Arrow sees them."""
    filesystem: FileSystem = LocalFileSystem()
    if next(iter(sizes)).startswith("s3://"):
        filesystem = cast("PyArrowFileIO", table.io).fs_by_scheme("s3", None)
    parquet = ds.ParquetFileFormat()
    fragments = [parquet.make_fragment(file.removeprefix("s3://"), filesystem=filesystem, file_size=size) for file, size in sizes.items()]
    return ds.FileSystemDataset(fragments, schema, parquet, filesystem)


def _quoted(files: list[str] | dict[str, int]) -> str:
    return ", ".join("'" + file.replace("'", "''") + "'" for file in files)
