"""Item pipelines of users' spiders: they run as under Scrapy, before items are stored, and what they drop or break is counted."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.config.settings import Settings
from schemas.errors import SpiderError
from spiders.custom.item_pipelines import MAX_DROP_REASONS
from storage.index.items import read_items
from storage.objects.open import open_store
from tests.spiders.crawling import Crawled, crawl_urls, own_scope
from tests.spiders.smallserver import Headers, SmallServer, small_server

SETTINGS = """
BOT_NAME = "shop"
SPIDER_MODULES = ["shop.spiders"]
ROBOTSTXT_OBEY = False
MINIMUM = 3
ITEM_PIPELINES = {
    "shop.pipelines.Second": 200,
    "shop.pipelines.First": 100,
    "shop.pipelines.Third": 300,
    "shop.pipelines.Off": 400,
    "shop.pipelines.Never": None,
}
"""

PIPELINES = """
import asyncio, json, os
from pathlib import Path
from scrapy.exceptions import DropItem, NotConfigured
from itemadapter import ItemAdapter
from shop.items import Product

CALLS = Path(os.environ["OWN_SPIDER_CALLS"])

def note(*words):
    with CALLS.open("a") as file:
        file.write(json.dumps(words) + "\\n")

class First:
    def __init__(self, minimum, name):
        self.minimum, self.name = minimum, name

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler.settings.getint("MINIMUM"), crawler.settings["SHOP_NAME"])

    def open_spider(self, spider):
        note("open First", spider.name)

    def close_spider(self, spider):
        note("close First", spider.name)

    def process_item(self, item, spider):
        if item["number"] < self.minimum:
            raise DropItem("too small")
        if item["number"] == 5:
            raise DropItem(f"item {item['number']}\\nis the fifth")
        item["by"] = [self.name]
        return item

class Second:
    async def open_spider(self):
        await asyncio.sleep(0.5)
        note("open Second")

    async def close_spider(self):
        await asyncio.sleep(0.1)
        note("close Second")

    async def process_item(self, item):
        await asyncio.sleep(0)
        if item["number"] == 6:
            return None
        item["by"].append("Second")
        return Product(**item)

class Third:
    def process_item(self, item):
        adapter = ItemAdapter(item)
        if adapter["number"] == 7:
            raise ValueError("seven is no price")
        adapter["by"] = [*adapter["by"], type(item).__name__]
        return item

class Off:
    @classmethod
    def from_crawler(cls, crawler):
        raise NotConfigured("no account")

class Never:
    def __init__(self):
        raise RuntimeError("this pipeline is switched off")

class Reasons:
    def process_item(self, item):
        raise DropItem(f"reason {item['number']}")

class BrokenOpening:
    def open_spider(self):
        raise ConnectionError("no database")

class BrokenClosing:
    def process_item(self, item):
        return item

    def close_spider(self):
        raise OSError("disk full")

class Hanging:
    def open_spider(self, spider):
        from spiders.custom import item_pipelines
        item_pipelines.MAX_PIPELINE_SECONDS = 1.0  # in this worker's process: the test waits for it

    async def process_item(self, item):
        if item["number"] == 1:
            await asyncio.Event().wait()
        return item
"""

ITEMS = """
from dataclasses import dataclass

@dataclass
class Product:
    number: int
    by: list[str]
"""

SPIDERS = """
import os
import scrapy

class Numbers(scrapy.Spider):
    name = "numbers"
    custom_settings = {"SHOP_NAME": "corner shop"}
    many = 10

    async def start(self):
        yield scrapy.Request(os.environ["OWN_SPIDER_BASE"] + "/page")

    def parse(self, response):
        for number in range(self.many):
            yield {"number": number}

class Reasons(Numbers):
    custom_settings = {"ITEM_PIPELINES": {"shop.pipelines.Reasons": 1}}
    many = 150

class BrokenOpening(Numbers):
    custom_settings = {"ITEM_PIPELINES": {"shop.pipelines.BrokenOpening": 1}}

class BrokenClosing(Numbers):
    custom_settings = {"ITEM_PIPELINES": {"shop.pipelines.BrokenClosing": 1}}

class Hanging(Numbers):
    custom_settings = {"ITEM_PIPELINES": {"shop.pipelines.Hanging": 1}}

class Lost(Numbers):
    custom_settings = {"ITEM_PIPELINES": {"shop.pipelines.NoSuchPipeline": 1}}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_settings: Settings) -> Path:
    """A project as `scrapy startproject` lays it out, beside the crawls; the file to which its pipelines write what they do."""
    package = sqlite_settings.crawls / "shop"
    (package / "spiders").mkdir(parents=True)
    files = {
        "settings": SETTINGS,
        "pipelines": PIPELINES,
        "items": ITEMS,
        "spiders/numbers": SPIDERS,
        "__init__": "",
        "spiders/__init__": "",
    }
    for name, text in (files | {"__init__": "", "spiders/__init__": ""}).items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setenv("OWN_SPIDER_CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


@pytest.fixture(autouse=True)
def _no_shop_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """`plan` imports the spider's module into this process: each test has a module of its own."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name == "shop" or name.startswith("shop.")]:
        monkeypatch.delitem(sys.modules, name)


def page(path: str, times: int) -> tuple[int, Headers, bytes]:
    return (404, {}, b"") if "." in path else (200, {}, b"<p>Here.")


def run_shop(name: str, server: SmallServer, settings: Settings) -> Crawled:
    return crawl_urls(settings, [], f"spider: shop.spiders.numbers:{name}\n{own_scope(server.base)}")


def items(done: Crawled, settings: Settings) -> list[tuple[str | None, dict[str, Any]]]:
    manifest = done.manifest
    return [(one.type, one.item) for one in read_items(manifest.crawl, manifest.crawl_run, manifest.segments, open_store(settings))]


def test_a_projects_pipelines_run_before_items_are_stored(
    at: Callable[[SmallServer], None], sqlite_settings: Settings, shop: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with small_server(page) as server:
        at(server)
        done = run_shop("Numbers", server, sqlite_settings)
    by = ["corner shop", "Second", "Product"]
    assert items(done, sqlite_settings) == [("Product", {"number": number, "by": by}) for number in (3, 4, 8, 9)]
    statistics = done.manifest.statistics
    assert statistics.items == 4
    assert statistics.dropped_items == {"too small": 3, "item 5": 1}
    assert statistics.pipeline_errors == {"process_item of Second: TypeError": 1, "process_item of Third: ValueError": 1}
    assert statistics.callback_errors == {}
    assert done.manifest.counts.fetched == done.manifest.counts.due == 1
    calls = [json.loads(line) for line in shop.read_text().splitlines()]
    assert calls == [["open First", "numbers"], ["open Second"], ["close Second"], ["close First", "numbers"]]
    log = capfd.readouterr().err
    assert f"process_item of Third failed at {server.base}/page: ValueError: seven is no price (pipelines.py, line" in log
    assert "process_item of Second failed" in log
    assert "it returned None, which is not an item. Return the item, or raise DropItem" in log
    assert "ROBOTSTXT_OBEY in shop.settings has no effect in crawlhouse. Say it in the crawl's YAML: politeness.robots" in log
    assert "no account" in log


def test_reasons_that_name_the_item_are_counted_together(at: Callable[[SmallServer], None], sqlite_settings: Settings, shop: Path) -> None:
    with small_server(page) as server:
        at(server)
        dropped = run_shop("Reasons", server, sqlite_settings).manifest.statistics.dropped_items
    assert sum(dropped.values()) == 150
    assert dropped["reason 7"] == 1
    assert dropped["other reasons"] == 150 - MAX_DROP_REASONS


def test_a_pipeline_that_cannot_be_had_fails_the_run(at: Callable[[SmallServer], None], sqlite_settings: Settings, shop: Path) -> None:
    with small_server(page) as server:
        at(server)
        with pytest.raises(SpiderError, match=r"item pipelines cannot be made: NameError: .*NoSuchPipeline"):
            run_shop("Lost", server, sqlite_settings)


def test_a_pipeline_that_does_not_open_fails_the_run(at: Callable[[SmallServer], None], sqlite_settings: Settings, shop: Path) -> None:
    with small_server(page) as server:
        at(server)
        with pytest.raises(SpiderError, match=r"open_spider of the item pipeline BrokenOpening failed: ConnectionError: no database"):
            run_shop("BrokenOpening", server, sqlite_settings)


def test_a_pipeline_that_does_not_close_is_counted(at: Callable[[SmallServer], None], sqlite_settings: Settings, shop: Path) -> None:
    with small_server(page) as server:
        at(server)
        done = run_shop("BrokenClosing", server, sqlite_settings)
    assert len(items(done, sqlite_settings)) == 10
    assert done.manifest.statistics.pipeline_errors == {"close_spider of BrokenClosing: OSError": 1}


def test_a_pipeline_that_hangs_costs_its_item(at: Callable[[SmallServer], None], sqlite_settings: Settings, shop: Path) -> None:
    with small_server(page) as server:
        at(server)
        done = run_shop("Hanging", server, sqlite_settings)
    assert [item["number"] for _, item in items(done, sqlite_settings)] == [0, 2, 3, 4, 5, 6, 7, 8, 9]
    assert done.manifest.statistics.pipeline_errors == {"process_item of Hanging: TimeoutError": 1}


def test_settings_that_cannot_be_imported_are_named(at: Callable[[SmallServer], None], sqlite_settings: Settings, shop: Path) -> None:
    (sqlite_settings.crawls / "shop" / "settings.py").write_text("1 / 0", encoding="utf-8")
    with small_server(page) as server:
        at(server)
        with pytest.raises(SpiderError, match=r"The settings shop\.settings of Numbers cannot be imported: ZeroDivisionError"):
            run_shop("Numbers", server, sqlite_settings)
