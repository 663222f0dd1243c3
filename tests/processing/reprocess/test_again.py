"""Rows are made again from stored captures: in place, with their numbers, compared before, and within the accounts."""

from __future__ import annotations

from typing import Any

import pytest

from processing import stages
from processing.accept import accept
from processing.reprocess.again import compare, extract_all, publish
from processing.reprocess.comparison import Comparison
from processing.reprocess.portions import plan
from processing.reprocess.rollback import rollback
from processing.reprocess.selection import Selected
from processing.resources import open_resources
from schemas.config.settings import Settings
from schemas.errors import GateError
from tests.processing.crawlruns import article, capture, closed_run, html, prose
from tests.processing.lakeaccounts import check_accounts
from tests.processing.test_datasets import CRAWL, PRODUCTS, SHOP, product, rows, with_dataset

ALL = Selected()
CRITICAL = "expectations: [{type: expect_column_values_to_be_between, column: price, min_value: 0}]\n"


def planned(settings: Settings, selected: Selected = ALL, crawl: str = "shop") -> list[str]:
    """The ids of the process runs to make."""
    with open_resources(settings) as resources:
        return [run.process_run for run in plan(crawl, selected, settings, resources).process_runs]


def again(settings: Settings, selected: Selected = ALL, crawl: str = "shop") -> Comparison:
    """Make everything again, and publish it; what changed."""
    whole = Comparison()
    for process_run in planned(settings, selected, crawl):
        extract_all(process_run, settings)
        whole.add(compare(process_run, settings))
        publish(process_run, settings)
        check_accounts(settings)
    return whole


def state(settings: Settings, places: bool = True) -> dict[str, list[tuple[Any, ...]]]:
    """What a reader sees, without what names a process run. `places`: with those of the WARC records, which differ from home to home."""
    hidden = "process_run, sequence, ingested_at, code_version" + ("" if places else ", warc_record_offset, warc_record_length")
    columns = dict.fromkeys(["captures", "quarantine", "products", "products_latest"], hidden) | {"sightings": "process_run, sequence"}
    columns |= dict.fromkeys(["articles", "articles_latest"], f"{hidden}, memory_version")
    return {name: rows(settings, f"SELECT * EXCLUDE ({found}) FROM {name} ORDER BY ALL") for name, found in columns.items()}


def history(settings: Settings) -> None:
    """Three processed runs: pages that change, vanish, repeat, and are the same in two places."""
    first = [product("1", "A1", "10.00"), product("2", "A2", "5.00", 1), article(f"{SHOP}/a/1", 1, 2), article(f"{SHOP}/a/2", 2, 3)]
    closed_run(settings, CRAWL, "1", first)
    stages.process_once("shop", settings)
    second = [product("1", "A1", "12.00", 60), capture(f"{SHOP}/p/2", "gone", 61, 404), article(f"{SHOP}/a/1", 3, 62)]
    closed_run(settings, CRAWL, "2", [*second, article(f"{SHOP}/a/3", 2, 63)])
    stages.process_once("shop", settings)
    third = [product("1", "A1", "12.00", 120), product("2", "A2", "6.00", 121), article(f"{SHOP}/a/1", 1, 122)]
    closed_run(settings, CRAWL, "3", [*third, capture(f"{SHOP}/a/4", html("Note", [prose(9)[0][:120]]), 123)])
    stages.process_once("shop", settings)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_without_a_change_of_rules_a_reader_sees_no_difference(lake_settings: Settings) -> None:
    settings = with_dataset(lake_settings)
    history(settings)
    before = state(settings)
    for selected in (Selected(run="shop-20260301T120000Z-000001"), Selected(run="shop-20260301T120000Z-000002"), ALL):
        found = again(settings, selected)
        assert (found.datasets["products"].changed, found.datasets["articles"].changed, found.held) == (0, 0, [])
        assert state(settings) == before
    assert planned(settings) == [], "today's code and rules have made them"


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_single_captures_by_a_corrected_definition(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings, PRODUCTS.replace("{css: .price,", "{css: h1,"))
    closed_run(settings, CRAWL, "1", [product("1", "A1", "10.00"), product("2", "A2", "5.00", 1), article(f"{SHOP}/a/1", 1, 2)])
    closed_run(settings, CRAWL, "2", [product("1", "A1", "12.00", 60)])
    assert stages.process_once("shop", settings) is not None
    before = state(settings)["articles"]
    with_dataset(settings)
    (first, second) = planned(settings, Selected(quarantined=True))
    for process_run in (first, second):
        extract_all(process_run, settings)
    assert compare(first, settings).datasets["products"].added == 2
    assert rows(settings, "SELECT count(*) FROM quarantine") == [(3,)], "a comparison changes nothing"
    found = again(settings, Selected(quarantined=True))
    assert (found.records, found.outcomes_before, found.outcomes_after["published"]) == (3, {"quarantined": 3}, 3)
    assert rows(settings, "SELECT sku, version, price::VARCHAR, changed FROM products ORDER BY ALL") == [
        ("A1", 1, "10.00", []), ("A1", 2, "12.00", ["price"]), ("A2", 1, "5.00", [])
    ]  # fmt: skip
    assert rows(settings, "SELECT count(*) FROM quarantine") == [(0,)]
    with_dataset(settings, PRODUCTS.replace("name: h1", "name: h1, label: h1"))
    changed = again(settings, Selected(url=f"{SHOP}/p/1", dataset="products"))
    assert changed.datasets["products"].fields == {"label": 2}
    assert [(one.before, one.after) for one in changed.examples][:1] == [({"label": None}, {"label": "Kettle"})]
    assert rows(settings, "SELECT sku, version, label FROM products ORDER BY ALL") == [
        ("A1", 1, "Kettle"), ("A1", 2, "Kettle"), ("A2", 1, None)
    ]  # fmt: skip
    assert state(settings)["articles"] == before
    assert planned(settings, Selected(url=f"{SHOP}/p/1", dataset="products")) == []


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_single_capture_beside_another_row_of_its_key_stays_in_quarantine(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    pages = [product("1", "A1", "10.00"), product("2", "A1", "5.00", 1), product("3", "A1", "10.00", 2), product("4", "A2", "cheap", 3)]
    closed_run(settings, CRAWL, "1", pages)
    assert stages.process_once("shop", settings) is not None
    before = state(settings)
    for selected in (Selected(quarantined=True), Selected(url=f"{SHOP}/p/3"), Selected(url=f"{SHOP}/p/1")):
        found = again(settings, selected).datasets["products"]
        assert (found.added, found.lost, found.changed) == (0, 0, 0), selected
        assert state(settings) == before, selected


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_rows_that_would_be_held_back_replace_nothing(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "-1.00")])
    assert stages.process_once("shop", settings) is not None
    with_dataset(settings, PRODUCTS + CRITICAL)
    (process_run,) = planned(settings)
    extract_all(process_run, settings)
    assert compare(process_run, settings).held[0].startswith("products of shop-20260301T120000Z-000001: expect_column_values")
    with pytest.raises(GateError, match=r"and the rows of before stay.* `crawlhouse rollback shop-20260301T120000Z-000001"):
        publish(process_run, settings)
    assert rows(settings, "SELECT price::VARCHAR FROM products") == [("-1.00",)]
    rollback("shop-20260301T120000Z-000001", "eve", "", settings)
    (held,) = planned(settings)
    extract_all(held, settings)
    assert publish(held, settings).held.keys() == {"shop-20260301T120000Z-000001"}, "there is nothing to lose"
    check_accounts(settings)
    assert accept("shop-20260301T120000Z-000001", None, "eve", "", settings).datasets == ("products",)
    check_accounts(settings)
    assert rows(settings, "SELECT price::VARCHAR FROM products") == [("-1.00",)]
