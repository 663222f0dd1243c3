"""A dataset's Arrow schemas: of its table in the lake, and of its staged rows. Both are derived from the definition."""

from __future__ import annotations

import pyarrow as pa

from schemas import column_docs
from schemas.column_docs import ColumnDoc
from schemas.datasets.dataset import Dataset
from schemas.datasets.field_types import FieldType, Kind
from schemas.tables import POINTER_FIELDS, RUN_FIELDS, TABLES, TIMESTAMP, documented
from schemas.yaml_files.dataset_names import BUILT_IN

ROW_JSON = "row_json"
_SIMPLE = {
    Kind.STRING: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: TIMESTAMP,
    Kind.JSON: pa.string(),
}


HISTORY_FIELDS = documented(
    [
        pa.field("row_id", pa.string(), nullable=False),
        pa.field("version", pa.int32(), nullable=False),
        pa.field("first_seen", TIMESTAMP, nullable=False),
        pa.field("changed", pa.list_(pa.string())),
    ],
    column_docs.HISTORY,
)
PLACE_FIELDS = documented(
    [
        pa.field("url", pa.string(), nullable=False),
        pa.field("host", pa.string(), nullable=False),
        pa.field("fetched_at", TIMESTAMP, nullable=False),
        pa.field("position", pa.int32(), nullable=False),
    ],
    column_docs.ORIGIN,
)


def table_schema(dataset: Dataset) -> pa.Schema:
    """The Arrow schema of a dataset's table, with descriptions as Iceberg keeps them. Of `articles`: its table's with the fields added."""
    if dataset.name in BUILT_IN:
        return pa.schema([*TABLES[dataset.name], *user_fields(dataset)])
    origin = documented([*POINTER_FIELDS, *RUN_FIELDS], column_docs.POINTER | column_docs.RUNNING)
    return pa.schema([*HISTORY_FIELDS, *user_fields(dataset), *PLACE_FIELDS, *origin])


def staging_schema(dataset: Dataset) -> pa.Schema:
    """The Arrow schema of a dataset's staged rows, as its source made them: one row of the table each, or a row that does not fit.

    `bucket` is the host's. A row that does not fit has a `rule` and a `detail`, and is stored whole in `row_json`.
    """
    return pa.schema(
        [
            pa.field("bucket", pa.int16(), nullable=False),
            pa.field("row_id", pa.string()),
            *user_fields(dataset),
            *PLACE_FIELDS,
            *POINTER_FIELDS,
            pa.field("crawl_run", pa.string(), nullable=False),
            pa.field("rule", pa.string()),
            pa.field("detail", pa.string()),
            pa.field(ROW_JSON, pa.string()),
        ]
    )


def user_fields(dataset: Dataset) -> list[pa.Field]:
    """The columns of the dataset's own fields, in their order; each may be NULL."""
    fields = [pa.field(name, arrow_type(field.field_type)) for name, field in dataset.fields.items()]
    return documented(fields, {name: _doc(dataset, name) for name in dataset.fields})


def arrow_type(kind: FieldType) -> pa.DataType:
    """The Arrow type of a field's type."""
    if kind.kind is Kind.DECIMAL:
        return pa.decimal128(kind.precision, kind.scale)
    if kind.element is not None:
        return pa.list_(arrow_type(kind.element))
    if kind.members:
        return pa.struct([pa.field(name, arrow_type(member)) for name, member in kind.members])
    return _SIMPLE[kind.kind]


def stored_types(schema: pa.Schema, name: str = "") -> dict[str, FieldType]:
    """The types of a stored table's own fields by name, without the columns that every dataset has, or the built-in one `name`."""
    built_in = TABLES[name] if name in BUILT_IN else (*HISTORY_FIELDS, *PLACE_FIELDS, *POINTER_FIELDS, *RUN_FIELDS)
    common = {field.name for field in built_in}
    return {field.name: field_type(field.type) for field in schema if field.name not in common}


def field_type(kind: pa.DataType) -> FieldType:
    """The field's type behind an Arrow type; JSON is a text there. Raises ValueError for a type that no field has."""
    if pa.types.is_decimal(kind):
        return FieldType(Kind.DECIMAL, kind.precision, kind.scale)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return FieldType(Kind.LIST, element=field_type(kind.value_type))
    if pa.types.is_struct(kind):
        members = [kind.field(place) for place in range(kind.num_fields)]
        return FieldType(Kind.STRUCT, members=tuple((member.name, field_type(member.type)) for member in members))
    if pa.types.is_large_string(kind):
        return FieldType(Kind.STRING)
    for name, arrow in _SIMPLE.items():
        if arrow == kind:
            return FieldType(name)
    raise ValueError(f"no field of a dataset has the Arrow type {kind}")


def _doc(dataset: Dataset, name: str) -> ColumnDoc:
    field = dataset.fields[name]
    json = "(JSON)" if field.field_type.kind is Kind.JSON else ""
    unit = f"as in {field.unit}" if field.unit in dataset.fields else field.unit or ""
    source = column_docs.STEP_SOURCE if dataset.is_built_in else column_docs.FIELD_SOURCE
    return ColumnDoc(" ".join(word for word in (field.description, json) if word), source, unit)
