"""Datasets from stored pages and items to their tables: history, duplicate keys, broken rows, sightings, and the equations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from processing import stages
from processing.expectations.batches import RowsToJudge
from processing.expectations.expectations import Judge
from processing.expectations.suite_result import SuiteResult
from processing.publish import dataset_gate
from processing.resolve import dataset_partitions
from processing.resolve.portions import dataset_records
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError
from storage.index.rows import CaptureRow
from storage.lake.lake import open_lake
from storage.lake.query import connect
from storage.ledger.held import discard_held, list_held
from storage.ledger.ledger import open_ledger
from tests.processing.crawlruns import article, capture, closed_run

pytestmark = pytest.mark.servers_in_chaos

SHOP = "https://shop.example.com"
PRODUCTS = """
source: {selectors: {sku: .sku, name: h1, price: {css: .price, type: 'decimal(12,2)'}}}
match: [/p/]
key: [host, sku]
"""
CRAWL = Crawl.model_validate({"name": "shop", "seeds": [SHOP + "/"], "datasets": ["articles", "products"]})


def with_dataset(settings: Settings, text: str = PRODUCTS, name: str = "products") -> Settings:
    """The settings with a dataset's file."""
    folder = Path(settings.home) / "datasets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(text)
    return settings.model_copy(update={"datasets": str(folder)})


def product(path: str, sku: str, price: str, minutes: int = 0, name: str = "Kettle") -> Capture:
    """A capture of a shop's page."""
    page = f"<html><body><h1>{name}</h1><b class=sku>{sku}</b> <i class=price>{price}</i></body></html>"
    return capture(f"{SHOP}/p/{path}", page, minutes)


def rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    """What readers see."""
    with connect(settings) as connection:
        return connection.sql(sql).fetchall()


def test_selectors_beside_articles(lake_settings: Settings) -> None:
    settings = with_dataset(lake_settings)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "10,00 €"), article(SHOP + "/news", 1), product("2", "A2", "cheap")])
    report = stages.process_once("shop", settings)
    assert report is not None
    assert report.datasets["products"] == {"made": 2, "published": 1, "unchanged": 0, "quarantined": 1}
    assert report.datasets["articles"] == {"made": 1, "published": 1, "unchanged": 0, "quarantined": 0}
    assert (report.records, report.published, report.quarantined) == (3, 2, 1)
    ((version, sku, price, changed),) = rows(settings, "SELECT version, sku, price::VARCHAR, changed FROM products")
    assert (version, sku, price, changed) == (1, "A1", "10.00", [])
    assert rows(settings, "SELECT dataset, rule, detail, row_json FROM quarantine") == [
        ("products", "type", "price: 'cheap' is not a number", '{"sku": "A2", "name": "Kettle", "price": "cheap"}')
    ]
    outcomes = rows(settings, "SELECT url, outcome, [(o.dataset, o.outcome, o.rows) FOR o IN outcomes] FROM captures ORDER BY url")
    assert outcomes == [
        (f"{SHOP}/news", "published", [("articles", "published", 1), ("products", "rejected", 0)]),
        (f"{SHOP}/p/1", "published", [("articles", "rejected", 0), ("products", "published", 1)]),
        (f"{SHOP}/p/2", "quarantined", [("articles", "rejected", 0), ("products", "quarantined", 1)]),
    ]
    assert stages.process_once("shop", settings) is None


def history(settings: Settings) -> list[tuple[Any, ...]]:
    """The versions of the products, without what names the process run."""
    return rows(settings, "SELECT sku, version, price::VARCHAR, changed, first_seen, fetched_at, crawl_run FROM products ORDER BY ALL")


def sightings(settings: Settings) -> list[tuple[Any, ...]]:
    """What is known of the products' pages."""
    columns = ["crawl_run", "url", "seen_at", "gone_at", "row_id"]
    with open_lake(settings) as lake:
        found = [tuple(row.values()) for batch in lake.scan("sightings", columns) for row in batch.to_pylist()]
    return sorted(found, key=str)


def price_runs(settings: Settings, *together: int) -> None:
    """Five runs of a shop; those in `together` are closed without being processed, as when processing was killed."""
    first: dict[str, CaptureRow] = {}
    prices = ["10.00", "12.00", "12.00", "10.00", "10.00"]
    for number, price in enumerate(prices, 1):
        at = number * 60
        captures = [product("1", "A1", price, at), product("2", "A2", "5.00", at + 1), product("3", "A3", "7.00", at + 2)]
        if number == 4:
            captures[2] = capture(f"{SHOP}/p/3", "gone", at + 2, status=410)
        found = closed_run(settings, CRAWL, str(number), captures, refers_to=first)
        first = first or {row.url: row for row in found if row.url == f"{SHOP}/p/2"}
        if number not in together:
            assert stages.process_once("shop", settings) is not None


def in_portions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Decide on one row, page and visit at a time. Gives a list to which the number of each dataset's partitions is added."""
    monkeypatch.setattr(dataset_partitions, "PARTITION_ROWS", 1)
    monkeypatch.setattr(dataset_records, "PAGES", 1)
    monkeypatch.setattr(dataset_records, "TARGETS", 1)
    counts: list[int] = []
    numbers = dataset_partitions.Partitions.numbers
    monkeypatch.setattr(dataset_partitions.Partitions, "numbers", lambda self: counts.append(len(numbers(self))) or numbers(self))
    return counts


def test_a_price_history_over_five_runs(lake_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same when two runs are processed together, and decided on in portions."""
    settings = with_dataset(lake_settings)
    price_runs(settings)
    seen = [(sku, version, price, changed) for sku, version, price, changed, *_ in history(settings)]
    assert seen == [
        ("A1", 1, "10.00", []),
        ("A1", 2, "12.00", ["price"]),
        ("A1", 3, "10.00", ["price"]),
        ("A2", 1, "5.00", []),
        ("A3", 1, "7.00", []),
    ]
    gone = [(crawl_run, url) for crawl_run, url, _, gone_at, _ in sightings(settings) if gone_at is not None]
    assert gone == [("shop-20260301T120000Z-000004", None)]
    other = with_dataset(Settings(home=tmp_path / "other", crawls=tmp_path))
    partitions = in_portions(monkeypatch)
    price_runs(other, 2, 4)
    assert max(partitions) > 2
    assert history(other) == history(settings)
    assert sightings(other) == sightings(settings)


@pytest.mark.parametrize("together", [(), (2, 3)])
def test_a_page_that_comes_back_as_it_was_brings_its_key_back(sqlite_settings: Settings, together: tuple[int, ...]) -> None:
    """404 and then 304: the server sends no page, so that the capture before says what stands on it."""
    settings = with_dataset(sqlite_settings)
    pages = [product("1", "A1", "10.00"), product("2", "A2", "5.00")]
    first = {row.url: row for row in closed_run(settings, CRAWL, "1", pages)}
    assert stages.process_once("shop", settings) is not None
    without = [capture(f"{SHOP}/p/1", "gone", 60, status=404), capture(f"{SHOP}/p/2", "<p>Sold.</p>", 61)]
    second = {row.url: row for row in closed_run(settings, CRAWL, "2", without)}
    if 2 not in together:
        assert stages.process_once("shop", settings) is not None
        assert gone_keys(settings) == ["A1", "A2"]
    again = [product("1", "A1", "10.00", 120), capture(f"{SHOP}/p/2", "<p>Sold.</p>", 121)]
    closed_run(settings, CRAWL, "3", again, refers_to=first | {f"{SHOP}/p/2": second[f"{SHOP}/p/2"]})
    assert stages.process_once("shop", settings) is not None
    assert gone_keys(settings) == ["A2"]
    seen = rows(settings, "SELECT last_seen = TIMESTAMPTZ '2026-03-01 14:00:00+00', version FROM products_latest WHERE sku = 'A1'")
    assert seen == [(True, 1)]


def gone_keys(settings: Settings) -> list[str]:
    """The numbers of the products that are gone."""
    return [sku for (sku,) in rows(settings, "SELECT sku FROM products_latest WHERE gone_at IS NOT NULL ORDER BY sku")]


def test_one_key_twice_in_a_run(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    pages = [product("1", "A1", "10.00"), product("same", "A1", "10.00", 1), product("other", "A1", "11.00", 2)]
    closed_run(settings, CRAWL, "1", pages)
    report = stages.process_once("shop", settings)
    assert report is not None
    assert report.datasets["products"] == {"made": 3, "published": 1, "unchanged": 1, "quarantined": 1}
    assert rows(settings, "SELECT url, rule FROM quarantine") == [(f"{SHOP}/p/other", "key")]


def test_observations_have_a_row_per_visit(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    in_portions(monkeypatch)
    settings = with_dataset(sqlite_settings, PRODUCTS + "history: observations\n")
    price_runs(settings)
    visits = rows(settings, "SELECT sku, version, price::VARCHAR FROM products WHERE sku != 'A3' ORDER BY ALL")
    assert visits == [
        *(("A1", version, price) for version, price in enumerate(["10.00", "12.00", "12.00", "10.00", "10.00"], 1)),
        *(("A2", version, "5.00") for version in range(1, 6)),
    ]


def test_a_dataset_that_is_added_later(sqlite_settings: Settings) -> None:
    plain = CRAWL.model_copy(update={"datasets": ("articles",)})
    closed_run(sqlite_settings, plain, "1", [article(SHOP + "/news", 1)])
    assert stages.process_once("shop", sqlite_settings) is not None
    settings = with_dataset(sqlite_settings)
    closed_run(settings, CRAWL, "2", [article(SHOP + "/news", 1, 60), product("1", "A1", "10.00", 61)])
    report = stages.process_once("shop", settings)
    assert report is not None
    assert (report.known, report.published) == (1, 1)


def test_a_crawl_without_articles(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    closed_run(settings, CRAWL.model_copy(update={"datasets": ("products",)}), "1", [article(SHOP + "/p/news", 1), product("1", "A1", "1")])
    report = stages.process_once("shop", settings)
    assert report is not None
    assert "articles" not in report.datasets
    assert rows(settings, "SELECT count(*) FROM articles") == [(0,)]
    assert rows(settings, "SELECT outcome, reason FROM captures ORDER BY ALL") == [("published", None), ("quarantined", "key")]


def test_an_unknown_dataset_names_the_file_to_write(sqlite_settings: Settings) -> None:
    closed_run(sqlite_settings, CRAWL.model_copy(update={"datasets": ("gadgets",)}), "1", [product("1", "A1", "1")])
    with pytest.raises(ConfigError, match=r"There is no dataset 'gadgets'.* Write .*datasets/gadgets.yaml, or correct the name"):
        stages.plan("shop", sqlite_settings)


JUDGED = (
    PRODUCTS
    + """expectations:
  - {type: expect_column_values_to_be_between, column: price, min_value: 0, strict_min: true, severity: warning}
  - {type: expect_column_values_to_be_in_set, column: name, value_set: [Kettle], severity: critical}
"""
)


def test_a_broken_row_goes_to_quarantine_and_its_key_goes_on(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings, JUDGED)
    for number, price in enumerate(["10.00", "-1", "-1", "12.00"], 1):
        closed_run(settings, CRAWL, str(number), [product("1", "A1", price, number * 60), product("2", "A2", "5.00", number * 60 + 1)])
        if number != 2:  # its rows are judged with those of the third
            assert stages.process_once("shop", settings) is not None
    found = rows(settings, "SELECT sku, version, price::VARCHAR FROM products ORDER BY ALL")
    assert found == [("A1", 1, "10.00"), ("A1", 2, "12.00"), ("A2", 1, "5.00")]
    broken = rows(settings, "SELECT rule, json_extract_string(row_json, '$.price') FROM quarantine WHERE dataset = 'products'")
    assert broken == [("expectation:expect_column_values_to_be_between", "-1.00")] * 2


@pytest.mark.parametrize(("second", "rounds"), [("A2", 1), ("A1", 2)])
def test_rows_are_judged_again_only_if_they_are_others(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, second: str, rounds: int
) -> None:
    """Without the broken row, another row of its key would be published: it is judged too."""
    judged: list[list[str]] = []

    class CountingJudge(Judge):
        def judge(self, datasets: Iterable[RowsToJudge]) -> dict[str, SuiteResult]:
            found = super().judge(datasets)
            judged.append(list(found))
            return found

    monkeypatch.setattr(dataset_gate, "Judge", CountingJudge)
    settings = with_dataset(sqlite_settings, JUDGED)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "-1"), product("2", second, "-2", 1), product("3", "A3", "5.00", 2)])
    assert stages.process_once("shop", settings) is not None
    assert rows(settings, "SELECT sku FROM products") == [("A3",)]
    broken = rows(settings, "SELECT rule, json_extract_string(row_json, '$.price') FROM quarantine ORDER BY 2")
    assert broken == [("expectation:expect_column_values_to_be_between", price) for price in ("-1.00", "-2.00")]
    assert judged == [["articles", "products"], ["products"]][:rounds]


def test_a_failed_gate_holds_back_one_dataset_of_one_run(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings, JUDGED)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "10.00", name="Teapot"), article(SHOP + "/news", 1)])
    closed_run(settings, CRAWL, "2", [product("1", "A1", "11.00", 60), product("2", "A2", "5.00", 61)])
    report = stages.process_once("shop", settings)
    assert report is not None
    assert report.datasets["articles"]["published"] == 1
    assert report.datasets["products"] == {"made": 2, "published": 2, "unchanged": 0, "quarantined": 0}
    assert rows(settings, "SELECT sku, version, name, price::VARCHAR FROM products ORDER BY ALL") == [
        ("A1", 1, "Kettle", "11.00"),
        ("A2", 1, "Kettle", "5.00"),
    ]
    held = "SELECT url, [o.reason FOR o IN outcomes IF o.dataset = 'products'] FROM captures WHERE crawl_run LIKE '%000001' ORDER BY url"
    assert rows(settings, held) == [(f"{SHOP}/news", ["held"]), (f"{SHOP}/p/1", ["held"])]
    ledger = open_ledger(settings)
    (one,) = list_held(ledger.database, "shop")
    assert (one.crawl_run, one.dataset, one.decision) == ("shop-20260301T120000Z-000001", "products", None)
    assert "expect_column_values_to_be_in_set(name): 1 row," in one.reason
    assert discard_held(ledger.database, one.crawl_run, None, "me", "a test") == 1
    with pytest.raises(NotFoundError, match=r"Nothing of .* is held back"):
        discard_held(ledger.database, one.crawl_run, "products", "me", "again")
    assert [(one.decision, one.decided_by, one.decision_reason) for one in list_held(ledger.database)] == [("discarded", "me", "a test")]
    ledger.close()
