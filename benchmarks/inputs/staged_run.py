"""A planned process run of one large crawl run, as extraction would leave it: made-up rows of many segments, without their pages.

`python -m benchmarks.inputs.staged_run RECORDS FILE` makes one in the lake that the environment names, and writes its name to the file.
With a further argument `offers` it has rows of a dataset instead of articles.
Extraction works through one segment after the other, so that it need not be measured for a large run.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Collection, Sequence
from datetime import timedelta
from http import HTTPStatus
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.inputs.synthetic_crawl import BEGIN, CRAWL, register_and_close
from processing.clean.identity import bucket_of
from processing.datasets.identity import row_id
from processing.stages import plan
from processing.staging.staging import EXTRACTED, PAGES, PAGES_NAME, block_characters, in_chunks, staged_writer, write_rows
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings, load_settings
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import staging_schema
from schemas.keys import extracted_key, extracted_rows_key, index_key, segment_key
from schemas.manifest import Segment
from schemas.outcomes import Reason
from schemas.runs import CrawlRun, ProcessRun, config_hash
from storage.index.rows import write_index
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from storage.objects.store import ObjectStore

SEGMENT_RECORDS = 10_000
WORDS, PARAGRAPHS = 120, 3
HOSTS = 500
RECORD_BYTES = 12_000
COPY_EVERY, NEAR_COPY_EVERY, TWIN_EVERY, AGAIN_EVERY, MISSING_EVERY = 100, 25, 20, 10, 50
VISIT_EVERY = 20
OFFERS = """
source: {selectors: {sku: .sku, name: h1, price: {css: .price, type: float}}}
key: [host, sku]
expectations:
  - {type: expect_column_values_to_not_be_null, column: name}
"""
# what a record has that is no article, or a revisit
_PLAIN = {
    "bucket", "url", "host", "fetched_at", "fetch_status", "record_type", "kind", "content_mime_type", "content_length", "warc_filename",
    "warc_record_offset", "warc_record_length", "content_digest", "crawl_run", "reason", "detail",
}  # fmt: skip

Row = dict[str, Any]  # Any: the values of a staged row


def make_staged_run(settings: Settings, records: int, dataset: str | None = None) -> str:
    """Register a closed crawl run of so many records, plan its process run and stage its extracted rows; the name of the process run.

    Of the records, one of 50 is a missing page, one of 10 a later capture of a page, with the same text or another one, one of 20 names
    another page as its own, one of 25 nearly repeats a text of any other page, one of 100 repeats it. With a dataset's name each page has a
    row of it and no article, and one page of 20 is a later visit that found it as it was (304).
    """
    crawl = Crawl.model_validate({"name": CRAWL, "seeds": ["https://news.example.com/"], **({"datasets": [dataset]} if dataset else {})})
    run = CrawlRun(f"{CRAWL}-20260301T000000Z-000007", crawl, "7", BEGIN, "benchmark", config_hash(crawl))
    store, ledger = open_store(settings), open_ledger(settings)
    if dataset:
        _write_definition(settings, dataset)
    ledger.add_crawl_run(run)
    segments = []
    for number, first in enumerate(range(0, records, SEGMENT_RECORDS)):
        name = f"7-{number:05d}"
        count = min(SEGMENT_RECORDS, records - first)
        keys = {"warc_key": segment_key(CRAWL, run.crawl_run, name), "index_key": index_key(CRAWL, run.crawl_run, name)}
        store.put_bytes(keys["index_key"], write_index([]))
        segments.append(Segment(segment=name, **keys, size=64_000_000, digest="-", records=count))
    ledger.close()
    register_and_close(run, segments, records, settings)
    planned = plan(CRAWL, settings)
    assert planned is not None
    rows = _Rows(random.Random(7), run.crawl_run)
    for segment in segments:
        made = [rows.row(segment.warc_key, offset) for offset in range(segment.records)]
        if dataset:
            made = list(map(_without_article, made))
            _stage_offers(store, planned, segment.segment, made)
        by_bucket = sorted(made, key=lambda row: row["bucket"])
        with staged_writer(store, extracted_key(planned.process_run, segment.segment), EXTRACTED) as writer:
            for _, of_bucket in groupby(by_bucket, key=lambda row: row["bucket"]):
                for chunk in in_chunks(of_bucket, block_characters):
                    writer.write(pa.Table.from_pylist(chunk, schema=EXTRACTED))
    return planned.process_run


def _write_definition(settings: Settings, dataset: str) -> None:
    folder = settings.datasets_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{dataset}.yaml").write_text(OFFERS)


def _without_article(row: Row) -> Row:
    """The row of a page of which only a dataset's rows are wanted; one of VISIT_EVERY is a revisit of the page two records before."""
    place = row["warc_record_offset"] // RECORD_BYTES
    plain = {name: value for name, value in row.items() if name in _PLAIN} | {"reason": row.get("reason") or str(Reason.PRODUCT)}
    if place % VISIT_EVERY != VISIT_EVERY - 1:
        return plain
    target = {"refers_to_filename": row["warc_filename"], "refers_to_offset": row["warc_record_offset"] - 2 * RECORD_BYTES}
    return plain | target | {"fetch_status": 304, "record_type": "revisit", "reason": None}


def _stage_offers(store: ObjectStore, run: ProcessRun, segment: str, made: Sequence[Row]) -> None:
    """Stage a row of each page, and what the pages gave. A page's URL has its key and nearly every second page a price of its own."""
    (dataset,) = run.own_datasets
    schema = staging_schema(dataset)
    names = _PLAIN & {*schema.names} - {"detail"}
    rows = [_offer(dataset, row, names) for row in made if row["fetch_status"] == HTTPStatus.OK]
    with staged_writer(store, extracted_rows_key(run.process_run, dataset.name, segment), schema) as writer:
        for chunk in in_chunks(rows, block_characters):
            writer.write(pa.Table.from_pylist(chunk, schema=schema))
    pages = [
        {name: row[name] for name in ("warc_filename", "warc_record_offset")} | {"dataset": dataset.name, "rows": 1, "waiting": 0}
        for row in rows
    ]
    write_rows(store, extracted_rows_key(run.process_run, PAGES_NAME, segment), [pa.Table.from_pylist(pages, schema=PAGES)], PAGES)


def _offer(dataset: Dataset, row: Row, names: Collection[str]) -> Row:
    values = {"host": row["host"], "sku": row["url"].rpartition("/")[2], "name": "A kettle", "price": len(row["url"]) / 10}
    return {**{name: row[name] for name in names}, **values, "row_id": row_id(dataset, values), "position": 0}


class _Rows:
    """Makes staged rows, one after the other."""

    def __init__(self, chance: random.Random, crawl_run: str) -> None:
        self._chance, self._crawl_run = chance, crawl_run
        self._vocabulary = ["".join(chance.choices("etaoinshrdlucmfwyp", k=chance.randint(2, 11))) for _ in range(20_000)]
        self._pages = [(f"https://site{number}.example.org/{number}", self._text()) for number in range(100)]  # any earlier ones
        self._count = 0

    def row(self, warc_filename: str, offset: int) -> Row:
        """The next row."""
        self._count += 1
        number = self._count
        host = f"site{self._chance.randrange(HOSTS)}.example.org"
        url, canonical, text = f"https://{host}/2026/03/{number:08d}", None, self._text()
        some = self._chance.randrange(len(self._pages))
        earlier_url, earlier_text = self._pages[some]
        if number % COPY_EVERY == 1:
            text = earlier_text
        elif number % NEAR_COPY_EVERY == 2:
            text = [*earlier_text[:-1], f"{earlier_text[-1]} Reported again as number {number}."]
        elif number % TWIN_EVERY == 3:
            url, canonical, text = f"{earlier_url}?from=feed{number}", earlier_url, earlier_text
        elif number % AGAIN_EVERY == 4:
            url = earlier_url
            text = earlier_text if self._chance.random() < 0.5 else text
        self._pages[some] = (url if canonical is None else canonical, text)
        is_missing = number % MISSING_EVERY == 0
        fetched_at = BEGIN + timedelta(seconds=number % 80_000)
        article: Row = {
            "title": " ".join(text[0].split()[:8]), "published_at": BEGIN + timedelta(hours=number % 20), "published_at_source": "meta",
            "language_declared": "en", "canonical_url": canonical, "extraction_path": "container", "confidence": 0.9, "charset": "utf-8",
            "blocks": [{"kind": "paragraph", "text": one, "level": None, "link_density": 0.0} for one in text], "page_type": "article",
        }  # fmt: skip
        host = url.split("/")[2]
        return {
            "bucket": bucket_of(host), "url": url, "host": host, "fetched_at": fetched_at, "fetch_status": 404 if is_missing else 200,
            "record_type": "response", "kind": "page", "content_mime_type": "text/html", "content_length": 45_000,
            "warc_filename": warc_filename, "warc_record_offset": offset * RECORD_BYTES, "warc_record_length": RECORD_BYTES,
            "content_digest": f"sha1:{number:032d}", "crawl_run": self._crawl_run,
            **({"reason": "http_error", "detail": "404"} if is_missing else article),
        }  # fmt: skip

    def _text(self) -> list[str]:
        words = self._chance.choices(self._vocabulary, k=WORDS)
        size = WORDS // PARAGRAPHS
        return [" ".join(words[start : start + size]).capitalize() + "." for start in range(0, WORDS, size)]


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(make_staged_run(load_settings(), int(sys.argv[1]), *sys.argv[3:]))
