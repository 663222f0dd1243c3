"""The tables' files as DuckDB reads them. Files of earlier schemas lack columns and members; they are NULL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import duckdb

from schemas.config.settings import Settings
from storage.lake.reader.column_types import quoted_name
from storage.lake.reader.lake_objects import file_system, path_of
from storage.lake.reader.lake_table import LakeColumn, LakeTable

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

SOURCES = "sources"  # a schema with what is behind the views: SHOW TABLES does not list it
GLOB_CHARACTERS = set("*?[]{}")


def source_of(connection: duckdb.DuckDBPyConnection, table: LakeTable, settings: Settings) -> str:
    """The text after FROM that selects from a table's files."""
    files = list(table.files)
    if not files:
        return select_from(table.columns, None)
    if all(map(is_read_by_duckdb, files)):
        if table.schemas > 1 and all(map(_is_read_by_field, table.columns)):
            return select_from(table.columns, _read_by_field(table, files), _stored(table))
        source = read_parquet(f"[{quoted(files)}]", is_evolved=table.schemas > 1)
        return select_from(table.columns, source, stored_columns(connection, table, source, files))
    return add_source(connection, table.name, _dataset(connection, table, settings))


def file_reader(table: LakeTable) -> str | None:
    """The call that reads a table's files with their stored columns and `filename`; None if DuckDB cannot do it by itself."""
    files = list(table.files)
    if not files or not all(map(is_read_by_duckdb, files)):
        return None
    if table.schemas == 1:
        return read_parquet(f"[{quoted(files)}]", is_evolved=False)
    return _read_by_field(table, files) if all(map(_is_read_by_field, table.columns)) else None


def read_parquet(files: str, *, is_evolved: bool) -> str:
    """The call that reads Parquet files; `files` is a list in SQL. `is_evolved`: some may lack columns; then DuckDB opens all first."""
    return f"read_parquet({files}, {'union_by_name=true, ' if is_evolved else ''}hive_partitioning=false)"


def _is_read_by_field(column: LakeColumn) -> bool:
    """Whether DuckDB can read a column by its field's id: not (2.0) a member of a structure that the file does not have."""
    is_structure = column.type.startswith("STRUCT(") and not column.type.endswith("[]")
    return not column.is_stored or (column.field_id is not None and not is_structure)


def _read_by_field(table: LakeTable, files: Sequence[str]) -> str:
    """The call that reads files of several schemas by their fields' ids. The columns are given, so no file is opened before."""
    columns = (
        f"{column.field_id}: {{name: {quoted_text(column.name)}, type: {quoted_text(column.type)}, default_value: NULL}}"
        for column in table.columns
        if column.is_stored
    )
    return f"read_parquet([{quoted(files)}], schema = MAP {{{', '.join(columns)}}}, hive_partitioning=false)"


def _stored(table: LakeTable) -> frozenset[str] | None:
    """The columns that a table has; None: all of this release."""
    stored = frozenset(column.name for column in table.columns if column.is_stored)
    return None if len(stored) == len(table.columns) else stored


def select_from(columns: Sequence[LakeColumn], source: str | None, stored: frozenset[str] | None = None) -> str:
    """A subquery with a table's columns. `stored` are those that its files have (None: all of them); no source: no rows."""
    if source is None:
        return f"(SELECT {', '.join(_absent(column) for column in columns)} WHERE false)"
    return f"(SELECT {', '.join(_selected(column, stored) for column in columns)} FROM {source})"  # noqa: S608 our own names


def add_source(connection: duckdb.DuckDBPyConnection, name: str, data: ds.Dataset | pa.Table) -> str:
    """Add Arrow data as a view; returns its name."""
    connection.execute(f"USE memory.{SOURCES}")
    connection.from_arrow(data).create_view(name)
    connection.execute("USE memory.main")
    return f'{SOURCES}."{name}"'


def is_read_by_duckdb(file: str) -> bool:
    """Whether DuckDB reads a file itself.

    Arrow reads files in S3, because DuckDB would have to download an extension first, and files whose path DuckDB would take as a pattern.
    """
    return not file.startswith("s3://") and not GLOB_CHARACTERS & set(file)


def quoted(files: Iterable[str]) -> str:
    """Texts as SQL has them in a list."""
    return ", ".join(map(quoted_text, files))


def quoted_text(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def stored_columns(connection: duckdb.DuckDBPyConnection, table: LakeTable, source: str, files: Sequence[str]) -> frozenset[str] | None:
    """The columns that a table's files have; None: all. Only a table whose schema has changed may have files without some of them."""
    wanted = {column.name for column in table.columns}
    if table.schemas == 1:
        return _stored(table)
    newest = frozenset(
        connection.sql(f"FROM {read_parquet(f'[{quoted(files[-1:])}]', is_evolved=False)}").columns
    )  # the last day's file, mostly
    return newest if newest >= wanted else frozenset(connection.sql(f"FROM {source}").columns)


def _selected(column: LakeColumn, stored: frozenset[str] | None) -> str:
    name = quoted_name(column.name)
    if stored is None:
        return name
    if column.name not in stored:
        return _absent(column)
    return f"CAST({name} AS {column.type}) AS {name}" if column.is_nested else name


def _absent(column: LakeColumn) -> str:
    return f"CAST(NULL AS {column.type}) AS {quoted_name(column.name)}"


def _dataset(connection: duckdb.DuckDBPyConnection, table: LakeTable, settings: Settings) -> ds.Dataset:
    """The files as an Arrow dataset."""
    import pyarrow.dataset as ds  # imports pandas, which takes longer than most queries

    filesystem = file_system(settings, next(iter(table.files)))
    schema = connection.sql(f"FROM {select_from(table.columns, None)}").to_arrow_table().schema
    parquet = ds.ParquetFileFormat()
    fragments = [parquet.make_fragment(path_of(file), filesystem=filesystem, file_size=size) for file, size in table.files.items()]
    return ds.FileSystemDataset(fragments, schema, parquet, filesystem)
