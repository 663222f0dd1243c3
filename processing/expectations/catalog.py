"""Write the table of expectations from the installed package: `python -m processing.expectations.catalog > .../types.json`.

A test compares `schemas/expectations/types.json` with what this says, so that a new version of Great Expectations cannot differ unseen.
"""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

COMMON = frozenset(
    {
        "batch_id", "catch_exceptions", "description", "id", "library_metadata", "meta", "notes", "rendered_content", "result_format",
        "severity", "windows",
    }
)  # fmt: skip
WHOLE_COLUMN = frozenset(  # they report rows, but compare each with the others
    {
        "expect_column_value_z_scores_to_be_less_than",
        "expect_column_values_to_be_decreasing",
        "expect_column_values_to_be_increasing",
        "expect_column_values_to_be_unique",
        "expect_column_values_to_not_be_outliers",
        "expect_compound_columns_to_be_unique",
    }
)
FIXED = "the columns and types of a dataset are those of its definition"
REFUSED = {
    "expect_column_to_exist": FIXED,
    "expect_column_type_to_be": FIXED,
    "expect_column_values_to_be_in_type_list": FIXED,
    "expect_column_values_to_be_of_type": FIXED,
    "expect_table_column_count_to_be_between": FIXED,
    "expect_table_column_count_to_equal": FIXED,
    "expect_table_columns_to_match_ordered_list": FIXED,
    "expect_table_columns_to_match_set": FIXED,
    "expect_table_row_count_to_equal_other_table": "it needs a second table",
}
NEEDS_SQL = "it needs a table in an SQL database, and rows are judged before they are in one"
_TYPES: dict[Any, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", set: "array", dict: "object"}


def catalog() -> dict[str, Any]:
    """The expectations that judge data frames, with their arguments, and why the others are refused."""
    import great_expectations as gx
    from great_expectations.expectations.registry import get_expectation_impl, list_registered_expectation_implementations

    gx.get_context(mode="ephemeral")  # importing it registers the metrics
    found = {name: get_expectation_impl(name) for name in sorted(list_registered_expectation_implementations())}
    needs_sql = {name: NEEDS_SQL for name, one in found.items() if name not in REFUSED and not _judges_frames(one)}
    refused = {**REFUSED, **needs_sql}
    types = {name: {"rows": _rows(name, one), "arguments": _arguments(one)} for name, one in found.items() if name not in refused}
    return {"types": types, "refused": dict(sorted(refused.items()))}


def as_text(data: dict[str, Any]) -> str:
    """The catalog as JSON, an expectation a line."""
    parts = []
    for part, entries in data.items():
        lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry, sort_keys=True)}" for name, entry in entries.items())
        parts.append(f" {json.dumps(part)}: {{\n{lines}\n }}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _judges_frames(expectation: Any) -> bool:
    """Whether all metrics of an expectation can be computed of a pandas data frame."""
    from great_expectations.expectations.registry import _registered_metrics

    row_metric = getattr(expectation, "map_metric", None)
    names = [f"{row_metric}.condition"] if row_metric else list(getattr(expectation, "metric_dependencies", ()) or ())
    return all("PandasExecutionEngine" in _registered_metrics.get(name, {}).get("providers", {}) for name in names)


def _rows(name: str, expectation: Any) -> Literal["one", "all", "no"]:
    """Whether it reports rows and, if so, whether it judges one row alone."""
    if not getattr(expectation, "map_metric", None):
        return "no"
    return "all" if name in WHOLE_COLUMN else "one"


def _arguments(expectation: Any) -> dict[str, Any]:
    return {name: _argument(name, one) for name, one in sorted(expectation.__fields__.items()) if name not in COMMON}


def _argument(name: str, field: Any) -> dict[str, Any]:
    if name == "row_condition":  # the other forms are objects of Great Expectations
        return {"types": ["string"]}
    if name == "condition_parser":
        return {"types": ["string"], "choices": ["great_expectations", "pandas"]}
    types, choices = _types_of(field.outer_type_)
    if len(types) > 1:
        types.discard("object")  # a parameter that Great Expectations fills in at run time; there is none here
    described: dict[str, Any] = {"required": True} if field.required else {}
    described["types"] = sorted(types)
    return {**described, "choices": sorted(choices)} if choices and types == {"string"} else described


def _types_of(kind: Any) -> tuple[set[str], set[str]]:
    """The JSON types of an annotation, and the values of its Literal."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _types_of(inner[0])
    if origin is Literal:
        return {"string"}, {str(one) for one in inner}
    if origin in {Union, UnionType}:
        types: set[str] = set()
        choices: set[str] = set()
        for one in inner:
            more_types, more_choices = _types_of(one)
            types, choices = types | more_types, choices | more_choices
        return types, choices
    if origin is not None:
        return {"array"}, set()
    return _type_of_class(kind), set()


def _type_of_class(kind: Any) -> set[str]:
    if kind is type(None):
        return set()
    if kind in {date, datetime}:
        return {"date"}
    return {next((name for known, name in _TYPES.items() if isinstance(kind, type) and issubclass(kind, known)), "object")}


if __name__ == "__main__":
    sys.stdout.write(as_text(catalog()))
