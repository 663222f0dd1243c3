"""`crawlhouse check` with datasets: the rows that each would get, what would go to quarantine and why, and what the exit code says."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawlhouse.actions import crawl as crawl_action
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from schemas.datasets.dataset_file import find_dataset
from storage.lake.lake import open_lake
from tests.crawlhouse.conftest import Run
from tests.processing.crawlruns import html, prose
from tests.spiders.smallserver import Headers, small_server

PRICES = {1: "10,00 €", 2: "20,00 €", 3: "cheap", 4: "-1,00 €", 5: "1.999,00 €"}
SPIDER = """
from dataclasses import dataclass
import scrapy

@dataclass
class Offer:
    sku: str
    name: str

class ShopSpider(scrapy.Spider):
    name = "shop"
    start_urls = ["BASE/"]

    def parse(self, response):
        yield from response.follow_all(css="a", callback=self.parse_product)

    def parse_product(self, response):
        yield Offer("K9", response.css("h1::text").get())
        yield {"type": "Review", "stars": 5}
"""
FUNCTIONS = """
def headings(page):
    yield {"heading": page.html.partition("<h1>")[2].partition("<")[0]}

def broken(page):
    raise LookupError("no table on the page")
"""
SHELF = """
source: {selectors: {sku: .sku, price: {css: .price, type: 'decimal(8,2)'}}}
match: [/p/]
key: [host, sku]
expectations:
  - {type: expect_column_values_to_be_between, column: price, min_value: 0, severity: warning}
  - {type: expect_column_values_to_be_between, column: price, max_value: 1000}
  - {type: expect_column_mean_to_be_between, column: price, min_value: 1}
drift:
  - {measure: null_share, column: price}
"""
OFFER = {"sku": "string", "name": "string"}
CRAWL = """
{more}
scope: {{hosts: ['{host}']}}
politeness: {{delay: 0, contact: tests@example.com}}
network: {{allow: [127.0.0.1/32]}}
datasets: {datasets}
"""


def page(path: str, times: int) -> tuple[int, Headers, bytes]:
    if path == "/":
        return 200, {}, ("<h1>Shop</h1>" + "".join(f'<a href="/p/{number}">{number}</a>' for number in PRICES)).encode()
    if path == "/moved":
        return 200, {"Content-Type": "text/html"}, b"<meta http-equiv=refresh content='0; url=https://elsewhere.example/new'>"
    if path == "/story":
        return 200, {"Content-Type": "text/html"}, html("A long story", prose(1)).encode()
    number = int(path.rpartition("/")[2]) if path.startswith("/p/") else 0
    if number not in PRICES:
        return 404, {}, b""
    data = {"@context": "https://schema.org", "@type": "Product", "sku": f"K{number}", "name": f"Kettle {number}"}
    text = f"<script type='application/ld+json'>{json.dumps(data)}</script><h1>Kettle {number}</h1><b class=sku>K{number}</b>"
    return 200, {}, f"{text} <i class=price>{PRICES[number]}</i>".encode()


@pytest.fixture(autouse=True)
def _own_modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command imports the user's modules into this process: each test has its own."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in ("checkedshop", "checkedfunctions"):
        sys.modules.pop(name, None)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project with two crawls of a shop, one of them with a spider of its own."""
    for name in ("crawls", "datasets"):
        (tmp_path / name).mkdir()
    with small_server(page) as server:
        host = server.base.partition("//")[2]
        own = CRAWL.format(more="spider: checkedshop:ShopSpider", host=host, datasets="[offers, shelf, headings, products]")
        (tmp_path / "crawls" / "shop.yaml").write_text(own)
        (tmp_path / "crawls" / "home.yaml").write_text(
            CRAWL.format(more=f"seeds: ['{server.base}/']", host=host, datasets="[products, broken, missed]")
        )
        story = CRAWL.format(more=f"seeds: ['{server.base}/story']", host=host, datasets="[articles]") + "articles: {min_length: 90000}\n"
        (tmp_path / "crawls" / "story.yaml").write_text(story)
        (tmp_path / "crawls" / "moved.yaml").write_text(story.replace("/story", "/moved"))
        (tmp_path / "crawls" / "checkedshop.py").write_text(SPIDER.replace("BASE", server.base))
        (tmp_path / "crawls" / "checkedfunctions.py").write_text(FUNCTIONS)
        (tmp_path / "datasets" / "shelf.yaml").write_text(SHELF)
        (tmp_path / "datasets" / "offers.yaml").write_text("source: {items: Offer}\nkey: [host, sku]\n")
        missed = "source: {each: li, selectors: {price: .price}}\nmatch: ['/$']\nkey: [url]\n"
        (tmp_path / "datasets" / "missed.yaml").write_text(missed)
        for name in ("headings", "broken"):
            text = f"source: {{function: 'checkedfunctions:{name}'}}\nkey: [url]\nfields: {{heading: string}}\n"
            (tmp_path / "datasets" / f"{name}.yaml").write_text(text)
        yield tmp_path


def test_the_rows_of_every_dataset_are_shown(nowhere: Run, project: Path) -> None:
    ended = nowhere("check", "shop", "--pages", "6")
    out = " ".join(ended.out.split())
    assert ended.code == 8
    assert "they break critical expectations or steps of shelf" in ended.err
    assert "None of these pages is an article" not in ended.out + ended.err
    assert "\x1b" not in ended.out  # no colours in a pipe
    assert "rows of offers, shelf, headings, products" in out
    assert "1 row of shelf for" in out  # the rest of the cell is on its next line
    assert "offers: 1 row to publish" in out
    assert "offers: 4 rows for quarantine" in out
    assert "another row of this run has this key and" in out
    assert "shelf: 3 rows to publish" in out
    assert "shelf: 2 rows for quarantine" in out
    assert "type price: 'cheap' is not a" in out  # the rest of the cell is on its next line
    assert "price -1.00:" in out  # the rest of the cell is on its next line
    assert "shelf: a run would hold back these rows: expect_column_values_to_be_between(price): 1 row, expected to be" in out
    assert "only a whole run can be judged by expect_column_mean_to_be_between(price), drift of null_share of price" in out
    assert "headings: 6 rows to publish" in out
    assert "products: 5 rows to publish" in out
    assert "products: without a value in every row: gtin, mpn," in out
    assert "Items that no dataset takes: 5 rows for quarantine" in out
    assert "no dataset of the crawl takes items of the" in out
    assert not (project / "var").exists()


def test_an_article_that_breaks_the_policy(nowhere: Run, project: Path) -> None:
    ended = nowhere("check", "story", "--pages", "1")
    out = " ".join(ended.out.split())
    assert ended.code == 0
    assert "article for quarantine: too_short" in out
    assert "Articles for quarantine rule what it is URL" in out
    assert "length >= 90000" in out
    assert "title A long story" in out


def test_a_definition_that_does_not_fit_its_table_is_refused(nowhere: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert nowhere("check", "shop", "--offline").code == 0
    assert not (project / "var").exists()
    settings = Settings(home=project / "var", crawls=project / "crawls", datasets=str(project / "datasets"))
    settings.home.mkdir()
    with open_lake(settings) as lake:
        shelf, offers = (find_dataset(name, project / "datasets") for name in ("shelf", "offers"))
        lake.ensure_dataset_tables([shelf, offers.with_fields(OFFER)])
    assert nowhere("check", "shop", "--offline").code == 0
    (project / "datasets" / "shelf.yaml").write_text(SHELF.replace("[host, sku]", "sku"))
    for arguments in (["check", "shop", "--offline"], ["check"]):
        ended = nowhere(*arguments)
        assert ended.code == 2
        assert "'shelf' does not fit its table: the key was [host, sku] and would be [sku]" in ended.err
    warnings: list[str] = []
    monkeypatch.setattr(crawl_action, "say", warnings.append)
    crawl_action.warn_about_datasets(read_crawl(project / "crawls" / "shop.yaml"), settings)
    assert "the key was [host, sku] and would be [sku]" in warnings[0]
    (project / "datasets" / "shelf.yaml").write_text(SHELF)
    (project / "datasets" / "offers.yaml").write_text("source: {items: Offer}\nkey: [host, sku]\nfields: {sku: string, name: integer}\n")
    ended = nowhere("check", "shop", "--offline")
    assert ended.code == 2
    assert "the field 'name' is string in the table and would be integer" in ended.err


def test_a_dataset_without_rows_and_one_that_cannot_be_read(nowhere: Run, project: Path) -> None:
    ended = nowhere("check", "home", "--pages", "1")
    assert ended.code == 10
    assert "No page could be read for broken." in ended.err
    assert "LookupError: no table on the page (checkedfunctions.py, line" in ended.err
    assert "products: no rows on these pages." in ended.err
    assert "missed: no rows on these pages. 'each' (li) finds nothing on the 1 page read for it." in ended.err
    assert "article" not in ended.out + ended.err
    assert "broken: could not be read on 1 page" in ended.out


def test_the_target_of_a_refresh_is_named(nowhere: Run, project: Path) -> None:
    ended = nowhere("check", "moved")
    assert "refresh" in ended.out
    assert "https://elsewhere.example/new" in ended.out
    assert "leads out of the crawl, to https://elsewhere.example/new. If it is meant" in " ".join(ended.err.split())
