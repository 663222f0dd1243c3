"""Pages of a made-up shop, and a closed crawl run whose spider yielded many items.

`python -m benchmarks.inputs.shop ITEMS ITEMS_A_PAGE` builds the run in the lake that the environment names.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.inputs.synthetic_crawl import CRAWL
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings, load_settings
from schemas.items import Field, ItemFieldType, ItemType
from schemas.keys import segment_key
from schemas.manifest import FetchCounts, Manifest, Segment
from schemas.runs import CrawlRun, config_hash
from spiders.spool.items import ItemBuffer, append_items
from spiders.spool.spool import upload_segment
from storage.database.engine import open_database
from storage.ledger.ledger import insert_segment, open_ledger
from storage.objects.open import open_store
from storage.warc.writer import SegmentWriter

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
RELATED = 60  # as many as a large list of goods has
SENTENCES = 400  # of a description and its reviews: with them a page has about 80 kB
PAGES_A_SEGMENT = 500
OFFERS = """
source: {items: Offer}
key: [host, sku]
expectations:
  - {type: expect_column_values_to_be_between, column: price, min_value: 0, severity: warning}
  - {type: expect_column_values_to_not_be_null, column: name}
"""
OFFER = ItemType(
    name="Offer",
    module="shop",
    fields=(
        *(Field(name=name, type=ItemFieldType(type="string")) for name in ("sku", "name", "brand", "text")),
        Field(name="price", type=ItemFieldType(type="decimal")),
    ),
)
_WORDS = tuple("kettle steel handle water kitchen lid quick heat cable office morning tea coffee quiet safe clean light red blue".split())  # noqa: SIM905


def product_page(number: int) -> str:
    """A product's page of about 80 kB: a menu, the product with its data in JSON-LD and microdata, reviews, related goods."""
    chance = random.Random(number)
    product = {
        "@context": "https://schema.org", "@type": "Product", "sku": f"K{number}", "name": f"Kettle {number}", "brand": {"name": "ACME"},
        "description": _text(chance, 8), "image": [f"/i/{number}-{place}.jpg" for place in range(8)],
        "offers": {"@type": "Offer", "price": f"{number % 90 + 10}.50", "priceCurrency": "EUR", "availability": "https://schema.org/InStock"},
        "review": [
            {"@type": "Review", "author": {"name": f"Reader {place}"}, "reviewRating": {"ratingValue": 4}, "reviewBody": _text(chance, 3)}
            for place in range(60)
        ],
    }  # fmt: skip
    menu = "".join(f'<li class="menu__item"><a class="menu__link" href="/c/{place}">{_text(chance, 0, 3)}</a></li>' for place in range(120))
    related = "".join(_card(chance, number + place) for place in range(RELATED))
    reviews = "".join(f'<div class="review"><b>Reader {place}</b><p>{_text(chance, 3)}</p></div>' for place in range(SENTENCES // 4))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Kettle {number} | Shop</title>'
        f'<script type="application/ld+json">{json.dumps(product)}</script></head><body><nav><ul>{menu}</ul></nav>'
        f'<main itemscope itemtype="https://schema.org/Product"><h1 itemprop="name">Kettle {number}</h1>'
        f'<span class="sku" itemprop="sku">K{number}</span><div itemprop="offers" itemscope itemtype="https://schema.org/Offer">'
        f'<span class="price" itemprop="price" content="{number % 90 + 10}.50">{number % 90 + 10},50 €</span></div>'
        f'<div class="description"><p>{_text(chance, SENTENCES // 4)}</p></div><section>{reviews}</section></main>'
        f'<ul class="related">{related}</ul><footer>{_text(chance, 5)}</footer></body></html>'
    )


def _card(chance: random.Random, number: int) -> str:
    return (
        f'<li class="card"><a class="card__link" href="/p/{number}"><img class="card__image" src="/i/{number}.jpg" alt="Kettle {number}">'
        f'<span class="card__name">Kettle {number}</span><span class="card__price">{number % 90 + 10},50 €</span></a>'
        f"<p>{_text(chance, 4)}</p></li>"
    )


def _text(chance: random.Random, sentences: int, words: int = 12) -> str:
    return " ".join(" ".join(chance.choices(_WORDS, k=words)).capitalize() + "." for _ in range(max(sentences, 1)))


def page_capture(number: int) -> Capture:
    """A capture of a product's page."""
    return Capture(
        url=f"https://shop.example.com/p/{number}",
        fetched_at=BEGIN + timedelta(seconds=number),
        status=200,
        reason="OK",
        protocol="HTTP/1.1",
        request_headers=((b"Host", b"shop.example.com"),),
        response_headers=((b"Content-Type", b"text/html; charset=utf-8"),),
        body=product_page(number).encode(),
    )


def make_items_run(settings: Settings, items: int, a_page: int) -> None:
    """Store and register one closed run of small pages with `a_page` items each, through the spool's files, and write their dataset."""
    settings.datasets_folder().mkdir(parents=True, exist_ok=True)
    (settings.datasets_folder() / "offers.yaml").write_text(OFFERS, encoding="utf-8")
    crawl = Crawl.model_validate({"name": CRAWL, "seeds": ["https://shop.example.com/"], "datasets": ["offers"]})
    run = CrawlRun(f"{CRAWL}-20260301T000000Z-000001", crawl, "1", BEGIN, "benchmark", config_hash(crawl))
    ledger = open_ledger(settings)
    ledger.add_crawl_run(run)
    segments = list(_segments(settings, run, items, a_page))
    database = open_database(settings.database_url("frontier"))
    with database.write() as connection:
        for segment in segments:
            insert_segment(connection, run.crawl_run, "w0", segment, time.time())
    database.close()
    pages = sum(segment.records for segment in segments)
    manifest = Manifest(
        crawl_run=run.crawl_run, crawl=CRAWL, code_version=run.code_version, config_hash=run.config_hash, planned_at=BEGIN,
        closed_at=BEGIN + timedelta(days=1), finish_reason="finished", counts=FetchCounts(due=pages, fetched=pages), reasons={},
        segments=tuple(segments),
    )  # fmt: skip
    ledger.close_crawl_run(run.crawl_run, manifest)
    ledger.close()
    from storage.index.items import store_item_types

    store_item_types(CRAWL, run.crawl_run, segments, open_store(settings))


def _segments(settings: Settings, run: CrawlRun, items: int, a_page: int) -> Iterator[Segment]:
    """Segments with their items, as a worker's spool uploads them."""
    pages = -(-items // a_page)
    for number, first in enumerate(range(0, pages, PAGES_A_SEGMENT)):
        name = f"{run.key}-{number:03d}"
        with tempfile.TemporaryDirectory() as folder:
            writer = SegmentWriter(Path(folder) / "open.warc.gz", segment_key(CRAWL, run.crawl_run, name), CRAWL, run.crawl_run, {})
            path, types = Path(folder) / "open.items", set[ItemType]()
            for page in range(first, min(first + PAGES_A_SEGMENT, pages)):
                row = writer.write(_list_page(page))
                append_items(path, row, _items(Path(folder), page * a_page, min((page + 1) * a_page, items)), types)
            yield upload_segment(run, name, writer.close(), open_store(settings), path)


def _list_page(number: int) -> Capture:
    return Capture(
        url=f"https://shop.example.com/list/{number}",
        fetched_at=BEGIN + timedelta(seconds=number),
        status=200,
        reason="OK",
        protocol="HTTP/1.1",
        request_headers=((b"Host", b"shop.example.com"),),
        response_headers=((b"Content-Type", b"text/html; charset=utf-8"),),
        body=f"<html><body><h1>List {number}</h1></body></html>".encode(),
    )


def _items(folder: Path, first: int, last: int) -> ItemBuffer:
    buffer = ItemBuffer(folder)
    for number in range(first, last):
        chance = random.Random(number)
        price = f"{number % 900 + 10}.50" if number % 1000 else "-1.00"
        item = {
            "sku": f"K{number}",
            "name": f"Kettle {number}",
            "brand": "ACME",
            "text": _text(chance, 4),
            "price": price,
            "in_stock": True,
        }
        buffer.append("Offer", json.dumps(item).encode(), OFFER)
    return buffer


if __name__ == "__main__":
    make_items_run(load_settings(), int(sys.argv[1]), int(sys.argv[2]))
