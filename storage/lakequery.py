"""SQL over the lake: a DuckDB connection with one view per table, over the live files, the published runs and what is not taken down."""

from __future__ import annotations

from typing import cast

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from pyiceberg.io.pyarrow import PyArrowFileIO, schema_to_pyarrow
from pyiceberg.table import Table

from schemas.settings import Settings
from storage.lake import LATEST_SQL, Lake, open_lake
from storage.objects import open_store
from storage.takedown import Takedowns, read_takedowns

FETCHED_ROWS = 10_000
URL_COLUMNS = {"articles": ("url", "canonical_url"), "quarantine": ("url", "canonical_url"), "captures": ("url",)}


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection, in memory, with the views `articles`, `articles_latest`, `captures`, `quarantine` and `runs`.

    It shows the lake as it was at this moment, without the rows whose URL or canonical URL is taken down. Times are shown in UTC.
    Raises UnavailableError, StorageError; ConfigError for a takedown list that cannot be read.
    """
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    takedowns = read_takedowns(open_store(settings))
    with open_lake(settings) as lake:
        # `runs` first: a run that is published meanwhile is then seen by none of the views
        sources = {name: _source(connection, lake, name) for name in ("runs", *URL_COLUMNS)}
    connection.register("_taken_down", _taken_down(connection, sources, takedowns))
    for name, source in sources.items():
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}{_visible(name, takedowns)}")  # noqa: S608 our own names
    connection.execute(f"CREATE VIEW articles_latest AS {LATEST_SQL}")
    return connection


def _visible(name: str, takedowns: Takedowns) -> str:
    if name == "runs":
        return ""
    hidden = " AND url NOT IN (SELECT url FROM _taken_down)" if takedowns else ""
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


def _source(connection: duckdb.DuckDBPyConnection, lake: Lake, name: str) -> str:
    """A table's live files as something to select from."""
    table = lake.table(name)
    sizes = {task.file.file_path: task.file.file_size_in_bytes for task in table.scan().plan_files()}
    files = sorted(sizes)
    schema = schema_to_pyarrow(table.schema(), include_field_ids=False)
    if files and not files[0].startswith("s3://"):
        names = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        columns = ", ".join(f'"{column}"' for column in schema.names)
        return f"(SELECT {columns} FROM read_parquet([{names}], union_by_name=true, hive_partitioning=false))"  # noqa: S608 our own names
    source = f"_{name}_files"
    connection.register(source, _dataset(table, sizes, schema) if files else schema.empty_table())
    return source


def _dataset(table: Table, sizes: dict[str, int], schema: pa.Schema) -> ds.Dataset:
    """Files in S3 as Arrow sees them: DuckDB would first have to download an extension."""
    filesystem, parquet = cast("PyArrowFileIO", table.io).fs_by_scheme("s3", None), ds.ParquetFileFormat()
    fragments = [
        parquet.make_fragment(file.removeprefix("s3://"), filesystem=filesystem, file_size=size) for file, size in sorted(sizes.items())
    ]
    return ds.FileSystemDataset(fragments, schema, parquet, filesystem)
