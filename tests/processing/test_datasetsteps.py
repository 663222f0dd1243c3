"""Steps of a dataset of the user's own, from stored pages to its table."""

from __future__ import annotations

import itertools

import pytest

from processing import stages
from processing.datasets import steps
from processing.publish.report import RunReport
from schemas.config.settings import Settings
from schemas.errors import ConflictError
from storage.ledger.held import list_held
from storage.ledger.ledger import open_ledger
from tests.processing.crawlruns import article, closed_run
from tests.processing.test_datasets import CRAWL, PRODUCTS, SHOP, product, rows, with_dataset

pytestmark = pytest.mark.servers_in_chaos

NUMBERS = itertools.count()
SOURCE = """import pyarrow as pa


def add_category(batch):
    names = ["bad" if name is None else name.lower() for name in batch["name"].to_pylist()]
    if any(sku.startswith("X") for sku in batch["sku"].to_pylist()):
        raise ValueError("no category")
    return batch.append_column("category", pa.array(names))
"""
RUNS = [f"shop-20260301T120000Z-00000{number}" for number in range(4)]


def with_steps(settings: Settings, on_error: str, more: str = "", source: str = SOURCE) -> tuple[Settings, str]:
    """The settings with products that have a category, and the name of the module with the step."""
    module = f"categories_{next(NUMBERS)}"
    settings.crawls.mkdir(exist_ok=True)
    (settings.crawls / f"{module}.py").write_text(source)
    steps = f"steps: [{{step: '{module}:add_category', on_error: {on_error}}}]\n"
    return with_dataset(settings, f"{PRODUCTS}fields: {{category: string}}\n{steps}{more}"), module


def processed(settings: Settings) -> RunReport:
    report = stages.process_once("shop", settings)
    assert report is not None
    return report


def test_rows_at_fault_go_to_quarantine_and_the_others_are_judged(lake_settings: Settings) -> None:
    kettle = "expectations: [{type: expect_column_values_to_be_in_set, column: category, value_set: [kettle], severity: warning}]\n"
    settings, module = with_steps(lake_settings, "quarantine", kettle)
    pages = [product(str(number), f"A{number}", "1", number) for number in range(5)]
    pages += [product("x", "X1", "2", 10), product("pot", "A9", "3", 11, name="Pot"), product("y", "A8", "free", 12)]
    closed_run(settings, CRAWL, "1", pages)
    report = processed(settings)
    assert report.datasets["products"] == {"made": 8, "published": 5, "unchanged": 0, "quarantined": 3}
    assert rows(settings, "SELECT DISTINCT category FROM products") == [("kettle",)]
    found = rows(settings, "SELECT rule, detail, row_json FROM quarantine ORDER BY rule")
    assert [rule for rule, _, _ in found] == ["expectation:expect_column_values_to_be_in_set", "step", "type"]
    assert found[0][2] == '{"category": "pot", "sku": "A9", "name": "Pot", "price": "3.00"}'
    assert found[1][1] == f"{module}:add_category: ValueError: no category ({module}.py, line 7)"
    assert found[1][2] == '{"sku": "X1", "name": "Kettle", "price": "2.00"}'


def test_a_step_that_fails_holds_back_its_crawl_run_and_no_other_dataset(sqlite_settings: Settings) -> None:
    settings, module = with_steps(sqlite_settings, "fail")
    closed_run(settings, CRAWL, "1", [product("x", "X1", "2")], [product("1", "A1", "1"), article(SHOP + "/news", 1)])
    closed_run(settings, CRAWL, "2", [product("1", "A1", "1", 60), product("2", "A2", "1", 61)])
    report = processed(settings)
    why = f"the step {module}:add_category broke: ValueError: no category ({module}.py, line 7)"
    assert report.held == {RUNS[1]: {"products": why}}
    assert report.datasets["articles"]["published"] == 1
    found = rows(settings, "SELECT sku, category, crawl_run FROM products ORDER BY sku")
    assert found == [("A1", "kettle", RUNS[2]), ("A2", "kettle", RUNS[2])]
    ledger = open_ledger(settings)
    assert [(one.crawl_run, one.dataset, one.reason) for one in list_held(ledger.database)] == [(RUNS[1], "products", why)]
    ledger.close()
    closed_run(settings, CRAWL, "3", [product("1", "A1", "1", 120), product("3", "A3", "1", 121)])
    assert processed(settings).held == {}


@pytest.mark.chaos
def test_other_code_of_a_step_is_another_definition(sqlite_settings: Settings) -> None:
    settings, module = with_steps(sqlite_settings, "fail")
    for number, source in enumerate([SOURCE, "# a comment\n" + SOURCE, SOURCE.replace("lower()", "upper()")], 1):
        (settings.crawls / f"{module}.py").write_text(source)
        closed_run(settings, CRAWL, str(number), [product("1", "A1", "1", number * 60)])
        processed(settings)
    found = rows(settings, "SELECT version, category, changed FROM products ORDER BY version")
    assert found == [(1, "kettle", []), (2, "KETTLE", ["category"])]


def test_code_that_changes_after_the_plan_is_not_run(sqlite_settings: Settings) -> None:
    settings, module = with_steps(sqlite_settings, "fail")
    closed_run(settings, CRAWL, "1", [product("1", "A1", "1")])
    planned = stages.plan("shop", settings)
    assert planned is not None
    (settings.crawls / f"{module}.py").write_text(SOURCE.replace("lower()", "upper()"))
    with pytest.raises(ConflictError, match=rf"The code of {module}:add_category for 'products' is not the code that the run was planned"):
        stages.extract(planned.process_run, "1-0", settings)
    assert processed(settings).process_run != planned.process_run
    assert rows(settings, "SELECT category FROM products") == [("KETTLE",)]


def test_a_step_that_hangs_holds_back_the_dataset(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "BATCH_SECONDS", 1.0)
    monkeypatch.setattr(steps, "ROW_SECONDS", 0.0)
    settings, module = with_steps(sqlite_settings, "fail", source="import time\n\n\ndef add_category(batch):\n    time.sleep(3600)\n")
    closed_run(settings, CRAWL, "1", [product("1", "A1", "1"), article(SHOP + "/news", 1)])
    report = processed(settings)
    assert report.held == {RUNS[1]: {"products": f"the step {module}:add_category broke: more than 1 second"}}
    assert report.datasets["articles"]["published"] == 1
