"""A definition that two crawls share or contradict, one that was deleted while its table is there, and a name that is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from processing import stages
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError
from storage.lake.maintenance import maintain
from tests.processing.crawlruns import capture, closed_run
from tests.processing.test_datasets import CRAWL, PRODUCTS, SHOP, product, rows, with_dataset

SALE = Crawl.model_validate({"name": "sale", "seeds": [SHOP + "/sale"], "datasets": ["products"]})
WIDER = PRODUCTS.replace("decimal(12,2)", "decimal(14,2)") + "fields: {colour: string}\n"


def test_two_crawls_feed_one_dataset(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    gone = []
    for number, (crawl, page) in enumerate(
        [
            (CRAWL, product("1", "A1", "10.00")),
            (SALE, product("sale", "A1", "8.00", 60)),
            (CRAWL, capture(f"{SHOP}/p/1", "gone", 120, status=404)),  # the page of the sale has it still
        ],
        1,
    ):
        closed_run(settings, crawl, str(number), [page])
        assert stages.process_once(crawl.name, settings) is not None
        gone += rows(settings, "SELECT gone_at IS NOT NULL FROM products_latest")
    assert gone == [(False,)] * 3
    assert rows(settings, "SELECT crawl, version, price::VARCHAR FROM products ORDER BY ALL") == [("sale", 2, "8.00"), ("shop", 1, "10.00")]


def test_crawls_that_were_planned_by_two_definitions(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "10.00")])
    early = stages.plan("shop", settings)
    assert early is not None
    with_dataset(settings, WIDER)
    closed_run(settings, SALE, "2", [product("sale", "A2", "8.00", 60)])
    assert stages.process_once("sale", settings) is not None
    for segment in stages.segments(early.process_run, settings):
        stages.extract(early.process_run, segment, settings)
    for stage in (stages.resolve, stages.gate, stages.publish):
        stage(early.process_run, settings)
    assert rows(settings, "SELECT sku, price::VARCHAR, colour FROM products ORDER BY sku") == [("A1", "10.00", None), ("A2", "8.00", None)]
    assert rows(settings, "SELECT typeof(price) FROM products LIMIT 1") == [("DECIMAL(14,2)",)]


def test_a_definition_that_contradicts_the_table_costs_only_its_crawl(sqlite_settings: Settings, tmp_path: Path) -> None:
    settings = with_dataset(sqlite_settings)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "10.00")])
    assert stages.process_once("shop", settings) is not None
    other = with_dataset(settings.model_copy(update={"home": tmp_path / "second"}), PRODUCTS.replace("[host, sku]", "[url]"))
    other = other.model_copy(update={"home": settings.home})  # another project with the same lake
    closed_run(other, SALE, "2", [product("sale", "A2", "8.00", 60)])
    with pytest.raises(ConfigError, match=r"does not fit its table: the key was .host, sku. and would be .url.* another name"):
        stages.process_once("sale", other)
    closed_run(settings, CRAWL, "3", [product("1", "A1", "12.00", 120)])
    assert stages.process_once("shop", settings) is not None
    assert stages.process_once("sale", settings) is not None  # by the definition of the table, nothing was lost
    assert rows(settings, "SELECT sku, version FROM products ORDER BY ALL") == [("A1", 1), ("A1", 2), ("A2", 1)]


def test_a_table_whose_definition_was_deleted(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings, PRODUCTS, "goods")
    crawl = CRAWL.model_copy(update={"datasets": ("articles", "goods")})
    closed_run(settings, crawl, "1", [product("1", "A1", "10.00")])
    assert stages.process_once("shop", settings) is not None
    (Path(settings.datasets) / "goods.yaml").unlink()
    closed_run(settings, crawl, "2", [product("1", "A1", "12.00", 60)])
    with pytest.raises(ConfigError, match=r"There is no dataset 'goods'.* Write .*goods.yaml, or .* Its table is in the lake"):
        stages.process_once("shop", settings)
    assert rows(settings, "SELECT sku, version FROM goods_latest") == [("A1", 1)]
    maintain(settings)
    with_dataset(settings, PRODUCTS, "goods")
    assert stages.process_once("shop", settings) is not None
    assert rows(settings, "SELECT sku, version FROM goods_latest") == [("A1", 2)]


def test_a_name_that_is_taken() -> None:
    with pytest.raises(ConfigError, match=r"line 2: datasets.0: the name 'runs' is taken by a table of the lake"):
        parse_crawl("seeds: ['https://a.example/']\ndatasets: [runs]\n", "shop")
