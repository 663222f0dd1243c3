"""A closed crawl run of made-up pages in the store, as a crawl would leave it: WARC segments, capture indexes, ledger.

`python -m benchmarks.inputs.synthetic_crawl ARTICLES WORDS` builds one in the lake that the environment names.
"""

from __future__ import annotations

import gzip
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings, load_settings
from schemas.keys import index_key, segment_key
from schemas.manifest import FetchCounts, Manifest, Segment
from schemas.runs import CrawlRun, config_hash
from storage.database.engine import open_database
from storage.ledger.ledger import insert_segment, open_ledger
from storage.objects.open import open_store
from storage.warc.writer import SegmentWriter

CRAWL = "bench"
SEGMENT_BYTES = 64 * 1024 * 1024  # as a worker closes them
PARAGRAPH_WORDS = 60
SMALL_HOSTS = 9  # half of the articles are of one host, half of these
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HEADERS = ((b"Content-Type", b"text/html; charset=utf-8"), (b"Content-Encoding", b"gzip"))


def make_crawl(
    settings: Settings, articles: int, words: int, seed: int = 7, urls: Sequence[str] = (), captures: Iterator[Capture] | None = None
) -> int:
    """Store and register one closed run of `articles` pages of `words` words each, or of given captures. Returns the number of segments.

    The first pages have the given URLs. Pages have their host's boilerplate. Every twentieth article is a near copy of an earlier
    one, and every fiftieth page is missing.
    """
    crawl = Crawl.model_validate({"name": CRAWL, "seeds": ["https://news.example.com/"]})
    run = CrawlRun(f"{CRAWL}-20260301T000000Z-{seed:06x}", crawl, str(seed), BEGIN, "benchmark", config_hash(crawl))
    ledger = open_ledger(settings)
    ledger.add_crawl_run(run)
    ledger.close()
    segments = list(_segments(settings, run, _captures(articles, words, seed, urls) if captures is None else captures))
    register_and_close(run, segments, articles, settings)
    return len(segments)


def register_and_close(run: CrawlRun, segments: Sequence[Segment], pages: int, settings: Settings) -> None:
    """Register the segments of a run that the ledger knows, and close it: all its pages were due and fetched."""
    database = open_database(settings.database_url("frontier"))
    with database.write() as connection:
        for segment in segments:
            insert_segment(connection, run.crawl_run, "w0", segment, time.time())
    database.close()
    manifest = Manifest(
        crawl_run=run.crawl_run, crawl=CRAWL, code_version=run.code_version, config_hash=run.config_hash, planned_at=BEGIN,
        closed_at=BEGIN + timedelta(days=1), finish_reason="finished", counts=FetchCounts(due=pages, fetched=pages), reasons={},
        segments=tuple(segments),
    )  # fmt: skip
    ledger = open_ledger(settings)
    ledger.close_crawl_run(run.crawl_run, manifest)
    ledger.close()


def _segments(settings: Settings, run: CrawlRun, captures: Iterator[Capture]) -> Iterator[Segment]:
    store = open_store(settings)
    for number, first in enumerate(captures):
        name = f"{run.key}-{number:03d}"
        warc, index = segment_key(CRAWL, run.crawl_run, name), index_key(CRAWL, run.crawl_run, name)
        with tempfile.TemporaryDirectory() as folder:
            writer = SegmentWriter(Path(folder) / "open.warc.gz", warc, CRAWL, run.crawl_run, {})
            for capture in chain([first], captures):
                writer.write(capture)
                if writer.size >= SEGMENT_BYTES:
                    break
            closed = writer.close()
            store.put_file(warc, closed.path)
        from storage.index.rows import write_index

        store.put_bytes(index, write_index(closed.rows))
        yield Segment(segment=name, warc_key=warc, index_key=index, size=closed.size, digest=closed.digest, records=len(closed.rows))


def _captures(articles: int, words: int, seed: int, urls: Sequence[str]) -> Iterator[Capture]:
    chance = random.Random(seed)
    vocabulary = ["".join(chance.choices("etaoinshrdlucmfwyp", k=chance.randint(2, 11))) for _ in range(20_000)]
    earlier: list[str] = []
    for number in range(articles):
        host = "news.example.com" if number % 2 else f"site{number // 2 % SMALL_HOSTS}.example.org"
        count = max(words // PARAGRAPH_WORDS, 1)
        paragraphs = [" ".join(chance.choices(vocabulary, k=words // count)).capitalize() + "." for _ in range(count)]
        if number % 20 == 19:
            paragraphs = [*earlier, f"Reported again by {host} as number {number}."]
        elif number % 20 == 0:
            earlier = paragraphs
        title = " ".join(chance.choices(vocabulary, k=8)).capitalize()
        yield Capture(
            url=urls[number] if number < len(urls) else f"https://{host}/2026/03/{number:06d}-{title.lower().replace(' ', '-')}",
            fetched_at=BEGIN + timedelta(seconds=number),
            status=404 if number % 50 == 49 else 200,
            reason="OK",
            protocol="HTTP/1.1",
            request_headers=((b"Host", host.encode()),),
            response_headers=HEADERS,
            body=gzip.compress(_page(host, title, paragraphs).encode(), 1, mtime=0),
        )


def _page(host: str, title: str, paragraphs: list[str]) -> str:
    menu = "".join(f'<li><a href="/{part}/">{part.capitalize()} of {host}</a></li>' for part in ("world", "local", "sport", "culture"))
    body = "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta property="og:type" content="article"><meta property="article:published_time" content="2026-03-01T08:00:00Z"></head>'
        f"<body><nav><ul>{menu}</ul></nav><main><article><h1>{title}</h1>{body}"
        f"<p>Follow {host} for more stories like this one every morning.</p></article></main><footer>All rights kept by {host}.</footer>"
        "</body></html>"
    )


if __name__ == "__main__":
    print(make_crawl(load_settings(), int(sys.argv[1]), int(sys.argv[2])))
