"""The lake's tables in Iceberg: schema, partitions, sort order and properties. They are created when they are first used."""

from __future__ import annotations

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.table import Table
from pyiceberg.transforms import DayTransform, IdentityTransform

from schemas.errors import NotFoundError, UnavailableError
from schemas.tables import TABLES
from storage.lake.catalog import NAMESPACE

PARTITION_COLUMN = "fetched_at"  # partitioned by its day; a table without this column is not partitioned
SORT_COLUMNS = ("host", "url")
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
    "write.parquet.compression-codec": "zstd",
    "write.parquet.compression-level": "3",
    "write.parquet.row-group-limit": "20000",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.metadata.metrics.default": "truncate(16)",
    "write.metadata.metrics.column.text": "none",
    "write.metadata.metrics.column.minhash": "none",
    "write.metadata.metrics.column.statistics": "none",
}


def load_table(catalog: SqlCatalog, name: str, warehouse: str) -> Table:
    """One of the lake's tables as it is now; created, or given new columns, if necessary. Raises NotFoundError for an unknown name."""
    if name not in TABLES:
        raise NotFoundError(f"There is no table {name!r}. The lake has {', '.join(TABLES)}.")
    try:
        table = catalog.load_table((NAMESPACE, name))
    except NoSuchTableError:
        table = _create(catalog, name, warehouse)
    return add_columns(catalog, table, name)


def missing_columns(table: Table, name: str) -> list[pa.Field]:
    """The columns that a table of an earlier release lacks."""
    return [field for field in TABLES[name] if field.name not in table.schema().column_names]


def add_columns(catalog: SqlCatalog, table: Table, name: str) -> Table:
    """The table with all columns of this release; new ones are empty in older rows. Raises UnavailableError if others keep changing it."""
    for _ in range(EVOLUTION_ATTEMPTS):
        missing = missing_columns(table, name)
        if not missing:
            return table
        try:
            with table.update_schema() as update:
                update.union_by_name(pa.schema([*table.schema().as_arrow(), *missing]))
        except CommitFailedException:  # another process has just added them, or rows
            table = catalog.load_table((NAMESPACE, name))
    raise UnavailableError(f"The table '{name}' cannot get its new columns: other processes keep changing it. Stop them, then run again.")


def outdated_properties(table: Table) -> dict[str, str]:
    """The properties of this release that a table of an earlier release lacks or has with another value."""
    return {key: value for key, value in PROPERTIES.items() if table.properties.get(key) != value}


def _create(catalog: SqlCatalog, name: str, warehouse: str) -> Table:
    schema = TABLES[name]
    location = f"{warehouse}/{name}"
    try:
        with catalog.create_table_transaction((NAMESPACE, name), schema, location=location, properties=PROPERTIES) as creation:
            if PARTITION_COLUMN in schema.names:
                with creation.update_spec() as spec:
                    spec.add_field(PARTITION_COLUMN, DayTransform(), "fetched_day")
            if set(SORT_COLUMNS) <= set(schema.names):
                with creation.update_sort_order() as order:
                    for column in SORT_COLUMNS:
                        order.asc(column, IdentityTransform())
    except (TableAlreadyExistsError, CommitFailedException):
        if not catalog.table_exists((NAMESPACE, name)):
            raise
        # another process has just created it
    return catalog.load_table((NAMESPACE, name))
