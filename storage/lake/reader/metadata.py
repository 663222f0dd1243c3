"""Reads the tables' metadata files: their columns, and the data files of their snapshots."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa

from schemas.config.settings import Settings
from schemas.errors import NotFoundError
from schemas.tables import TABLES
from storage.lake.reader.column_types import Type, duckdb_type, is_nested
from storage.lake.reader.lake_objects import read_object
from storage.lake.reader.lake_table import LakeColumn, LakeTable
from storage.lake.reader.manifests import live_files

KEY = "crawlhouse.key"  # property of a dataset's table; tables without it in the namespace are not ours
RUN = "process_run"  # in the summary of the snapshot that a process run committed
EXPIRED = "crawlhouse.expired"  # property of a table from which rows were removed because of their age
NO_SNAPSHOT = -1  # what some writers of Iceberg write in place of none


class Snapshot(msgspec.Struct, frozen=True, rename="kebab"):
    """A snapshot, as a table's metadata lists it."""

    snapshot_id: int
    manifest_list: str
    timestamp_ms: int
    sequence_number: int = 0
    summary: dict[str, str] = {}

    @property
    def process_run(self) -> str | None:
        """The process run that committed it; None if it was maintenance."""
        return self.summary.get(RUN)


class TableMetadata(msgspec.Struct, frozen=True, rename="kebab"):
    """What is read of a table's metadata file."""

    current_schema_id: int
    schemas: list[dict[str, Any]]  # Any: Iceberg's own JSON
    current_snapshot_id: int | None = None
    snapshots: list[Snapshot] = []
    properties: dict[str, str] = {}


def read_metadata(settings: Settings, pointers: Mapping[str, str]) -> dict[str, TableMetadata]:
    """The metadata files of the lake's tables; of a built-in table that is not made yet it is empty. Raises OSError."""
    read = {name: msgspec.json.decode(read_object(settings, place), type=TableMetadata) for name, place in pointers.items()}
    built_in = {name: read.get(name, _empty()) for name in TABLES}
    return built_in | {name: metadata for name, metadata in read.items() if name not in TABLES and KEY in metadata.properties}


def tables_at(settings: Settings, found: Mapping[str, TableMetadata], snapshots: Mapping[str, int | None] | None) -> dict[str, LakeTable]:
    """The tables at these snapshots, or at the current ones. Raises as `storage.lake.reader.tables.read_tables`."""
    wanted = {name: metadata.current_snapshot_id for name, metadata in found.items()} if snapshots is None else snapshots
    return {name: _lake_table(settings, name, metadata, wanted.get(name)) for name, metadata in found.items()}


def _lake_table(settings: Settings, name: str, metadata: TableMetadata, snapshot_id: int | None) -> LakeTable:
    """A table with the columns of now and the data files of a snapshot."""
    columns, schemas = tuple(_columns(name, metadata)), len(metadata.schemas)
    has_expired = EXPIRED in metadata.properties
    if snapshot_id in {None, NO_SNAPSHOT}:
        return LakeTable(name, columns, {}, schemas, name not in TABLES, has_expired)
    snapshot = next((one for one in metadata.snapshots if one.snapshot_id == snapshot_id), None)
    if snapshot is None:
        raise NotFoundError(f"The table '{name}' has no snapshot {snapshot_id} any more: snapshots are kept for some days only.")
    return LakeTable(name, columns, live_files(settings, name, snapshot.manifest_list), schemas, name not in TABLES, has_expired)


def _empty() -> TableMetadata:
    return TableMetadata(0, [{"schema-id": 0, "fields": []}])


def _columns(name: str, metadata: TableMetadata) -> Iterator[LakeColumn]:
    """The table's columns; of a built-in one also those that only this release has."""
    schema = next(one for one in metadata.schemas if one.get("schema-id", 0) == metadata.current_schema_id)
    for field in schema["fields"]:
        yield _column(field["name"], field["type"], field["id"])
    stored = {field["name"] for field in schema["fields"]}
    for field in TABLES.get(name, ()):
        if field.name not in stored:
            yield LakeColumn(field.name, arrow_type(field.type), pa.types.is_nested(field.type), is_stored=False)


def _column(name: str, kind: Type, field_id: int) -> LakeColumn:
    return LakeColumn(name, duckdb_type(kind), is_nested(kind), field_id=field_id)


def arrow_type(kind: pa.DataType) -> str:
    """DuckDB's type for one of our own columns, after Iceberg has stored it."""
    if pa.types.is_list(kind):
        return f"{arrow_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{json.dumps(field.name)} {arrow_type(field.type)}' for field in kind)})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP WITH TIME ZONE"
    return _ARROW[str(kind)]


_ARROW = {
    "string": "VARCHAR",
    "bool": "BOOLEAN",
    "int8": "INTEGER",  # Iceberg has no smaller integers
    "int16": "INTEGER",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "binary": "BLOB",
    "date32[day]": "DATE",
}
