"""WARC files as other tools write them."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from pathlib import Path

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

DATE = "2024-05-01T10:00:00Z"
HOST = "https://news.example"


def story(number: int) -> str:
    return f"{HOST}/2024/05/story-number-{number}-of-many.html"


def write_warc(path: Path, numbers: Sequence[int], *, compressed: bool = True, revisit: bool = False, date: str = DATE) -> Path:
    """A file by warcio: an information record, and for each number a response and its request."""
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=compressed)
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "another"}))
        for number in numbers:
            _write(writer, story(number), "text/html; charset=utf-8", _page(number), revisit=revisit, date=date)
    return path


def write_redirects(path: Path, targets: Sequence[str]) -> list[int]:
    """A file without compression, with redirects of one URL in one second, none with a body. Returns where each of them ends."""
    ends = []
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=False)
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "another"}))
        for target in targets:
            head = StatusAndHeaders("302 Found", [("Location", target)], protocol="HTTP/1.1")
            writer.write_record(writer.create_warc_record(HOST, "response", http_headers=head, warc_headers_dict={"WARC-Date": DATE}))
            ends.append(out.tell())
    return ends


def write_others(path: Path) -> Path:
    """A file with what is no page of the crawl: a picture, robots.txt, a page elsewhere, and a record of the name service."""
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        _write(writer, f"{HOST}/logo.png", "image/png", b"\x89PNG\r\n\x1a\n-")
        _write(writer, f"{HOST}/robots.txt", "text/plain", b"User-agent: *\n")
        _write(writer, "https://elsewhere.example/2024/a-page-far-away.html", "text/html", _page(99))
        dns = writer.create_warc_record(
            "dns:news.example",
            "resource",
            payload=io.BytesIO(b"20240501\n"),
            warc_content_type="text/dns",
            warc_headers_dict={"WARC-Date": DATE},
        )
        writer.write_record(dns)
    return path


def in_one_member(path: Path) -> Path:
    """The same file, compressed as a whole."""
    whole = path.with_name(f"whole-{path.name}.gz")
    whole.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    return whole


def _page(number: int) -> bytes:
    text = " ".join(f"In the year {1500 + number * 31 + year} the harbour {number} had {year * 3} ships." for year in range(30))
    return f"<!doctype html><html lang=en><title>Story {number}</title><article><h1>Story {number}</h1><p>{text}</p></article>".encode()


def _write(writer: WARCWriter, url: str, kind: str, body: bytes, *, revisit: bool = False, date: str = DATE) -> None:
    head = StatusAndHeaders("200 OK", [("Content-Type", kind)], protocol="HTTP/1.1")
    dated = {"WARC-Date": date}
    response = writer.create_warc_record(url, "response", payload=io.BytesIO(body), http_headers=head, warc_headers_dict=dated)
    asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "news.example")], is_http_request=True)
    request = writer.create_warc_record(url, "request", http_headers=asked, warc_headers_dict=dated)
    writer.write_request_response_pair(request, response)
    if revisit:
        digest = response.rec_headers.get_header("WARC-Payload-Digest")
        writer.write_record(writer.create_revisit_record(url, digest, url, date, http_headers=head, warc_headers_dict=dated))
