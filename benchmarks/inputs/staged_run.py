"""A planned process run of one large crawl run, as extraction would leave it: made-up rows of many segments, without their pages.

`python -m benchmarks.inputs.staged_run RECORDS FILE` makes one in the lake that the environment names, and writes its name to the file.
Extraction works through one segment after the other, so that it need not be measured for a large run.
"""

from __future__ import annotations

import random
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.inputs.synthetic_crawl import BEGIN, CRAWL, register_and_close
from processing.clean.identity import bucket_of
from processing.stages import plan
from processing.staging.staging import EXTRACTED, in_chunks, staged_writer
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings, load_settings
from schemas.keys import extracted_key, index_key, segment_key
from schemas.manifest import Segment
from schemas.runs import CrawlRun, config_hash
from storage.index.rows import write_index
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store

SEGMENT_RECORDS = 10_000
WORDS, PARAGRAPHS = 120, 3
HOSTS = 500
COPY_EVERY, NEAR_COPY_EVERY, TWIN_EVERY, AGAIN_EVERY, MISSING_EVERY = 100, 25, 20, 10, 50

Row = dict[str, Any]  # Any: the values of a staged row


def make_staged_run(settings: Settings, records: int) -> str:
    """Register a closed crawl run of so many records, plan its process run and stage its extracted rows; the name of the process run.

    Of the records, one of 50 is a missing page, one of 10 a later capture of a page, with the same text or another one, one of 20 names
    another page as its own, one of 25 nearly repeats a text of any other page, one of 100 repeats it.
    """
    crawl = Crawl.model_validate({"name": CRAWL, "seeds": ["https://news.example.com/"]})
    run = CrawlRun(f"{CRAWL}-20260301T000000Z-000007", crawl, "7", BEGIN, "benchmark", config_hash(crawl))
    store, ledger = open_store(settings), open_ledger(settings)
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
        made = sorted((rows.row(segment.warc_key, offset) for offset in range(segment.records)), key=lambda row: row["bucket"])
        with staged_writer(store, extracted_key(planned.process_run, segment.segment), EXTRACTED) as writer:
            for bucket in range(64):
                for chunk in in_chunks(row for row in made if row["bucket"] == bucket):
                    writer.write(pa.Table.from_pylist(chunk, schema=EXTRACTED))
    return planned.process_run


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
            "warc_filename": warc_filename, "warc_record_offset": offset * 12_000, "warc_record_length": 12_000,
            "content_digest": f"sha1:{number:032d}", "crawl_run": self._crawl_run,
            **({"reason": "http_error", "detail": "404"} if is_missing else article),
        }  # fmt: skip

    def _text(self) -> list[str]:
        words = self._chance.choices(self._vocabulary, k=WORDS)
        size = WORDS // PARAGRAPHS
        return [" ".join(words[start : start + size]).capitalize() + "." for start in range(0, WORDS, size)]


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(make_staged_run(load_settings(), int(sys.argv[1])))
