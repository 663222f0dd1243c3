"""DuckDB's names of Iceberg's types.

Source: Iceberg table specification, appendix C (JSON of schemas): https://iceberg.apache.org/spec/#schemas
"""

from __future__ import annotations

import re
from typing import Any

Type = str | dict[str, Any]  # Any: Iceberg's own JSON of a nested type

SIMPLE = {
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ns": "TIMESTAMP_NS",
    "timestamptz_ns": "TIMESTAMP WITH TIME ZONE",
    "string": "VARCHAR",
    "binary": "BLOB",
    "uuid": "UUID",
}
DECIMAL = re.compile(r"decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)")


def duckdb_type(kind: Type) -> str:
    """The type in DuckDB's SQL. Raises ValueError for one that DuckDB does not have."""
    if isinstance(kind, dict):
        return _nested_type(kind)
    if found := DECIMAL.fullmatch(kind):
        return f"DECIMAL({found[1]}, {found[2]})"
    if kind.startswith("fixed["):
        return "BLOB"
    if kind not in SIMPLE:
        raise ValueError(f"there is no type for Iceberg's {kind!r}")
    return SIMPLE[kind]


def is_nested(kind: Type) -> bool:
    """Whether the type is a list, a structure or a map."""
    return isinstance(kind, dict)


def _nested_type(kind: dict[str, Any]) -> str:
    match kind["type"]:
        case "list":
            return f"{duckdb_type(kind['element'])}[]"
        case "map":
            return f"MAP({duckdb_type(kind['key'])}, {duckdb_type(kind['value'])})"
        case "struct":
            return f"STRUCT({', '.join(_member(field) for field in kind['fields'])})"
        case other:
            raise ValueError(f"there is no type for Iceberg's {other!r}")


def quoted_name(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _member(field: dict[str, Any]) -> str:
    return f"{quoted_name(field['name'])} {duckdb_type(field['type'])}"
