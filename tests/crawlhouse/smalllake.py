"""A lake of four captures: an article in two versions, a copy of it, and a rejected page. The product's own functions write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from gzip import compress
from pathlib import Path

from schemas.capture import Capture
from schemas.config.settings import make_settings
from schemas.keys import segment_key
from storage.index.rows import CaptureRow
from storage.lake.lake import open_lake
from storage.objects.open import open_store
from storage.warc.writer import SegmentWriter
from tests.storage.lakerows import table_of

CRAWL, CRAWL_RUN, PROCESS_RUN = "small", "small-20260101T120000Z-000000", "p-0000000000000000"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ARTICLE, COPY, MISSING = "https://a.example/storm", "https://b.example/storm", "https://a.example/gone"
TEXT = "The storm came at noon.\nIt left at one."
TITLE = "Sturm in Köln"
PAGE = "<!doctype html><meta charset=utf-8><title>Sturm in Köln</title><p>The storm came at noon.<p>It left at one."


def publish_small_lake(home: Path, title: str = TITLE) -> None:
    """Archive the captures and publish their rows, all in `home`."""
    settings = make_settings(home=home)
    settings.home.mkdir(parents=True)
    rows = _archive(home, title)
    with open_lake(settings) as lake:
        captures = [_capture(rows[0], "published", 1), _capture(rows[1], "published", 2), _capture(rows[2], "duplicate", 1)]
        gone = _capture(rows[3], "rejected", None) | {"reason": "http_error", "detail": "the status is 404", "article_id": None}
        lake.append("captures", [table_of("captures", *captures, gone)], PROCESS_RUN)
        copy = _article(rows[2], 1, title) | {
            "article_id": "copy",
            "duplicate_of": "storm",
            "duplicate_kind": "exact",
            "duplicate_similarity": 1.0,
        }
        lake.append("articles", [table_of("articles", _article(rows[0], 1, title), _article(rows[1], 2, title), copy)], PROCESS_RUN)
        lake.append("runs", [table_of("runs", {"process_run": PROCESS_RUN, "crawl_run": CRAWL_RUN, "crawl": CRAWL})], PROCESS_RUN)


def _archive(home: Path, title: str) -> list[CaptureRow]:
    key = segment_key(CRAWL, CRAWL_RUN, "s1")
    path = home / "s1.warc.gz"
    writer = SegmentWriter(path, key, CRAWL, CRAWL_RUN, {"software": "test"})
    exchanges = ((ARTICLE, 200, 0), (ARTICLE, 200, 1), (COPY, 200, 2), (MISSING, 404, 3))
    rows = [writer.write(_exchange(*exchange, PAGE.replace(TITLE, title))) for exchange in exchanges]
    writer.close()
    open_store(make_settings(home=home)).put_file(key, path)
    path.unlink()
    return rows


def _exchange(url: str, status: int, hour: int, page: str) -> Capture:
    kind = ((b"Content-Type", b"text/html; charset=utf-8"), (b"Content-Encoding", b"gzip"))
    cookies = ((b"Set-Cookie", b"a=1"), (b"Set-Cookie", b"b=2"))
    return Capture(
        url=url, fetched_at=NOON + timedelta(hours=hour), status=status, reason="OK" if status == 200 else "Not Found", protocol="HTTP/1.1",
        request_headers=((b"Host", b"a.example"),), response_headers=kind + cookies, body=compress(f"{page}<p>{hour}".encode(), mtime=0),
    )  # fmt: skip


def _where(row: CaptureRow) -> dict[str, object]:
    pointer = {name: getattr(row, name) for name in ("warc_filename", "warc_record_offset", "warc_record_length", "content_digest")}
    origin = {"crawl": CRAWL, "crawl_run": CRAWL_RUN, "process_run": PROCESS_RUN, "host": row.url_host_name, "url": row.url}
    return pointer | origin | {"fetched_at": row.fetch_time}


def _capture(row: CaptureRow, outcome: str, version: int | None) -> dict[str, object]:
    return _where(row) | {
        "outcome": outcome,
        "fetch_status": row.fetch_status,
        "kind": "page",
        "article_id": "storm",
        "article_version": version,
    }


def _article(row: CaptureRow, version: int, title: str) -> dict[str, object]:
    facts = {
        "title": title,
        "authors": ["Ada B.", "C, D"],
        "published_at": NOON,
        "published_at_source": "json-ld",
        "language": "de",
    }
    signals = {"confidence": 0.9, "extraction_path": "container", "charset": "utf-8", "charset_source": "http", "minhash": bytes(512)}
    counts = {"text": TEXT, "text_length": len(TEXT), "word_count": 9, "link_density": float("nan")}
    return _where(row) | facts | signals | counts | {"article_id": "storm", "version": version}
