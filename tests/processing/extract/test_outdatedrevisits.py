"""Pages that have not changed are read again, from the record that they refer to, when what reads them has changed."""

from __future__ import annotations

import json

from processing import stages
from processing.extract.referred_records import read_page_record
from schemas.config.settings import Settings
from schemas.keys import revisits_key
from schemas.page import WarcPointer
from storage.index.rows import CaptureRow
from storage.objects.open import open_store
from tests.processing.crawlruns import article, capture, closed_run, store_items
from tests.processing.lakeaccounts import check_accounts
from tests.processing.test_datasets import CRAWL, PRODUCTS, SHOP, rows, with_dataset

PAGE = "<html><body><h1>Kettle</h1><b class=sku>A1</b> <i class=price>10.00</i> <u class=sale>8.00</u></body></html>"
HISTORY = "history: observations\n"
NAMED = "expectations: [{type: expect_column_values_to_be_in_set, column: name, value_set: [NAME], severity: critical}]\n"
OFFERS = "source: {items: Offer}\nkey: [host, sku]\nfields: {sku: string}\n"
OWN = ("products", "visits", "named", "offers")


def with_definitions(settings: Settings, price: str, name: str, item: str) -> Settings:
    """Four datasets: a new version for a change, a row for each visit, one that a rule may hold back, and items."""
    products = PRODUCTS.replace(".price", price)
    for text, dataset in ((products, "products"), (products + HISTORY, "visits"), (OFFERS.replace("Offer", item), "offers")):
        settings = with_dataset(settings, text, dataset)
    return with_dataset(settings, PRODUCTS + NAMED.replace("NAME", name), "named")


def visited(settings: Settings, number: int, earlier: dict[str, CaptureRow]) -> None:
    """A further closed run, in which no page has changed."""
    captures = [capture(url, "", number * 60 + place, status=304) for place, url in enumerate(earlier)]
    closed_run(settings, CRAWL.model_copy(update={"datasets": ("articles", *OWN)}), str(number), captures, refers_to=earlier)


def made(settings: Settings) -> dict[str, tuple[int, int]]:
    """Process what is closed: how many rows were made for each dataset, and published."""
    report = stages.process_once("shop", settings)
    assert report is not None
    check_accounts(settings)
    return {name: (counts["made"], counts["published"]) for name, counts in report.datasets.items()}


def test_pages_that_have_not_changed_are_read_by_the_definitions_of_today(sqlite_settings: Settings) -> None:
    settings = with_definitions(sqlite_settings, ".price", "Teapot", "Other")
    first = CRAWL.model_copy(update={"datasets": OWN})
    earlier = {row.url: row for row in closed_run(settings, first, "1", [capture(f"{SHOP}/p/1", PAGE), article(f"{SHOP}/news", 1, 1)])}
    offers: list[dict[str, object]] = [{"type": "Offer", "sku": sku} for sku in ("A", "B")]
    store_items(settings, earlier[f"{SHOP}/p/1"], *offers)
    assert made(settings) == {"products": (1, 1), "visits": (1, 1), "named": (0, 0), "offers": (0, 0), "no_dataset": (2, 0)}

    with_definitions(settings, ".sale", "Kettle", "Offer")
    visited(settings, 2, earlier)
    assert made(settings) == {"products": (1, 1), "visits": (1, 1), "named": (1, 1), "offers": (2, 2), "articles": (1, 1)}
    assert rows(settings, "SELECT version, price::VARCHAR, changed, hour(fetched_at), crawl_run[-1:] FROM products ORDER BY version") == [
        (1, "10.00", [], 12, "1"),
        (2, "8.00", ["price"], 14, "2"),
    ]
    assert rows(settings, "SELECT sku, hour(fetched_at) FROM offers ORDER BY sku") == [("A", 14), ("B", 14)]
    (pointer,) = rows(settings, "SELECT warc_filename, warc_record_offset, warc_record_length, content_digest FROM articles")
    assert b"Story 1" in read_page_record(open_store(settings), WarcPointer(*pointer)).capture.body

    visited(settings, 3, earlier)
    run = stages.plan("shop", settings)
    assert run is not None
    again = json.loads(open_store(settings).get_bytes(revisits_key(run.process_run, "3-0")))
    assert {name for names in again.values() for name in names} == {"visits"}  # a visit repeats what its record says by today's definition

    with_definitions(settings, ".price", "Kettle", "Offer")
    open_store(settings).delete(earlier[f"{SHOP}/p/1"].warc_filename)
    unchanged = {"named": (0, 0), "offers": (0, 0), "articles": (1, 0)}
    assert made(settings) == {"products": (0, 0), "visits": (1, 1), **unchanged}  # the visits' definition is that of the first run again
    found = (
        "SELECT o.dataset, o.reason, o.detail FROM (SELECT unnest(outcomes) AS o FROM captures WHERE crawl_run LIKE '%3' AND url LIKE '%1')"
    )
    reasons = {dataset: (reason, detail) for dataset, reason, detail in rows(settings, found)}
    assert {name: reason for name, (reason, _) in reasons.items() if reason} == {
        "articles": "no_article",
        "products": "dataset_error",
    }
    assert "000001/1-0.warc.gz" in reasons["products"][1]
