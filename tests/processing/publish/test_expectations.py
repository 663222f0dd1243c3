"""Expectations of datasets, judged by the real Great Expectations."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa

from processing.publish.expectations import RowsToJudge, judge_dataset, judge_datasets
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import table_schema

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
    assert result.failures() == "expect_column_values_to_be_between(price): 1 rows, first from http://shop.example/p/1"
    assert judge_dataset(RowsToJudge(products(POSITIVE), [rows("1.00", None, "3.00")], [RUN])).success


def test_a_warning_names_the_rows_that_go_to_quarantine() -> None:
    tables = [rows("1.00", "-1.00"), rows("-2.00", "2.00", "-3.00")]
    result = judge_dataset(RowsToJudge(products({**POSITIVE, "severity": "warning"}), tables, [RUN]))
    assert result.success
    offences = result.offences()
    assert offences.rows.tolist() == [1, 2, 4]
    assert sorted(offences.among(2, 3)) == [0, 2]
    offence = offences.among(0, 2)[1]
    assert (offence.rule, offence.detail) == (
        "expectation:expect_column_values_to_be_between",
        "price: expected was min_value 0, strict_min True",
    )
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
    assert results["products"].sentences() == ["shop-2: expect_column_mean_to_be_between(price): it is 8.5, expected was max_value 5"]
    assert results["goods"].success
    assert len(results["goods"].sentences("info")) == 1
    assert results["products"].measures["shop-3"] == {"row_count": 0, "columns": {}}
