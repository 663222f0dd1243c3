"""SQL over the lake: a DuckDB connection with one view for each table. The views show published rows that are not taken down."""

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
SOURCES = "sources"  # an attached database with the tables behind the views: SHOW TABLES does not list it
GLOB_CHARACTERS = set("*?[]{}")


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection, in memory, with the views `articles`, `articles_latest`, `captures`, `quarantine` and `runs`.

    It shows the lake as it is now, without rows whose URL or canonical URL is taken down. Times are in UTC. It can open only the files of
    the current snapshots, has no folder to write to, and its settings cannot be changed. Do not run SQL of other people with it:
    `crawlhouse.sql.reading` decides which may run. Raises UnavailableError, StorageError; ConfigError if the takedown list cannot be
    read.
    """
    # no temporary directory, because SQL could read and write in it
    connection = duckdb.connect(config={"temp_directory": ""})
    connection.execute(f"SET TimeZone = 'UTC'; SET python_enable_replacements = false; ATTACH ':memory:' AS {SOURCES}")
    takedowns = read_takedowns(open_store(settings))
    with open_lake(settings) as lake:
        # `runs` first: so a run that is published meanwhile is visible in none of the views
        tables = {name: lake.table(name) for name in ("runs", *URL_COLUMNS, "sightings")} | lake.dataset_tables()
        files = {name: _live_files(table) for name, table in tables.items()}
        sources = {name: _source(connection, table, files[name]) for name, table in tables.items()}
    _add_source(connection, "taken_down", _taken_down(connection, sources, takedowns))
    for name, source in sources.items():
        if name == "sightings":
            continue
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}{_visible_condition(name, takedowns)}")  # noqa: S608 our own names
    connection.execute(f"CREATE VIEW articles_latest AS {LATEST_SQL}")
    _restrict_access(connection, [file for sizes in files.values() for file in sizes if _is_read_by_duckdb(file)])
    return connection


def _restrict_access(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    """Let the connection open these files and nothing else, until its end."""
    connection.execute(f"SET allowed_paths = [{_quoted(files)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _visible_condition(name: str, takedowns: Takedowns) -> str:
    if name == "runs":
        return ""
    hidden = f" AND url NOT IN (SELECT url FROM {SOURCES}.taken_down)" if takedowns and name != "sightings" else ""  # noqa: S608 our own names
    return f" WHERE process_run IN (SELECT process_run FROM runs){hidden}"  # noqa: S608 our own names


def _taken_down(connection: duckdb.DuckDBPyConnection, sources: dict[str, str], takedowns: Takedowns) -> pa.Table:
    """The URLs of rows that are taken down. SQL finds URLs that contain a listed host; `Takedowns.covers` decides."""
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
    """The text after FROM that selects from a table's files."""
    schema = schema_to_pyarrow(table.schema(), include_field_ids=False)
    if sizes and all(map(_is_read_by_duckdb, sizes)):
        columns = ", ".join(f'"{column}"' for column in schema.names)
        return f"(SELECT {columns} FROM read_parquet([{_quoted(sizes)}], union_by_name=true, hive_partitioning=false))"  # noqa: S608 our own names
    return _add_source(connection, table.name()[-1], _dataset(table, sizes, schema) if sizes else schema.empty_table())


def _add_source(connection: duckdb.DuckDBPyConnection, name: str, data: ds.Dataset | pa.Table) -> str:
    """Add Arrow data as a view; returns its name."""
    connection.execute(f"USE {SOURCES}")
    connection.from_arrow(data).create_view(name)
    connection.execute("USE memory")
    return f"{SOURCES}.{name}"


def _is_read_by_duckdb(file: str) -> bool:
    """Whether DuckDB reads a file itself.

    Arrow reads files in S3, because DuckDB would have to download an extension first, and files whose path DuckDB would take as a pattern.
    """
    return not file.startswith("s3://") and not GLOB_CHARACTERS & set(file)


def _dataset(table: Table, sizes: dict[str, int], schema: pa.Schema) -> ds.Dataset:
    """The files as an Arrow dataset."""
    filesystem: FileSystem = LocalFileSystem()
    if next(iter(sizes)).startswith("s3://"):
        filesystem = cast("PyArrowFileIO", table.io).fs_by_scheme("s3", None)
    parquet = ds.ParquetFileFormat()
    fragments = [parquet.make_fragment(file.removeprefix("s3://"), filesystem=filesystem, file_size=size) for file, size in sizes.items()]
    return ds.FileSystemDataset(fragments, schema, parquet, filesystem)


def _quoted(files: list[str] | dict[str, int]) -> str:
    return ", ".join("'" + file.replace("'", "''") + "'" for file in files)
