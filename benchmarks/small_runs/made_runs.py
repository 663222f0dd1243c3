"""Closed crawl runs of a few new pages each, and process runs of them up to the gate."""

from __future__ import annotations

import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from processing import stages
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.keys import index_key, segment_key
from schemas.manifest import FetchCounts, Manifest, Segment
from schemas.runs import CrawlRun, config_hash
from storage.index.rows import write_index
from storage.ledger.ledger import insert_segment, open_ledger
from storage.objects.open import open_store
from storage.warc.writer import SegmentWriter

PAGES = 5
START = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = [f"word{number}" for number in range(4000)]


def crawl_of(name: str) -> Crawl:
    """A crawl of one host."""
    return Crawl.model_validate({"name": name, "seeds": [f"https://{name}.example.com/"]})


def closed_run(settings: Settings, crawl: Crawl, number: int) -> None:
    """A closed crawl run of some new pages."""
    planned = START + timedelta(minutes=number)
    run = CrawlRun(f"{crawl.name}-{planned:%Y%m%dT%H%M%SZ}-{number:06d}", crawl, str(number), planned, "bench", config_hash(crawl))
    store, ledger = open_store(settings), open_ledger(settings)
    ledger.add_crawl_run(run)
    name = f"{crawl.name}-{number}"
    keys = segment_key(crawl.name, run.crawl_run, name), index_key(crawl.name, run.crawl_run, name)
    with tempfile.TemporaryDirectory() as folder:
        writer = SegmentWriter(Path(folder) / "open.warc.gz", keys[0], crawl.name, run.crawl_run, {})
        for page in range(PAGES):
            writer.write(_capture(crawl, number * PAGES + page, planned))
        closed = writer.close()
        store.put_file(keys[0], closed.path)
    store.put_bytes(keys[1], write_index(closed.rows))
    segment = Segment(segment=name, warc_key=keys[0], index_key=keys[1], size=closed.size, digest=closed.digest, records=PAGES)
    with ledger.database.write() as connection:
        insert_segment(connection, run.crawl_run, "w0", segment, time.time())
    manifest = Manifest(
        crawl_run=run.crawl_run, crawl=crawl.name, code_version="bench", config_hash=run.config_hash, planned_at=planned, closed_at=planned,
        finish_reason="finished", counts=FetchCounts(due=PAGES, fetched=PAGES), reasons={}, segments=(segment,),
    )  # fmt: skip
    ledger.close_crawl_run(run.crawl_run, manifest)
    ledger.close()


def _capture(crawl: Crawl, number: int, at: datetime) -> Capture:
    said = random.Random(f"{crawl.name} {number}")
    body = "".join(f"<p>{' '.join(said.choices(WORDS, k=60)).capitalize()}.</p>" for _ in range(6))
    head = f"<head><title>Story {number}</title></head>"
    html = f"<!DOCTYPE html><html lang=en>{head}<body><article><h1>Story {number}</h1>{body}</article></body></html>"
    return Capture(
        url=f"https://{crawl.name}.example.com/{number}", fetched_at=at, status=200, reason="OK", protocol="HTTP/1.1",
        request_headers=((b"Host", b"example.com"),), response_headers=((b"Content-Type", b"text/html; charset=utf-8"),),
        body=html.encode(),
    )  # fmt: skip


def gated(settings: Settings, crawl: Crawl, number: int) -> str:
    """A process run of a new crawl run that is ready to be published."""
    closed_run(settings, crawl, number)
    run = stages.plan(crawl.name, settings)
    assert run is not None
    for segment in stages.segments(run.process_run, settings):
        stages.extract(run.process_run, segment, settings)
    stages.resolve(run.process_run, settings)
    stages.gate(run.process_run, settings)
    return run.process_run
