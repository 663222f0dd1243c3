"""Pages that have not changed are read again, from the record that they refer to, when what reads them has changed."""

from __future__ import annotations

import gzip
import json
from typing import Any

from processing import stages
from processing.extract.referred_records import read_page_record
from schemas.config.settings import Settings
from schemas.keys import mark_key, segment_items_key
from schemas.page import WarcPointer
from storage.index.rows import CaptureRow
from storage.objects.open import open_store
from tests.processing.crawlruns import article, capture, closed_run
from tests.processing.lakeaccounts import check_accounts
from tests.processing.test_datasets import CRAWL, JUDGED, PRODUCTS, SHOP, product, rows, with_dataset

PRICE = "price: {css: .price, type: 'decimal(12,2)'}"
SALE = PRODUCTS.replace(".price", ".sale")
ONLY_PRODUCTS = CRAWL.model_copy(update={"datasets": ("products",)})
PAGE = "<html><body><h1>Kettle</h1><b class=sku>A1</b> <i class=price>10.00</i> <u class=sale>8.00</u></body></html>"


def visited(settings: Settings, number: int, earlier: dict[str, CaptureRow]) -> dict[str, dict[str, int]]:
    """A further run in which no page has changed."""
    captures = [capture(url, "", number * 60 + place, status=304) for place, url in enumerate(earlier)]
    closed_run(settings, CRAWL, str(number), captures, refers_to=earlier)
    report = stages.process_once("shop", settings)
    assert report is not None
    check_accounts(settings)
    return report.datasets


def first_run(settings: Settings, *pages: Any) -> dict[str, CaptureRow]:
    found = closed_run(settings, ONLY_PRODUCTS, "1", list(pages))
    assert stages.process_once("shop", settings) is not None
    return {row.url: row for row in found}


def test_another_definition_and_a_further_dataset(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    earlier = first_run(settings, capture(f"{SHOP}/p/1", PAGE), article(f"{SHOP}/news", 1, 1))
    with_dataset(settings, SALE)
    found = visited(settings, 2, earlier)
    assert found["products"] == {"made": 1, "published": 1, "unchanged": 0, "quarantined": 0}
    assert found["articles"]["published"] == 1
    columns = "version, price::VARCHAR, changed, hour(fetched_at), crawl_run[-1:]"
    assert rows(settings, f"SELECT {columns} FROM products ORDER BY version") == [
        (1, "10.00", [], 12, "1"),
        (2, "8.00", ["price"], 14, "2"),
    ]
    ((url, *pointer),) = rows(settings, "SELECT url, warc_filename, warc_record_offset, warc_record_length, content_digest FROM articles")
    assert url == f"{SHOP}/news"
    assert b"Story 1" in read_page_record(open_store(settings), WarcPointer(*pointer)).capture.body
    assert visited(settings, 3, earlier)["products"]["made"] == 0
    assert rows(settings, "SELECT DISTINCT outcome FROM captures WHERE crawl_run LIKE '%3'") == [("known",)]
    (last,) = rows(settings, "SELECT DISTINCT process_run FROM captures WHERE crawl_run LIKE '%3'")[0]
    assert json.loads(open_store(settings).get_bytes(mark_key(last, "revisits"))) == []  # no page was read a third time


def test_observations_repeat_what_the_definition_of_today_reads(sqlite_settings: Settings) -> None:
    history = "history: observations\n"
    settings = with_dataset(sqlite_settings, PRODUCTS + history)
    earlier = first_run(settings, capture(f"{SHOP}/p/1", PAGE))
    with_dataset(settings, SALE + history)
    for number in (2, 3):
        assert visited(settings, number, earlier)["products"]["made"] == 1
    assert rows(settings, "SELECT version, price::VARCHAR FROM products ORDER BY version") == [(1, "10.00"), (2, "8.00"), (3, "8.00")]


def test_a_corrected_rule_and_pages_whose_bytes_are_gone(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings, JUDGED)
    earlier = first_run(settings, product("1", "A1", "10.00", name="Teapot"), product("2", "A2", "5.00"))
    assert rows(settings, "SELECT count(*) FROM products") == [(0,)]
    with_dataset(settings, JUDGED.replace("[Kettle]", "[Kettle, Teapot]"))
    assert visited(settings, 2, earlier)["products"]["published"] == 2
    with_dataset(settings, SALE)
    open_store(settings).delete(earlier[f"{SHOP}/p/1"].warc_filename)
    assert visited(settings, 3, earlier)["products"]["made"] == 0
    ((reason, detail),) = rows(settings, "SELECT DISTINCT outcomes[2].reason, outcomes[2].detail FROM captures WHERE crawl_run LIKE '%3'")
    assert reason == "dataset_error"
    assert "000001/1-0.warc.gz" in detail


def test_the_items_of_a_page_that_a_spider_saw_before(sqlite_settings: Settings) -> None:
    offers = "source: {items: Offer}\nkey: [host, sku]\nfields: {sku: string}\n"
    settings = with_dataset(sqlite_settings, offers.replace("Offer", "Other"), "products")
    (row,) = closed_run(settings, ONLY_PRODUCTS, "1", [capture(f"{SHOP}/p/1", PAGE)])
    item = {"url": row.url, "fetched_at": row.fetch_time.isoformat(), "crawl_run": row.crawl_run, "warc_filename": row.warc_filename}
    lines = [{**item, "warc_record_offset": row.warc_record_offset, "item": {"type": "Offer", "sku": sku}} for sku in ("A", "B")]
    data = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
    open_store(settings).put_bytes(segment_items_key("shop", row.crawl_run, "1-0"), data)
    assert stages.process_once("shop", settings) is not None
    with_dataset(settings, offers)
    assert visited(settings, 2, {row.url: row})["products"] == {"made": 2, "published": 2, "unchanged": 0, "quarantined": 0}
    assert rows(settings, "SELECT sku, hour(fetched_at) FROM products ORDER BY sku") == [("A", 14), ("B", 14)]
