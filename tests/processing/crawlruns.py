"""Closed crawl runs made of given captures: real WARC segments and indexes, registered in a real ledger."""

from __future__ import annotations

import gzip
import json
import random
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.capture import Capture, UrlKind
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.keys import crawl_of, index_key, segment_items_key, segment_key, segment_of
from schemas.manifest import FetchCounts, Manifest, Segment
from schemas.runs import CrawlRun, config_hash
from storage.index.rows import CaptureRow, write_index
from storage.ledger.ledger import insert_segment, open_ledger
from storage.objects.open import open_store
from storage.warc.writer import RefersTo, SegmentWriter

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = [
    "harbour",
    "council",
    "vote",
    "bridge",
    "river",
    "market",
    "teacher",
    "garden",
    "winter",
    "signal",
    "engine",
    "letter",
    "window",
    "mountain",
    "village",
    "doctor",
]


def prose(seed: int, paragraphs: int = 5) -> list[str]:
    """Paragraphs that differ from those of every other seed."""
    said = random.Random(seed)
    return [" ".join(said.choices(WORDS, k=40)).capitalize() + "." for _ in range(paragraphs)]


def html(title: str, paragraphs: Iterable[str], canonical: str = "") -> str:
    """A plain article page."""
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{link}</head>'
        f"<body><main><article><h1>{title}</h1>{body}</article></main></body></html>"
    )


def capture(url: str, body: str, minutes: int = 0, status: int = 200, kind: UrlKind = UrlKind.PAGE, mime: str = "text/html") -> Capture:
    """A capture `minutes` after noon."""
    return Capture(
        url=url,
        fetched_at=NOON + timedelta(minutes=minutes),
        status=status,
        reason="OK",
        protocol="HTTP/1.1",
        request_headers=((b"Host", b"example.com"),),
        response_headers=((b"Content-Type", mime.encode()),),
        body=body.encode(),
        kind=kind,
    )


def article(url: str, seed: int, minutes: int = 0, canonical: str = "") -> Capture:
    """A capture of an article of its own."""
    return capture(url, html(f"Story {seed}", prose(seed), canonical), minutes)


def closed_run(
    settings: Settings,
    crawl: Crawl,
    key: str,
    *segments: list[Capture],
    refers_to: dict[str, CaptureRow] | None = None,
) -> list[CaptureRow]:
    """A closed crawl run with these captures, one segment per list; the rows of its capture indexes.

    A capture whose URL is in `refers_to` is written as a revisit of that row.
    """
    run = CrawlRun(f"{crawl.name}-20260301T120000Z-{key:0>6}", crawl, key, NOON, "0.1.0+test", config_hash(crawl))
    ledger, store, rows = open_ledger(settings), open_store(settings), []
    ledger.add_crawl_run(run)
    registered = []
    for number, captures in enumerate(segments):
        name = f"{key}-{number}"
        found, segment = _written(settings, run, name, captures, refers_to or {})
        rows += found
        registered.append(segment)
        with ledger._database.write() as connection:
            insert_segment(connection, run.crawl_run, "w0", segment, time.time())
        assert store.info(segment.warc_key) is not None
    counts = FetchCounts(due=len(rows), fetched=len(rows))
    manifest = Manifest(
        crawl_run=run.crawl_run, crawl=crawl.name, code_version=run.code_version, config_hash=run.config_hash, planned_at=NOON,
        closed_at=NOON + timedelta(hours=1), finish_reason="finished", counts=counts, reasons={}, segments=tuple(registered),
    )  # fmt: skip
    ledger.close_crawl_run(run.crawl_run, manifest)
    ledger.close()
    return rows


def _written(
    settings: Settings, run: CrawlRun, name: str, captures: list[Capture], refers_to: dict[str, CaptureRow]
) -> tuple[list[CaptureRow], Segment]:
    store = open_store(settings)
    keys = segment_key(run.crawl.name, run.crawl_run, name), index_key(run.crawl.name, run.crawl_run, name)
    with tempfile.TemporaryDirectory() as folder:
        writer = SegmentWriter(Path(folder) / "open.warc.gz", keys[0], run.crawl.name, run.crawl_run, {})
        for one in captures:
            earlier = refers_to.get(one.url)
            writer.write(one, _reference(earlier) if earlier else None)
        closed = writer.close()
        store.put_file(keys[0], closed.path)
    store.put_bytes(keys[1], write_index(closed.rows))
    segment = Segment(segment=name, warc_key=keys[0], index_key=keys[1], size=closed.size, digest=closed.digest, records=len(closed.rows))
    return list(closed.rows), segment


def _reference(row: CaptureRow) -> RefersTo:
    return RefersTo(row.url, row.fetch_time, row.warc_filename, row.warc_record_offset, row.content_digest)


def store_items(settings: Settings, row: CaptureRow, *items: dict[str, object]) -> None:
    """Store items of a page beside its segment, as a spider has yielded them."""
    crawl, name = crawl_of(row.warc_filename), segment_of(row.warc_filename)
    line = {"url": row.url, "fetched_at": row.fetch_time.isoformat(), "crawl_run": row.crawl_run, "warc_filename": row.warc_filename}
    lines = [json.dumps({**line, "warc_record_offset": row.warc_record_offset, "item": item}) + "\n" for item in items]
    open_store(settings).put_bytes(segment_items_key(crawl, row.crawl_run, name), gzip.compress("".join(lines).encode()))
