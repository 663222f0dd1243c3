"""Expectations of datasets, judged by the real Great Expectations."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from processing.expectations import judge_process
from processing.expectations.batches import RowsToJudge
from processing.expectations.expectations import Judge, judge_dataset, judge_datasets
from schemas.datasets.dataset import Dataset
from schemas.datasets.expectation import Expectation
from schemas.datasets.expectation_types import expectation_types
from schemas.datasets.tables import table_schema
from schemas.errors import GateError

RUN, OTHER_RUN = "shop-1", "shop-2"


def products(*expectations: dict[str, Any], drift: list[dict[str, Any]] | None = None, name: str = "products") -> Dataset:
    return Dataset.model_validate(
        {
            "name": name,
            "source": {"items": True},
            "key": ["sku"],
            "fields": {
                "sku": "string",
                "price": "decimal(12,2)",
                "stock": "integer",
                "since": "date",
                "seen": "timestamp",
                "sold": "boolean",
                "tags": "list<string>",
                "weight": "float",
            },
            "expectations": list(expectations),
            "drift": drift or [],
        }
    )


def rows(*prices: str | None, run: str = RUN, **columns: list[Any]) -> pa.Table:
    schema = table_schema(products())
    count = len(prices)
    given: dict[str, list[Any]] = {
        "sku": [f"s{number}" for number in range(count)],
        "price": [None if price is None else Decimal(price) for price in prices],
        "url": [f"http://shop.example/p/{number}" for number in range(count)],
        "crawl_run": [run] * count,
        **columns,
    }
    return pa.table({field.name: pa.array(given.get(field.name, [None] * count), field.type) for field in schema})


POSITIVE = {"type": "expect_column_values_to_be_between", "column": "price", "min_value": 0, "strict_min": True}


def test_one_bad_row_fails_a_critical_expectation() -> None:
    result = judge_dataset(RowsToJudge(products(POSITIVE), [rows("1.00", "-1.00", "3.00")], [RUN]))
    assert not result.success
    assert result.failing_runs() == {RUN}
    assert result.failures() == (
        "expect_column_values_to_be_between(price): 1 row, expected to be more than 0; first from http://shop.example/p/1 (price -1)"
    )
    (found,) = result.to_json()["results"]
    assert found["unexpected"] == [{"url": "http://shop.example/p/1", "values": "price -1"}]
    assert judge_dataset(RowsToJudge(products(POSITIVE), [rows("1.00", None, "3.00")], [RUN])).success


def test_a_warning_names_the_rows_that_go_to_quarantine() -> None:
    tables = [rows("1.00", "-1.00"), rows("-2.00", "2.00", "-3.00")]
    result = judge_dataset(RowsToJudge(products({**POSITIVE, "severity": "warning"}), tables, [RUN]))
    assert result.success
    offences = result.offences()
    assert offences.rows.tolist() == [1, 2, 4]
    assert sorted(offences.among(2, 3)) == [0, 2]
    offence = offences.among(0, 2)[1]
    assert offence.rule == "expectation:expect_column_values_to_be_between"
    expected = "expected to be more than 0"
    assert (offence.detail({"price": Decimal("-1.00")}), offence.detail({})) == (f"price -1.00: {expected}", f"price: {expected}")
    assert result.measures == {RUN: {"row_count": 2, "columns": {}}}


def test_several_datasets_and_crawl_runs_are_judged_apart() -> None:
    unique = {"type": "expect_column_values_to_be_unique", "column": "sku"}
    mean = {"type": "expect_column_mean_to_be_between", "column": "price", "max_value": 5}
    both = [rows("1.00", "2.00"), rows("8.00", "9.00", run=OTHER_RUN)]
    results = judge_datasets(
        [
            RowsToJudge(products(unique, mean), both, [RUN, OTHER_RUN, "shop-3"]),
            RowsToJudge(products({**mean, "severity": "info"}, name="goods"), both, [RUN, OTHER_RUN]),
        ]
    )
    assert results["products"].failing_runs() == {OTHER_RUN}
    assert results["products"].sentences() == ["shop-2: expect_column_mean_to_be_between(price): it is 8.5, expected mean to be at most 5"]
    assert results["goods"].success
    assert len(results["goods"].sentences("info")) == 1
    assert re.fullmatch(
        r"products: \d+ rows, 1 of \d+ expectations? not met: shop-2: expect_column_mean.* at most 5", results["products"].text()
    )
    assert results["products"].measures["shop-3"] == {"row_count": 0, "columns": {}}


EVERY: dict[str, tuple[dict[str, Any], list[int] | None]] = {
    # arguments that rows of `every_row` do not meet, and the rows at fault, or None for those of all rows together
    "expect_column_distinct_values_to_be_in_set": ({"column": "sku", "value_set": ["a"]}, None),
    "expect_column_distinct_values_to_contain_set": ({"column": "sku", "value_set": ["z"]}, None),
    "expect_column_distinct_values_to_equal_set": ({"column": "sku", "value_set": ["z"]}, None),
    "expect_column_kl_divergence_to_be_less_than": (
        {"column": "sold", "partition_object": {"values": [True, False], "weights": [0.9, 0.1]}, "threshold": 0.01},
        None,
    ),
    "expect_column_max_to_be_between": ({"column": "since", "max_value": "2020-01-01"}, None),
    "expect_column_mean_to_be_between": ({"column": "price", "min_value": 100}, None),
    "expect_column_median_to_be_between": ({"column": "stock", "min_value": 100}, None),
    "expect_column_min_to_be_between": ({"column": "seen", "min_value": "2026-01-02T00:00:00+02:00"}, None),
    "expect_column_most_common_value_to_be_in_set": ({"column": "sku", "value_set": ["z"]}, None),
    "expect_column_pair_values_a_to_be_greater_than_b": ({"column_A": "price", "column_B": "weight"}, [0]),
    "expect_column_pair_values_to_be_equal": ({"column_A": "price", "column_B": "weight"}, [1, 3]),
    "expect_column_pair_values_to_be_in_set": ({"column_A": "sku", "column_B": "stock", "value_pairs_set": [["a", 1], ["b", 2]]}, [2, 3]),
    "expect_column_proportion_of_non_null_values_to_be_between": ({"column": "price", "min_value": 0.9}, None),
    "expect_column_proportion_of_unique_values_to_be_between": ({"column": "sku", "min_value": 0.9}, None),
    "expect_column_quantile_values_to_be_between": (
        {"column": "price", "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[100, 200]]}},
        None,
    ),
    "expect_column_stdev_to_be_between": ({"column": "price", "max_value": 0.1}, None),
    "expect_column_sum_to_be_between": ({"column": "stock", "max_value": 1}, None),
    "expect_column_unique_value_count_to_be_between": ({"column": "sku", "min_value": 9}, None),
    "expect_column_value_lengths_to_be_between": ({"column": "sku", "max_value": 1}, [3]),
    "expect_column_value_lengths_to_equal": ({"column": "sku", "value": 1}, [3]),
    "expect_column_value_z_scores_to_be_less_than": ({"column": "stock", "threshold": 1.2, "double_sided": True}, [3]),
    "expect_column_values_to_be_between": ({"column": "seen", "min_value": "2026-01-01T12:00:00+01:00"}, [0]),
    "expect_column_values_to_be_dateutil_parseable": ({"column": "sku"}, [0, 1, 2, 3]),
    "expect_column_values_to_be_decreasing": ({"column": "stock"}, [1, 3]),
    "expect_column_values_to_be_in_set": ({"column": "since", "value_set": ["2026-01-01", "2026-01-02"]}, [2]),
    "expect_column_values_to_be_increasing": ({"column": "weight"}, [3]),
    "expect_column_values_to_be_json_parseable": ({"column": "sku"}, [0, 1, 2, 3]),
    "expect_column_values_to_be_null": ({"column": "price"}, [0, 1, 3]),
    "expect_column_values_to_be_unique": ({"column": "sku"}, [0, 2]),
    "expect_column_values_to_match_json_schema": ({"column": "tags", "json_schema": {"type": "array", "maxItems": 1}}, [1]),
    "expect_column_values_to_match_regex": ({"column": "sku", "regex": "^(?!b)"}, [1]),
    "expect_column_values_to_match_regex_list": ({"column": "sku", "regex_list": ["a", "b"]}, [3]),
    "expect_column_values_to_match_strftime_format": ({"column": "sku", "strftime_format": "%Y"}, [0, 1, 2, 3]),
    "expect_column_values_to_not_be_in_set": ({"column": "price", "value_set": [0.1]}, [0]),
    "expect_column_values_to_not_be_null": ({"column": "tags", "row_condition": 'sku == "a"'}, [2]),
    "expect_column_values_to_not_be_outliers": ({"column": "stock", "method": "iqr", "multiplier": 1.5}, [3]),
    "expect_column_values_to_not_match_regex": ({"column": "sku", "regex": "a"}, [0, 2]),
    "expect_column_values_to_not_match_regex_list": ({"column": "sku", "regex_list": ["a"]}, [0, 2]),
    "expect_compound_columns_to_be_unique": ({"column_list": ["sku", "sold"]}, [0, 2]),
    "expect_multicolumn_sum_to_equal": ({"column_list": ["price", "weight"], "sum_total": 0.2}, [1, 3]),
    "expect_multicolumn_values_to_be_equal": ({"column_list": ["price", "weight"]}, [1, 3]),
    "expect_select_column_values_to_be_unique_within_record": ({"column_list": ["price", "weight"]}, [0]),
    "expect_table_row_count_to_be_between": ({"min_value": 5}, None),
    "expect_table_row_count_to_equal": ({"value": 5}, None),
}


def every_row() -> pa.Table:
    return rows(
        "0.10",
        "2.00",
        None,
        "4.00",
        sku=["a", "b", "a", "cc"],
        stock=[1, 2, 2, 90],
        since=[date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3), None],
        seen=[datetime(2026, 1, 1, 10, 59, tzinfo=UTC), datetime(2026, 1, 1, 11, tzinfo=UTC), None, datetime(2026, 2, 1, tzinfo=UTC)],
        sold=[True, False, True, None],
        tags=[["x"], ["x", "y"], None, []],
        weight=[0.1, 1.0, None, -1.0],
    )


def test_every_expectation_judges_the_rows() -> None:
    assert sorted(EVERY) == sorted(expectation_types())
    wanted = [{"type": name, "severity": "info", "kwargs": kwargs} for name, (kwargs, _) in EVERY.items()]
    for one in wanted:
        one["severity"] = "warning" if EVERY[one["type"]][1] else "info"
    found: dict[str, Any] = {}
    results = judge_datasets([RowsToJudge(products(one, name=f"d{number}"), [every_row()], [RUN]) for number, one in enumerate(wanted)])
    for result in results.values():
        (one_result,) = result.results
        assert one_result.error is None, one_result
        assert not one_result.success, one_result
        found[one_result.type] = one_result.rows.tolist() or None
    assert found == {name: at_fault for name, (_, at_fault) in EVERY.items()}


def test_critical_expectations_see_the_rows_that_are_left() -> None:
    mean = {"type": "expect_column_mean_to_be_between", "column": "price", "min_value": 1}
    table = rows("2.00", "-90.00", "4.00")
    assert judge_dataset(RowsToJudge(products({**POSITIVE, "severity": "warning"}, mean), [table], [RUN])).success
    alone = judge_dataset(RowsToJudge(products(mean), [table], [RUN]))
    assert alone.sentences() == ["expect_column_mean_to_be_between(price): it is -28, expected mean to be at least 1"]


def test_mostly_counts_over_all_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processing.expectations.judged_rows.GROUP_ROWS", 2)
    tables = [rows("1.00", "-1.00"), rows("1.00", "1.00"), rows("1.00", None)]
    for mostly, success in ((0.8, True), (0.81, False)):
        assert judge_dataset(RowsToJudge(products({**POSITIVE, "mostly": mostly}), tables, [RUN])).success is success


def test_a_column_that_is_not_there_fails_with_its_name() -> None:
    crawls = Expectation.model_validate({"type": "expect_column_values_to_not_be_null", "column": "color"})
    result = judge_dataset(RowsToJudge(products(), [rows("1.00")], [RUN], expectations=[crawls]))
    assert result.failures() == "expect_column_values_to_not_be_null(color): there is no column 'color'"
    assert result.failing_runs() == {RUN}


def test_no_rows_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_process, "module_command", lambda *_: pytest.fail("a process was started"))
    result = judge_dataset(RowsToJudge(products(POSITIVE, drift=[{"measure": "mean", "column": "price"}]), [], [RUN]))
    assert (result.success, result.rows, result.measures) == (True, 0, {RUN: {"row_count": 0, "columns": {}}})
    assert judge_dataset(RowsToJudge(products(), [rows("1.00")], [RUN])).measures == {RUN: {"row_count": 1, "columns": {}}}


def test_rows_are_judged_twice_in_one_process() -> None:
    wanted = RowsToJudge(products(POSITIVE), [rows("1.00", "-1.00")], [RUN])
    with Judge() as judge:
        assert not judge.judge([wanted])["products"].success
        process = judge._process
        assert process is not None
        first = process._process
        assert judge.judge([replace(wanted, tables=[rows("1.00")])])["products"].success
        assert process._process is first
        assert first is not None
    assert first._process.poll() == 0


def test_a_process_that_does_not_judge_fails_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = RowsToJudge(products(POSITIVE), [rows("1.00")], [RUN])
    with monkeypatch.context() as patched:
        patched.setattr(judge_process, "module_command", lambda _: [sys.executable, "-c", "raise SystemExit('out of order')"])
        with pytest.raises(GateError, match=r"could not be judged \(exit code 1\): out of order. Nothing was published"):
            judge_dataset(wanted)
    monkeypatch.setattr(judge_process, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(judge_process, "module_command", lambda _: [sys.executable, "-c", "import time; time.sleep(60)"])
    with pytest.raises(GateError, match=r"were not judged within 0.2 seconds"):
        judge_dataset(wanted)
