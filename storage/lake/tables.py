"""The lake's tables in Iceberg: schema, partitions, sort order and properties. They are created when they are first used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import Lock

import pyarrow as pa
import sqlalchemy as sa
from cachetools import LRUCache
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError
from pyiceberg.io import load_file_io
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.transforms import DayTransform, IdentityTransform

from schemas.errors import NotFoundError, UnavailableError
from schemas.tables import DOC, TABLES
from storage.lake.catalog import NAMESPACE
from storage.lake.parquet.layout import COMPRESSION, COMPRESSION_LEVEL, ROW_GROUP_ROWS

PARTITION_COLUMN = "fetched_at"  # partitioned by its day; a table without this column is not partitioned
SORT_ORDERS = (("host", "url"), ("dataset", "row_id"))  # a table has the first of them whose columns it has
KEY = "crawlhouse.key"  # property of a dataset's table: its key columns as JSON. Tables without it in the namespace are not ours
CACHED_METADATA = 32  # a few states of each table: Iceberg gives each metadata file a name of its own, and never changes it
EVOLUTION_ATTEMPTS = 20  # while other processes change the table
PROPERTIES = {
    "commit.retry.num-retries": "20",
    "commit.retry.min-wait-ms": "50",
    "commit.retry.max-wait-ms": "2000",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
    # rows are only added: so a rewrite of files conflicts only with a rewrite of the same files
    "write.delete.isolation-level": "snapshot",
    "write.update.isolation-level": "snapshot",
    "write.parquet.compression-codec": COMPRESSION,
    "write.parquet.compression-level": str(COMPRESSION_LEVEL),
    "write.parquet.row-group-limit": str(ROW_GROUP_ROWS),
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.metadata.metrics.default": "truncate(16)",
    "write.metadata.metrics.column.text": "none",
    "write.metadata.metrics.column.minhash": "none",
    "write.metadata.metrics.column.statistics": "none",
}


def load_table(catalog: SqlCatalog, name: str, warehouse: str) -> Table:
    """One of the lake's tables as it is now.

    A built-in one is created, or given new columns, if necessary. Raises NotFoundError for a name that no table has.
    """
    location = _locations(catalog, IcebergTables.table_name == name).get(name)
    if location is not None:
        table = _read_table(catalog, name, location)
    elif name not in TABLES:
        raise NotFoundError(f"There is no table {name!r}. The lake has {', '.join(TABLES)}, and one for each dataset.")
    else:
        table = create_table(catalog, name, TABLES[name], warehouse, PROPERTIES)
    return with_columns(catalog, table, TABLES[name]) if name in TABLES else table


def load_tables(catalog: SqlCatalog, warehouse: str) -> dict[str, Table]:
    """All tables at one time: the built-in ones, then those of datasets by name. Tables of others in the namespace are left out."""
    found = _locations(catalog)  # one statement: a run that is published meanwhile is in all of them, or in none
    tables = {name: _read_table(catalog, name, found[name]) for name in sorted(found)}
    built_in = {
        name: with_columns(catalog, tables[name], TABLES[name]) if name in tables else load_table(catalog, name, warehouse)
        for name in TABLES
    }
    return built_in | {name: table for name, table in tables.items() if name not in TABLES and is_dataset_table(table)}


def is_dataset_table(table: Table) -> bool:
    """Whether a table that is not built in is a dataset's; others may have made tables in the catalog too."""
    return KEY in table.properties


def _locations(catalog: SqlCatalog, *conditions: sa.ColumnElement[bool]) -> dict[str, str]:
    """Where the current metadata of our tables are, by name."""
    places = sa.select(IcebergTables.table_name, IcebergTables.metadata_location).where(
        IcebergTables.catalog_name == catalog.name, IcebergTables.table_namespace == NAMESPACE, *conditions
    )
    with catalog.engine.connect() as connection:
        return {name: location for name, location in connection.execute(places) if location}


def remember_metadata(location: str, metadata: TableMetadata) -> None:
    """Keep a metadata file's contents that were just written, so that this process need not read them."""
    with _known_lock:
        _known_metadata[location] = metadata


def _read_table(catalog: SqlCatalog, name: str, location: str) -> Table:
    with _known_lock:
        metadata = _known_metadata.get(location)
    if metadata is None:
        metadata = FromInputFile.table_metadata(load_file_io(catalog.properties, location).new_input(location))
        remember_metadata(location, metadata)
    return Table((NAMESPACE, name), metadata, location, load_file_io({**catalog.properties, **metadata.properties}, location), catalog)


_known_metadata: LRUCache[str, TableMetadata] = LRUCache(CACHED_METADATA)
_known_lock = Lock()


def outdated_columns(table: Table, schema: pa.Schema) -> list[str]:
    """The columns that a table of an earlier release lacks, wholly or a part of, or that must have a value there and may be NULL now."""
    stored = {field.name: field for field in table.schema().fields}
    names = set(table.schema().column_names)
    return [
        field.name
        for field in schema
        if field.name not in stored or (field.nullable and stored[field.name].required) or not set(_parts(field.name, field.type)) <= names
    ]


def _parts(name: str, kind: pa.DataType) -> Iterator[str]:
    """The full names of a column's parts, as Iceberg names them."""
    if pa.types.is_list(kind):
        yield from _parts(f"{name}.element", kind.value_type)
    elif pa.types.is_struct(kind):
        for field in kind:
            yield f"{name}.{field.name}"
            yield from _parts(f"{name}.{field.name}", field.type)


def undocumented_columns(table: Table, schema: pa.Schema) -> list[str]:
    """The columns that are not described in a table of an earlier release."""
    without = {field.name for field in table.schema().fields if not field.doc}
    return [field.name for field in schema if field.name in without and (field.metadata or {}).get(DOC)]


def with_columns(catalog: SqlCatalog, table: Table, schema: pa.Schema) -> Table:
    """The table with all columns of a schema, and their descriptions; new columns are NULL in older rows.

    Raises UnavailableError if others keep changing it.
    """
    name = table.name()[-1]
    for _ in range(EVOLUTION_ATTEMPTS):
        if not outdated_columns(table, schema) and not undocumented_columns(table, schema):
            return table
        try:
            with table.update_schema() as update:
                update.union_by_name(schema)
        except CommitFailedException:  # another process has just added them, or rows
            table = catalog.load_table((NAMESPACE, name))
    raise UnavailableError(f"The table '{name}' cannot get its new columns: other processes keep changing it. Stop them, then run again.")


def outdated_properties(table: Table) -> dict[str, str]:
    """The properties of this release that a table of an earlier release lacks or has with another value."""
    return {key: value for key, value in PROPERTIES.items() if table.properties.get(key) != value}


def sort_columns(names: list[str]) -> tuple[str, ...]:
    """The columns by which the rows of a table with these columns are sorted within each file."""
    return next((order for order in SORT_ORDERS if set(order) <= set(names)), ())


def create_table(catalog: SqlCatalog, name: str, schema: pa.Schema, warehouse: str, properties: Mapping[str, str]) -> Table:
    """A new table, or the one that another process has just created."""
    location = f"{warehouse}/{name}"
    try:
        with catalog.create_table_transaction((NAMESPACE, name), schema, location=location, properties=dict(properties)) as creation:
            if PARTITION_COLUMN in schema.names:
                with creation.update_spec() as spec:
                    spec.add_field(PARTITION_COLUMN, DayTransform(), "fetched_day")
            if columns := sort_columns(schema.names):
                with creation.update_sort_order() as order:
                    for column in columns:
                        order.asc(column, IdentityTransform())
    except (TableAlreadyExistsError, CommitFailedException):
        if not catalog.table_exists((NAMESPACE, name)):
            raise
        # another process has just created it
    return catalog.load_table((NAMESPACE, name))
