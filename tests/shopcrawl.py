"""A crawl of the demo's shop that makes rows in three ways, and what its tables must have: items, selectors, structured data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.shop.catalogue import Fault, Goods, goods
from schemas.config.settings import Settings
from storage.lake.query import connect

CRAWL = """
spider: shop_spider:ShopSpider
scope: {{hosts: ['{host}']}}
network: {{allow: [127.0.0.1/32]}}
politeness: {{delay: 0, concurrency_per_host: 8}}
datasets: [offers, shelf, products]
revisit: {{articles_min: 0, articles_max: 0, hubs_max: 0}}
"""
SPIDER = """
from dataclasses import dataclass

import scrapy


@dataclass
class Offer:
    sku: str
    name: str
    price: str
    in_stock: bool


class ShopSpider(scrapy.Spider):
    name = "shop"
    start_urls = ["{base}/"]

    def parse(self, response):
        yield from response.follow_all(css="header a[href^='/']:not([href='/'])", callback=self.parse_list)

    def parse_list(self, response):
        yield from response.follow_all(css=".goods a", callback=self.parse_goods)

    def parse_goods(self, response):
        text = [response.css(one + "::text").get("") for one in (".sku", "h1", "p.price", ".stock")]
        yield Offer(text[0], text[1], text[2], text[3] == "In stock")
"""
DATASETS = {
    "offers": """
source: {items: Offer}
key: [host, sku]
fields: {sku: string, name: string, price: {type: 'decimal(12,2)', unit: currency}, currency: string, in_stock: boolean}
expectations:
  - {type: expect_column_values_to_be_between, column: price, min_value: 0, strict_min: true, severity: warning}
  - {type: expect_column_values_to_not_be_null, column: price, severity: warning}
""",
    "shelf": """
source: {each: .goods li, selectors: {sku: {attr: data-sku}, name: a, price: .price}}
match: [/(kettles|lamps|tools)$]
key: [host, sku]
fields: {price: {type: 'decimal(12,2)', unit: currency}, currency: string}
""",
}
BETWEEN, NOT_NULL = "expectation:expect_column_values_to_be_between", "expectation:expect_column_values_to_not_be_null"


@dataclass(frozen=True)
class Expected:
    """What a dataset must have: the column of the product's number, what is compared, and the rules that hold rows back.

    A list with a row in quarantine says nothing of what is missing on it: `silent_lists` are the faults that do this to a list.
    """

    key: str
    compared: Callable[[Goods], tuple[object, ...]]
    rules: frozenset[str]
    silent_lists: frozenset[Fault] = frozenset()


EXPECTED = {
    "offers": Expected("sku", lambda one: (one.price, one.in_stock), frozenset({BETWEEN, NOT_NULL, "key", "type"})),
    "products": Expected("product_id", lambda one: (one.price, one.in_stock), frozenset({BETWEEN, "key", "type"})),
    "shelf": Expected("sku", lambda one: (one.price,), frozenset({"key", "type"}), frozenset({Fault.DOUBLED_SKU, Fault.PRICE_IN_WORDS})),
}
EXPECTED_OF_THE_DEMO = {  # crawls/shop.yaml, whose `offers` are read from the lists
    "products": EXPECTED["products"],
    "offers": Expected("sku", lambda one: (one.price,), EXPECTED["offers"].rules, frozenset(Fault)),
}


def write_shop(crawls: Path, base: str) -> None:
    """The files of a project: crawl `shop` with its spider, and its datasets beside the crawls."""
    crawls.mkdir(parents=True, exist_ok=True)
    (crawls / "shop.yaml").write_text(CRAWL.format(host=base.removeprefix("http://")), encoding="utf-8")
    (crawls / "shop_spider.py").write_text(SPIDER.replace("{base}", base), encoding="utf-8")
    for name, text in DATASETS.items():
        write_dataset(crawls, name, text)


def write_dataset(crawls: Path, name: str, text: str) -> None:
    """The file of a dataset, beside the crawls."""
    datasets = crawls.parent / "datasets"
    datasets.mkdir(exist_ok=True)
    (datasets / f"{name}.yaml").write_text(text, encoding="utf-8")


def check_shop(settings: Settings, ticks: Sequence[int], expected: Mapping[str, Expected] = EXPECTED) -> None:
    """The tables have the history of the shop's goods as it was crawled at these ticks, and nothing else."""
    for name, one in expected.items():
        found = rows(settings, f"SELECT {one.key}, version, price FROM {name}", ticks)
        assert sorted((sku, version, float(price)) for sku, version, price in found) == _history(ticks, one), name
        gone = rows(settings, f"SELECT {one.key} FROM {name}_latest WHERE gone_at IS NOT NULL", ticks)
        assert sorted(sku for (sku,) in gone) == _gone(ticks, one), name
    with connect(settings) as lake:
        held_back = set(lake.sql("SELECT DISTINCT dataset, rule FROM quarantine WHERE crawl = 'shop'").fetchall())
        sums = lake.sql("SELECT records, published + known + duplicate + quarantined + rejected FROM runs WHERE crawl = 'shop'").fetchall()
    assert held_back == {(name, rule) for name, one in expected.items() for rule in one.rules}
    assert sums
    assert all(records == added for records, added in sums)


def rows(settings: Settings, sql: str, ticks: Sequence[int]) -> list[tuple[Any, ...]]:
    """The rows of a query whose first column is a product's number, but for those of the pages that are broken."""
    broken = {one.sku for one in goods(ticks[0]) if one.fault is not None}
    with connect(settings) as lake:
        return [row for row in lake.sql(sql).fetchall() if row[0] not in broken]


def _whole(ticks: Sequence[int]) -> list[list[Goods]]:
    """The goods whose data are not broken, each at all ticks."""
    broken = {one.sku for one in goods(ticks[0]) if one.fault is not None}
    at_ticks = zip(*(goods(tick) for tick in ticks), strict=True)
    return [list(one) for one in at_ticks if one[0].sku not in broken]


def _history(ticks: Sequence[int], expected: Expected) -> list[tuple[str, int, float]]:
    found: list[tuple[str, int, float]] = []
    for at_ticks in _whole(ticks):
        there = [one for one in at_ticks if one.status == 200]
        compared = [expected.compared(one) for one in there]
        changed = [one for place, one in enumerate(there) if place == 0 or compared[place] != compared[place - 1]]
        found += [(one.sku, version, float(one.price)) for version, one in enumerate(changed, 1)]
    return sorted(found)


def _gone(ticks: Sequence[int], expected: Expected) -> list[str]:
    """The numbers of what was there once, and is not any more."""
    silent = {one.shelf for one in goods(ticks[0]) if one.fault in expected.silent_lists}
    found = [one for one in _whole(ticks) if one[-1].status != 200 and any(at.status == 200 for at in one)]
    return sorted(one[-1].sku for one in found if one[-1].shelf not in silent)


assert {one.fault for one in goods(0)} >= set(Fault)  # else the rules above are not all tried
