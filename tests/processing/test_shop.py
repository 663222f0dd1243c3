"""A shop from its pages to the tables of three datasets: a spider's items, selectors on stored pages, and structured data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from processing import stages
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from spiders.run import crawl_once
from tests.processing.test_datasets import rows, with_dataset
from tests.spiders.crawling import LOOPBACK, own_scope
from tests.spiders.smallserver import Headers, small_server

OFFERS = """
source: {items: Offer}
key: [host, sku]
"""
SHELF = """
source: {selectors: {place: {css: a, attr: href}, title: a}, each: li}
match: [/$]
key: [host, place]
"""


class Shop:
    """Its products by number, with their prices; a product without a price is gone."""

    def __init__(self) -> None:
        self.prices = {1: "10,00", 2: "20,00", 3: "30,00"}

    def answer(self, path: str, times: int) -> tuple[int, Headers, bytes]:
        """A page of the shop."""
        if path == "/":
            links = "".join(f'<li><a href="/p/{number}">Kettle {number}</a></li>' for number in self.prices)
            return 200, {}, f"<html><body><h1>Shop</h1><ul>{links}</ul></body></html>".encode()
        number = int(path.rpartition("/")[2]) if path.startswith("/p/") else 0
        if number not in self.prices:
            return 404, {}, b"gone"
        return 200, {}, _page(number, self.prices[number]).encode()


def _page(number: int, price: str) -> str:
    offer = {"@type": "Offer", "price": price.replace(",", "."), "priceCurrency": "EUR"}
    data = {"@context": "https://schema.org", "@type": "Product", "sku": f"K{number}", "name": f"Kettle {number}", "offers": offer}
    return (
        f"<html><head><script type='application/ld+json'>{json.dumps(data)}</script></head>"
        f"<body><h1>Kettle {number}</h1><b class=sku>K{number}</b><i class=price>{price} €</i></body></html>"
    )


@pytest.mark.timeout(300)
def test_three_shapes_from_the_shop_to_the_tables(lake_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = with_dataset(with_dataset(lake_settings, OFFERS, "offers"), SHELF, "shelf")
    shop = Shop()
    with small_server(shop.answer) as server:
        monkeypatch.setenv("OWN_SPIDER_BASE", server.base)
        datasets = "datasets: [offers, shelf, products]\nrevisit: {articles_min: 0, articles_max: 0, hubs_max: 0}"
        text = (
            f"spider: tests.processing.shopspider:ShopSpider\n{own_scope(server.base)}\n{LOOPBACK}\npoliteness: {{delay: 0}}\n{datasets}\n"
        )
        crawl = parse_crawl(text, "shop")
        crawl_once(crawl, settings)
        first = stages.process_once("shop", settings)
        shop.prices = {1: "10,00", 2: "25,00"}
        crawl_once(crawl, settings)
        second = stages.process_once("shop", settings)
    assert first is not None
    assert second is not None
    assert first.datasets.pop("no_dataset")["quarantined"] == 3  # the mentions
    assert second.datasets.pop("no_dataset")["quarantined"] == 2
    assert {name: counts["published"] for name, counts in first.datasets.items()} == {
        "offers": 3,
        "products": 3,
        "shelf": 3,
    }
    assert {name: counts["published"] for name, counts in second.datasets.items()} == {
        "offers": 1,
        "products": 1,
        "shelf": 0,
    }
    history = "SELECT sku, version, price, changed FROM {} ORDER BY ALL"
    for name in ("offers", "products"):
        found = [(sku, version, float(price), changed) for sku, version, price, changed in rows(settings, history.format(name))]
        assert found == [("K1", 1, 10, []), ("K2", 1, 20, []), ("K2", 2, 25, ["price"]), ("K3", 1, 30, [])]
    assert rows(settings, "SELECT title FROM shelf ORDER BY title") == [("Kettle 1",), ("Kettle 2",), ("Kettle 3",)]
    assert rows(settings, "SELECT count(*) FROM articles") == [(0,)]
