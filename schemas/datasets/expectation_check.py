"""Expectations beside the columns that they name: which columns there are, and which types an expectation can judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches

import pyarrow as pa

from schemas.datasets.dataset import Dataset
from schemas.datasets.expectation import Drift, Expectation
from schemas.datasets.expectation_types import condition_names
from schemas.datasets.tables import table_schema

Location = tuple[str | int, ...]
SET_AT_PUBLISH = frozenset({"ingested_at", "sequence"})  # rows are judged before they have these
OF_TEXTS = frozenset(
    {
        "expect_column_value_lengths_to_be_between",
        "expect_column_value_lengths_to_equal",
        "expect_column_values_to_be_dateutil_parseable",
        "expect_column_values_to_be_json_parseable",
        "expect_column_values_to_match_json_schema",
        "expect_column_values_to_match_regex",
        "expect_column_values_to_match_regex_list",
        "expect_column_values_to_match_strftime_format",
        "expect_column_values_to_not_match_regex",
        "expect_column_values_to_not_match_regex_list",
    }
)
OF_NUMBERS = frozenset(
    {
        "expect_column_mean_to_be_between",
        "expect_column_median_to_be_between",
        "expect_column_quantile_values_to_be_between",
        "expect_column_stdev_to_be_between",
        "expect_column_sum_to_be_between",
        "expect_column_value_z_scores_to_be_less_than",
        "expect_column_values_to_not_be_outliers",
        "expect_multicolumn_sum_to_equal",
    }
)

# Arguments that are compared with the values of the column: one value, or a list of them.
COMPARED = {
    "expect_column_max_to_be_between": ("min_value", "max_value"),
    "expect_column_min_to_be_between": ("min_value", "max_value"),
    "expect_column_values_to_be_between": ("min_value", "max_value"),
    "expect_column_distinct_values_to_be_in_set": ("value_set",),
    "expect_column_distinct_values_to_contain_set": ("value_set",),
    "expect_column_distinct_values_to_equal_set": ("value_set",),
    "expect_column_most_common_value_to_be_in_set": ("value_set",),
    "expect_column_values_to_be_in_set": ("value_set",),
    "expect_column_values_to_not_be_in_set": ("value_set",),
}


def expectation_mistakes(
    dataset: Dataset, expectations: Sequence[Expectation], drifts: Sequence[Drift], place: Location = ()
) -> Iterator[tuple[Location, str]]:
    """Which expectations and drifts cannot judge the rows of a dataset, as the keys to them after `place`, and why."""
    columns = {field.name: field.type for field in table_schema(dataset) if field.name not in SET_AT_PUBLISH}
    from_class = dataset.may_have_more_fields and not dataset.is_built_in  # a plan, which knows the class, says what is no column
    for number, one in enumerate(expectations):
        if from_class and not set(one.columns()) <= set(columns):
            continue
        for problem in _problems_of_expectation(one, columns):
            yield ("expectations", *place, number), problem
    for number, drift in enumerate(drifts):
        if from_class and drift.column not in columns:
            continue
        for problem in _problems_of_drift(drift, columns):
            yield ("drift", *place, number), problem


def crawl_mistakes(
    datasets: Mapping[str, Dataset], expectations: Mapping[str, Sequence[Expectation]], drift: Mapping[str, Sequence[Drift]]
) -> Iterator[tuple[Location, str]]:
    """The same for the expectations and drifts of a crawl, by dataset."""
    for name in sorted({*expectations, *drift} & set(datasets)):
        yield from expectation_mistakes(datasets[name], expectations.get(name, ()), drift.get(name, ()), (name,))


def _problems_of_expectation(one: Expectation, columns: Mapping[str, pa.DataType]) -> Iterator[str]:
    for name in one.columns():
        if name not in columns:
            yield f"{one.type} names the column {name!r}, {_no_column(name, columns)}"
        elif one.type in OF_TEXTS and not _is_text(columns[name]):
            yield f"{one.type} judges texts, and {name!r} is {columns[name]}"
        elif one.type in OF_NUMBERS and not _is_number(columns[name]):
            yield f"{one.type} judges numbers, and {name!r} is {columns[name]}"
        else:
            yield from _incomparable(one, name, columns[name])
    condition = one.kwargs.get("row_condition")
    if condition is not None and not set(condition_names(condition)) & set(columns):
        yield f"the row_condition of {one.type} names no column: {condition!r}"


def _incomparable(one: Expectation, name: str, kind: pa.DataType) -> Iterator[str]:
    """Arguments of another type than the column's values: they could never be met, or never be broken."""
    for argument in COMPARED.get(one.type, ()):
        given = one.kwargs.get(argument)
        for value in given if isinstance(given, (list, tuple)) else (given,):
            if value is not None and not _is_comparable(value, kind):
                yield f"the argument {argument!r} of {one.type} has {value!r}, which cannot be compared with {name!r}: it is {kind}"
                break


def _is_comparable(value: object, kind: pa.DataType) -> bool:
    if _is_number(kind):
        return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    if pa.types.is_boolean(kind):
        return isinstance(value, bool)
    if pa.types.is_temporal(kind):
        return isinstance(value, date) or (isinstance(value, str) and _is_iso_time(value))
    return isinstance(value, str) or not (pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_iso_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _problems_of_drift(drift: Drift, columns: Mapping[str, pa.DataType]) -> Iterator[str]:
    if drift.column is None:
        return
    if drift.column not in columns:
        yield f"{drift.measure} names the column {drift.column!r}, {_no_column(drift.column, columns)}"
        return
    kind = columns[drift.column]
    if drift.measure == "mean" and not _is_number(kind):
        yield f"only numbers have a mean, and {drift.column!r} is {kind}; of texts and booleans there is the 'distribution'"
    if drift.measure == "distribution" and not (_is_number(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind)):
        yield f"numbers, texts and booleans have a distribution, and {drift.column!r} is {kind}"


def _no_column(name: str, columns: Mapping[str, pa.DataType]) -> str:
    near = get_close_matches(name, columns, n=1)
    return f"which is none; did you mean {near[0]!r}?" if near else f"which is none; there are {', '.join(columns)}"


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_text(kind: pa.DataType) -> bool:
    """Texts, and what is judged as its JSON."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_nested(kind))
