"""The tables of users' datasets: made from their definitions, changed in place as a definition gains fields or widens types."""

from __future__ import annotations

import json

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from schemas.datasets.dataset import Dataset
from schemas.datasets.evolution import compare_fields, compare_identity
from schemas.datasets.tables import stored_types, table_schema
from schemas.errors import ConfigError, UnavailableError
from schemas.tables import DOC
from storage.lake.catalog import NAMESPACE
from storage.lake.tables import EVOLUTION_ATTEMPTS, KEY, PROPERTIES, create_table, is_dataset_table, outdated_columns

COMMENT = "comment"  # what Spark and Trino show as a table's description
HISTORY = "crawlhouse.history"  # property of a dataset's table: its history mode


def history_of(table: Table) -> str:
    """The history mode of a dataset's table."""
    return str(table.properties.get(HISTORY, "changes"))


def ensure_dataset_table(catalog: SqlCatalog, dataset: Dataset, warehouse: str) -> Table:
    """The table of a dataset with all of its columns: created, or changed in place; older rows are NULL in new columns.

    Raises ConfigError for a definition that does not fit the table, with the way out; UnavailableError if others keep changing it.
    """
    schema, properties = table_schema(dataset), _properties(dataset)
    for _ in range(EVOLUTION_ATTEMPTS):
        try:
            table = catalog.load_table((NAMESPACE, dataset.name))
        except NoSuchTableError:
            table = create_table(catalog, dataset.name, schema, warehouse, PROPERTIES | properties)
        try:
            refuse_misfit(table, dataset)
            return _evolved(table, dataset, schema, properties)
        except CommitFailedException:
            continue  # another process has just changed it
    raise UnavailableError(f"The table '{dataset.name}' cannot be changed: other processes keep changing it. Stop them, then run again.")


def _properties(dataset: Dataset) -> dict[str, str]:
    if dataset.is_built_in:
        return {}
    return {KEY: json.dumps(dataset.key), HISTORY: dataset.history, COMMENT: " ".join(dataset.description.split())}


def _stored_schema(table: Table) -> pa.Schema:
    return schema_to_pyarrow(table.schema(), include_field_ids=False)


def fields_of(table: Table) -> dict[str, str]:
    """The types of a dataset's own fields in its table."""
    return {name: str(kind) for name, kind in stored_types(_stored_schema(table), table.name()[-1]).items()}


def refuse_misfit(table: Table, dataset: Dataset) -> None:
    """Raises ConfigError for a definition that the table cannot take on in place."""
    if not dataset.is_built_in and not is_dataset_table(table):
        raise ConfigError(
            f"The dataset {dataset.name!r} cannot have its table: another program made a table of this name. Rename the file."
        )
    refused = list(compare_fields(stored_types(_stored_schema(table), dataset.name), dataset).refused)
    if not dataset.is_built_in:
        refused += compare_identity(json.loads(table.properties[KEY]), history_of(table), dataset)
    if refused:
        raise ConfigError(f"The dataset {dataset.name!r} does not fit its table: {' '.join(refused)}")


def _evolved(table: Table, dataset: Dataset, schema: pa.Schema, properties: dict[str, str]) -> Table:
    """The table with the definition's columns, descriptions and history. Raises CommitFailedException if another process changed it."""
    changes = compare_fields(stored_types(_stored_schema(table), dataset.name), dataset)
    is_current = not changes.widened and not outdated_columns(table, schema) and not _outdated_docs(table, schema)
    new_properties = {key: value for key, value in properties.items() if table.properties.get(key) != value}
    if is_current and not new_properties:
        return table
    with table.transaction() as transaction:
        if new_properties:
            transaction.set_properties(new_properties)
        if not is_current:
            with transaction.update_schema() as update:
                update.union_by_name(schema)
    return table


def _outdated_docs(table: Table, schema: pa.Schema) -> bool:
    """Whether a column is described in other words than the definition's."""
    stored = {field.name: (field.doc or "").encode() for field in table.schema().fields}
    return any(stored[field.name] != (field.metadata or {}).get(DOC, b"") for field in schema if field.name in stored)
