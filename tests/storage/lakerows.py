"""Rows for the lake's tables; every required column has a value."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from schemas.tables import TABLES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def table_of(name: str, *rows: dict[str, object]) -> pa.Table:
    """Rows of a table from the columns that a test needs; the other columns get a plain value."""
    return rows_of(TABLES[name], *rows)


def rows_of(schema: pa.Schema, *rows: dict[str, object]) -> pa.Table:
    """Rows of a table with this schema, in the same way."""
    return pa.Table.from_pylist([{**_plain(schema), **row} for row in rows], schema=schema)


def _plain(schema: pa.Schema) -> dict[str, object]:
    return {field.name: _value(field) for field in schema if not field.nullable}


def _value(field: pa.Field) -> object:
    if pa.types.is_string(field.type):
        return field.name
    return NOON if pa.types.is_timestamp(field.type) else 1
