"""Steps of the user's on a dataset's rows, in a real worker: what they may do, and what becomes of rows when they break."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest

from processing.datasets import steps
from processing.datasets.steps import StepFailedError, StepRunner
from processing.workers.pool import Limits
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import staging_schema

MODULE = "tests.processing.datasets.stepfunctions"
SEEN = ("sku", "price", "category", "words", "rank", "raw", "url", "host", "position")


def goods(*functions: str, on_error: str = "fail") -> Dataset:
    return Dataset.model_validate(
        {
            "name": "goods",
            "source": {"items": True},
            "key": ["host", "sku"],
            "fields": {
                "sku": "string",
                "price": "decimal(12,2)",
                "category": "string",
                "words": "list<string>",
                "rank": "integer",
                "raw": "json",
            },
            "steps": [{"step": f"{MODULE}:{name}", "on_error": on_error} for name in functions],
        }
    )


def rows(*skus: str) -> pa.Table:
    schema = pa.schema([staging_schema(goods()).field(name) for name in SEEN])
    made = [
        {"sku": sku, "price": Decimal(number * 5), "url": f"http://shop.example/{sku}", "host": "shop.example", "position": 0}
        for number, sku in enumerate(skus, 1)
    ]
    return pa.Table.from_pylist(made, schema=schema)


def column(table: pa.Table, name: str) -> list[object]:
    return list(table[name].to_pylist())


def test_steps_fill_declared_fields_one_after_the_other() -> None:
    with StepRunner(goods("add_category", "follow_category", "as_table"), []) as runner:
        stepped = runner.run(rows("a", "b", "c"))
        assert stepped.broken == {}
        assert column(stepped.rows, "category") == ["cheap", "cheap", "dear"]
        assert column(stepped.rows, "words") == [["a", "a"], ["a", "b"], ["a", "c"]]
        assert column(stepped.rows, "rank") == [0, 0, 1]
        assert column(stepped.rows, "raw") == [None] * 3  # a field that no step fills is NULL
        assert stepped.rows.schema == rows().schema
        assert runner.run(rows()).rows.num_rows == 0
    with StepRunner(goods("by_pandas"), []) as runner:
        assert column(runner.run(rows("a", "b")).rows, "category") == ["A", "B"]


BROKEN = {
    "fail_on_bad": r"broke: ValueError: no such sku \(stepfunctions.py, line \d+\)",
    "lose_bad": "broke: it gave 2 rows for 3; a step keeps all rows, in their order",
    "change_key": "broke: it changed 'sku'; only declared fields may change, without those of the key",
    "turn_round": "broke: it changed 'sku'",
    "change_url": "broke: it changed 'url'",
    "wrong_type": "broke: 'category' is int64, but must be string",
    "too_precise": "broke: 'rank' is double, and does not fit into int64",
    "undeclared": "broke: it added the column 'colour'; declare it in the 'fields' of 'goods'",
    "lose_column": "broke: it lost the column 'price', 'words', 'rank', 'raw', 'url' and others",
    "give_list": "broke: it gave a list, not a pyarrow.RecordBatch",
    "not_json": "broke: 'raw' has a value that is not JSON",
    "not_there": f"broke: The module '{MODULE}' has no function 'not_there'",
}


def test_a_step_that_breaks_says_how() -> None:
    for name, message in BROKEN.items():
        with StepRunner(goods(name), []) as runner, pytest.raises(StepFailedError, match=f"the step {MODULE}:{name} {message}"):
            runner.run(rows("a", "bad", "c"))


@pytest.mark.parametrize("name", ["fail_on_bad", "lose_bad"])
def test_only_the_rows_at_fault_are_taken_out(name: str) -> None:
    skus = [f"s{number}" for number in range(40)]
    skus[3], skus[17] = "bad-3", "bad-17"
    with StepRunner(goods(name, "follow_category", on_error="quarantine"), []) as runner:
        stepped = runner.run(rows(*skus))
    assert sorted(stepped.broken) == [3, 17]
    assert stepped.broken[3].startswith(f"{MODULE}:{name}: ")
    assert column(stepped.rows, "sku") == skus
    ranks = column(stepped.rows, "rank")
    assert (ranks[3], ranks[17]) == (None, None)
    assert name == "lose_bad" or set(ranks) == {0, None}


def test_a_step_that_always_breaks_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "MAX_HALVINGS", 3)
    with StepRunner(goods("wrong_type", on_error="quarantine"), []) as runner:
        assert sorted(runner.run(rows(*map(str, range(64)))).broken) == list(range(64))
        assert runner._halvings == 3


@pytest.mark.parametrize(("name", "detail"), [("hang_on_bad", "more than 1 second"), ("eat_on_bad", "more than 256 MiB")])
def test_a_step_that_hangs_or_takes_all_memory_is_killed(name: str, detail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "BATCH_SECONDS", 1.0 if name == "hang_on_bad" else 30.0)
    monkeypatch.setattr(steps, "ROW_SECONDS", 0.0)
    monkeypatch.setattr(steps, "LIMITS", Limits(memory_bytes=256 * 1024**2))
    with StepRunner(goods(name, on_error="quarantine"), []) as runner:
        stepped = runner.run(rows("a", "bad"))
    assert stepped.broken == {1: f"{MODULE}:{name}: {detail}"}
    with StepRunner(goods(name), []) as runner, pytest.raises(StepFailedError, match=f"broke: {detail}"):
        runner.run(rows("a", "bad"))
