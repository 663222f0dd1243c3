"""SQL over the lake: a DuckDB connection with one view per table, over the live files and the published runs only."""

from __future__ import annotations

from typing import cast

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from pyiceberg.io.pyarrow import PyArrowFileIO, schema_to_pyarrow
from pyiceberg.table import Table

from schemas.settings import Settings
from schemas.tables import TABLES
from storage.lake import LATEST_SQL, Lake, open_lake


def connect(settings: Settings) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection, in memory, with the views `articles`, `articles_latest`, `captures`, `quarantine` and `runs`.

    It shows the lake as it was at this moment. Times are shown in UTC. Raises UnavailableError, StorageError.
    """
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    with open_lake(settings) as lake:
        # `runs` first: a run that is published meanwhile is then seen by none of the views
        for name in ("runs", *(table for table in TABLES if table != "runs")):
            _register(connection, lake, name)
    connection.execute(f"CREATE VIEW articles_latest AS {LATEST_SQL}")
    return connection


def _register(connection: duckdb.DuckDBPyConnection, lake: Lake, name: str) -> None:
    table = lake.table(name)
    files = sorted(task.file.file_path for task in table.scan().plan_files())
    schema = schema_to_pyarrow(table.schema(), include_field_ids=False)
    if files and not files[0].startswith("s3://"):
        names = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        columns = ", ".join(f'"{column}"' for column in schema.names)
        source = f"(SELECT {columns} FROM read_parquet([{names}], union_by_name=true, hive_partitioning=false))"  # noqa: S608 our own names
    else:
        source = f"_{name}_files"
        connection.register(source, _dataset(table, files, schema) if files else schema.empty_table())
    visible = "" if name == "runs" else " WHERE process_run IN (SELECT process_run FROM runs)"
    connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {source}{visible}")  # noqa: S608 our own names


def _dataset(table: Table, files: list[str], schema: pa.Schema) -> ds.Dataset:
    """Files in S3 as Arrow sees them: DuckDB would first have to download an extension."""
    filesystem = cast("PyArrowFileIO", table.io).fs_by_scheme("s3", None)
    return ds.dataset([file.removeprefix("s3://") for file in files], schema=schema, format="parquet", filesystem=filesystem)
