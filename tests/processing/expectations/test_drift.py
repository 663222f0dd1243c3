"""Expectations against history, measured and judged by the real parts."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from processing.expectations.batches import RowsToJudge
from processing.expectations.drift import read_history
from processing.expectations.expectations import judge_dataset
from processing.expectations.suite_result import SuiteResult
from tests.processing.expectations.test_expectations import RUN, products, rows

COLUMN = {"row_count": None, "mean": "price", "null_share": "price", "distinct_share": "sku", "distribution": "price"}


def prices(count: int, *, shift: float = 0, empty: int = 0, same: bool = False) -> pa.Table:
    """Prices of 10 to 19.9, some of which are missing."""
    values = [None if number < empty else f"{10 + shift + number % 100 / 10:.2f}" for number in range(count)]
    return rows(*values, sku=[f"s{0 if same else number}" for number in range(count)])


def judged(table: pa.Table | None, history: list[dict[str, Any]], **drift: Any) -> SuiteResult:
    dataset = products(drift=[{"measure": measure, "column": column, **drift} for measure, column in COLUMN.items()])
    return judge_dataset(RowsToJudge(dataset, [] if table is None else [table], [RUN], history=history))


def history_of(*tables: pa.Table) -> list[dict[str, Any]]:
    """What runs stored, as the table `runs` has it, the newest first."""
    stored: list[str] = []
    for table in tables:
        measures = judged(table, []).measures[RUN]
        stored.insert(0, json.dumps({"reasons": {}, "measures": {"products": measures}}))
    return read_history(["{}", *stored], "products")


@pytest.fixture(scope="module")
def usual() -> list[dict[str, Any]]:
    return history_of(prices(100), prices(120, empty=2), prices(90))


def failed(result: SuiteResult) -> list[str]:
    return sorted(str(one.drift).split(" was ")[0] for one in result.results if not one.success)


def test_it_is_silent_until_there_is_enough_history(usual: list[dict[str, Any]]) -> None:
    assert judged(prices(1), usual[:2]).results == ()
    assert judged(prices(1), usual[:2], runs=2).results != ()


def test_a_usual_run_passes_and_an_unusual_one_fails_with_what_was_expected(usual: list[dict[str, Any]]) -> None:
    assert failed(judged(prices(110, empty=1), usual)) == []
    result = judged(prices(20, shift=30, empty=10, same=True), usual)
    assert failed(result) == [
        "drift: distinct_share of sku",
        "drift: mean of price",
        "drift: null_share of price",
        "drift: row_count",
        "drift: the relative entropy of the distribution of price",
    ]
    assert result.failing_runs() == {RUN}
    assert result.sentences()[0] == (
        "expect_table_row_count_to_be_between(): drift: row_count was expected between 40 and 170 after 3 runs; it is 20"
    )


def test_a_run_without_rows_is_judged_by_their_number(usual: list[dict[str, Any]]) -> None:
    assert failed(judged(None, usual)) == ["drift: row_count"]
    assert judged(None, usual, severity="info").success


@pytest.mark.chaos
def test_texts_and_booleans_have_a_distribution_too() -> None:
    drift = [{"measure": "distribution", "column": column} for column in ("sku", "sold")]

    def judge(skus: str, sold: list[bool], history: list[dict[str, Any]]) -> SuiteResult:
        table = rows(*(["1.00"] * len(skus)), sku=list(skus), sold=sold)
        return judge_dataset(RowsToJudge(products(drift=drift), [table], [RUN], history=history))

    history = [judge("aabbbc", [True] * 5 + [False], []).measures[RUN]] * 3
    assert judge("aabbbc", [True] * 5 + [False], history).success
    assert failed(judge("ccccab", [False] * 6, history)) == [
        "drift: the relative entropy of the distribution of sku",
        "drift: the relative entropy of the distribution of sold",
    ]
    assert failed(judge("zzzzzz", [True] * 5 + [False], history)) == ["drift: the relative entropy of the distribution of sku"]


def test_one_value_alone_is_a_distribution() -> None:
    table, other = rows(*(["9.99"] * 5)), rows(*(["19.99"] * 5))
    dataset = products(drift=[{"measure": "distribution", "column": "price"}])
    history = [judge_dataset(RowsToJudge(dataset, [table], [RUN])).measures[RUN]] * 3
    assert judge_dataset(RowsToJudge(dataset, [table], [RUN], history=history)).success
    assert not judge_dataset(RowsToJudge(dataset, [other], [RUN], history=history)).success
