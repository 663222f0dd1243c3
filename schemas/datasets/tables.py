"""A dataset's Arrow schemas: of its table in the lake, and of its staged rows. Both are derived from the definition."""

from __future__ import annotations

import pyarrow as pa

from schemas.datasets.dataset import Dataset
from schemas.datasets.field_types import FieldType, Kind
from schemas.datasets.names import BUILT_IN
from schemas.tables import POINTER_FIELDS, RUN_FIELDS, TABLES, TIMESTAMP

DOC = b"doc"  # the key under which Iceberg's readers find a column's description
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


def _field(name: str, kind: pa.DataType, description: str, *, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={DOC: description.encode()})


HISTORY_FIELDS = [
    _field("row_id", pa.string(), "Digest of the row's key: the same for every version of a row."),
    _field("version", pa.int32(), "Number of the version of this row, from 1; of observations the number of the visit."),
    _field("first_seen", TIMESTAMP, "When a row of this key was first fetched."),
    _field("changed", pa.list_(pa.string()), "The fields that differ from the version before; empty in a first version.", nullable=True),
]
PLACE_FIELDS = [
    _field("url", pa.string(), "The page that the row is from."),
    _field("host", pa.string(), "The host of that page, with its port if that is not the usual one."),
    _field("fetched_at", TIMESTAMP, "When the page was fetched."),
    _field("position", pa.int32(), "The place of the row among those of its page, from 0."),
]
POINTER_DOCS = {
    "warc_filename": "The WARC file that holds the page, as a key of the object store.",
    "warc_record_offset": "Where the record begins in that file, in bytes.",
    "warc_record_length": "The length of the record in that file, in bytes.",
    "content_digest": "SHA-1 of the payload, as in WARC-Payload-Digest.",
}
RUN_DOCS = {
    "crawl": "The crawl that fetched the page.",
    "crawl_run": "The crawl run that fetched the page.",
    "process_run": "The process run that made the row.",
    "code_version": "The version of the code that made the row.",
    "ingested_at": "When the row was published.",
    "sequence": "The number of the publish; it grows over all crawls.",
}


def table_schema(dataset: Dataset) -> pa.Schema:
    """The Arrow schema of a dataset's table, with descriptions as Iceberg keeps them. Of `articles`: its table's with the fields added."""
    if dataset.name in BUILT_IN:
        return pa.schema([*TABLES[dataset.name], *user_fields(dataset)])
    documented = [
        *(_documented(field, POINTER_DOCS) for field in POINTER_FIELDS),
        *(_documented(field, RUN_DOCS) for field in RUN_FIELDS),
    ]
    return pa.schema([*HISTORY_FIELDS, *user_fields(dataset), *PLACE_FIELDS, *documented])


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
    return [
        _field(name, arrow_type(field.field_type), _description(dataset, name), nullable=True) for name, field in dataset.fields.items()
    ]


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


def _description(dataset: Dataset, name: str) -> str:
    field = dataset.fields[name]
    unit = f"in {field.unit}" if field.unit and field.unit not in dataset.fields else f"unit in {field.unit}" if field.unit else ""
    words = [field.description, f"({unit})" if unit else "", "(JSON)" if field.field_type.kind is Kind.JSON else ""]
    return " ".join(word for word in words if word)


def _documented(field: pa.Field, docs: dict[str, str]) -> pa.Field:
    return field.with_metadata({DOC: docs[field.name].encode()})
