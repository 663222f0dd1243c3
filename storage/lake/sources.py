"""The tables' files as DuckDB reads them. Files of earlier schemas lack columns and members; they are NULL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import FileSystem, LocalFileSystem
from pyiceberg.io.pyarrow import PyArrowFileIO, schema_to_pyarrow
from pyiceberg.table import Table

SOURCES = "sources"  # an attached database with the tables behind the views: SHOW TABLES does not list it
GLOB_CHARACTERS = set("*?[]{}")


def live_files(table: Table) -> dict[str, int]:
    """The files of a table's current snapshot and their sizes in bytes, by name."""
    return dict(sorted((task.file.file_path, task.file.file_size_in_bytes) for task in table.scan().plan_files()))


def source_of(connection: duckdb.DuckDBPyConnection, table: Table, sizes: dict[str, int]) -> str:
    """The text after FROM that selects from a table's files."""
    schema = schema_to_pyarrow(table.schema(), include_field_ids=False)
    if sizes and all(map(is_read_by_duckdb, sizes)):
        files = f"read_parquet([{quoted(sizes)}], union_by_name=true, hive_partitioning=false)"
        return f"(SELECT {', '.join(_columns(connection, table, schema, files, list(sizes)))} FROM {files})"  # noqa: S608 our own names
    return add_source(connection, table.name()[-1], _dataset(table, sizes, schema) if sizes else schema.empty_table())


def add_source(connection: duckdb.DuckDBPyConnection, name: str, data: ds.Dataset | pa.Table) -> str:
    """Add Arrow data as a view; returns its name."""
    connection.execute(f"USE {SOURCES}")
    connection.from_arrow(data).create_view(name)
    connection.execute("USE memory")
    return f'{SOURCES}."{name}"'


def is_read_by_duckdb(file: str) -> bool:
    """Whether DuckDB reads a file itself.

    Arrow reads files in S3, because DuckDB would have to download an extension first, and files whose path DuckDB would take as a pattern.
    """
    return not file.startswith("s3://") and not GLOB_CHARACTERS & set(file)


def quoted(files: Iterable[str]) -> str:
    """Texts as SQL has them in a list."""
    return ", ".join("'" + file.replace("'", "''") + "'" for file in files)


def _columns(connection: duckdb.DuckDBPyConnection, table: Table, schema: pa.Schema, source: str, files: list[str]) -> list[str]:
    """What is selected for each column of a table. Only a table whose schema has changed may have files without some of them."""
    names = [f'"{name}"' for name in schema.names]
    if len(table.metadata.schemas) == 1:
        return names
    types = dict(zip(schema.names, map(str, connection.from_arrow(schema.empty_table()).types), strict=True))
    stored = set(pq.read_schema(files[-1].removeprefix("file://")).names)  # the last day's file: mostly the newest
    if not stored >= set(schema.names):
        stored = set(connection.sql(f"FROM {source}").columns)
    return [_column(field, types[field.name], is_stored=field.name in stored) for field in schema]


def _column(field: pa.Field, kind: str, *, is_stored: bool) -> str:
    if not is_stored:
        return f'CAST(NULL AS {kind}) AS "{field.name}"'
    return f'CAST("{field.name}" AS {kind}) AS "{field.name}"' if pa.types.is_nested(field.type) else f'"{field.name}"'


def _dataset(table: Table, sizes: dict[str, int], schema: pa.Schema) -> ds.Dataset:
    """The files as an Arrow dataset."""
    filesystem: FileSystem = LocalFileSystem()
    if next(iter(sizes)).startswith("s3://"):
        filesystem = cast("PyArrowFileIO", table.io).fs_by_scheme("s3", None)
    parquet = ds.ParquetFileFormat()
    fragments = [parquet.make_fragment(file.removeprefix("s3://"), filesystem=filesystem, file_size=size) for file, size in sizes.items()]
    return ds.FileSystemDataset(fragments, schema, parquet, filesystem)
