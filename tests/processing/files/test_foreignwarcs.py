"""WARC files as other crawlers write them: one row per response record, whatever its shape, with a reason that is true."""

from __future__ import annotations

import gzip
import io
import json
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from backports import zstd
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from processing.files.warc_files import extract_files
from processing.files.warc_sources import find_sources
from schemas.errors import ConfigError
from storage.warc.reader import Record, read_records
from tests.processing.files.test_warcfiles import HOST, article

Head = tuple[str, str]
HTML = ("Content-Type", "text/html; charset=utf-8")


def url_of(number: int) -> str:
    return f"{HOST}/city/how-ferry-{number}-came-back-to-the-harbour"


def record(
    kind: str, url: str, block: bytes, *fields: Head, version: str = "1.0", content_type: str = "application/http; msgtype="
) -> bytes:
    """One WARC record made by hand: a library would correct the odd parts that are tested here."""
    media = content_type + kind if content_type.endswith("=") else content_type
    given = [
        ("WARC-Type", kind),
        ("WARC-Target-URI", url),
        ("WARC-Date", "2025-06-01T00:00:00Z"),
        ("WARC-Record-ID", f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, kind + url)}>"),
        ("Content-Type", media),
        *fields,
        ("Content-Length", str(len(block))),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in given if value)
    return f"WARC/{version}\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


def http(body: bytes, *headers: Head, status: str = "HTTP/1.1 200 OK") -> bytes:
    return "".join([f"{status}\r\n", *(f"{name}: {value}\r\n" for name, value in headers), "\r\n"]).encode() + body


def chunked(body: bytes) -> bytes:
    pieces = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    return b"".join(b"%x;x=y\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX-Trailer: 1\r\n\r\n"


def page(number: int) -> bytes:
    return article(number).encode()


def extracted(path: Path, tmp_path: Path, **options: Any) -> list[dict[str, Any]]:
    output = tmp_path / "rows.jsonl"
    extract_files([path], output, workers=1, **options)
    return [json.loads(line) for line in output.read_text().splitlines()]


def outcomes(rows: list[dict[str, Any]]) -> list[str]:
    return [row["reason"] or row["status"] for row in rows]


def check_offsets(path: Path, rows: list[dict[str, Any]]) -> None:
    """Every row leads to its record: the file read from there on begins with it, and its length holds nothing else."""
    sources = {source.name: source for source in find_sources(path)}
    for row in rows:
        with sources[row["warc_filename"]].open() as stream:
            stream.seek(row["warc_record_offset"])
            data = stream.read(row["warc_record_length"])
        (found,) = read_records(io.BytesIO(data), "")
        assert isinstance(found, Record)
        assert (found.capture.url, found.capture.status) == (row["url"], row["fetch_status"])


SHAPES: list[tuple[str, bytes]] = [
    ("article", http(chunked(page(1)), HTML, ("Transfer-Encoding", "chunked"))),
    ("article", http(page(2), HTML, ("Transfer-Encoding", "chunked"))),  # the writer removed the chunks, not the header
    ("article", http(gzip.compress(page(3)), HTML, ("Content-Encoding", "gzip"))),
    ("article", http(page(4), HTML, ("Content-Encoding", "gzip"))),  # decoded by the browser
    ("article", http(brotli.compress(page(5)), HTML, ("Content-Encoding", "br"))),
    ("article", http(page(6), HTML, ("Content-Encoding", "br"))),
    ("article", http(zstd.compress(page(7)), HTML, ("Content-Encoding", "zstd"))),
    ("article", http(page(8), HTML, ("X-Crawler-Content-Encoding", "br"), ("X-Crawler-Content-Length", "99"), ("Content-Length", "7"))),
    ("article", http(chunked(gzip.compress(page(9))), HTML, ("content-encoding", "gzip"), ("transfer-encoding", "chunked"))),
    ("article", http(page(10), HTML, status="HTTP/2 200")),
    ("article", http(page(11), HTML, status="HTTP/2.0 200 OK")),
    ("article", http(page(12), HTML, status="HTTP/1.1 200")),
    ("article", http(page(13), ("Content-Type", "application/xhtml+xml"))),
    ("article", http(page(14))),  # no type at all
    (
        "article",
        http(page(15), HTML, ("Content-Range", f"bytes 0-{len(page(15)) - 1}/{len(page(15))}"), status="HTTP/1.1 206 Partial Content"),
    ),
    ("truncated", http(page(16)[:900], HTML, ("Content-Range", "bytes 0-899/9000"), status="HTTP/1.1 206 Partial Content")),
    ("empty_body", http(b"", status="HTTP/1.1 304 Not Modified")),
    ("empty_body", http(b"", HTML, status="HTTP/1.1 204 No Content")),
    ("redirect", http(b"<p>moved</p>", HTML, ("Location", "/elsewhere"), status="HTTP/1.1 301 Moved Permanently")),
    ("http_error", http(page(17), HTML, status="HTTP/1.1 503 Service Unavailable")),
    ("not_html", http(b"%PDF-1.7", ("Content-Type", "application/pdf"))),
    ("not_html", http(b'{"a": 1}', ("Content-Type", "application/json; charset=utf-8"))),
    ("empty_body", http(b"", HTML)),
    ("damaged_record", b""),
    ("damaged_record", b"<html>no status line"),
]


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_every_shape_of_a_response_is_one_row(packing: str, tmp_path: Path) -> None:
    packs: dict[str, Callable[[bytes], bytes]] = {"plain": bytes, "gzip": gzip.compress, "zstd": zstd.compress}
    path = tmp_path / {"plain": "odd.warc", "gzip": "odd.warc.gz", "zstd": "odd.warc.zst"}[packing]
    path.write_bytes(b"".join(packs[packing](record("response", url_of(number), block)) for number, (_, block) in enumerate(SHAPES)))
    rows = extracted(path, tmp_path)
    assert outcomes(rows) == [outcome for outcome, _ in SHAPES]
    assert [row["url"] for row in rows] == [url_of(number) for number in range(len(SHAPES))]
    assert all("came back to the harbour in the morning" in row["text"] for row in rows if row["status"] == "article")
    check_offsets(path, [row for row in rows if row["reason"] != "damaged_record"])
    details = {row["reason"]: row["detail"] for row in rows}
    assert details["http_error"] == "HTTP status 503"
    assert details["redirect"] == "HTTP status 301, to /elsewhere"


def test_common_crawls_shape(tmp_path: Path) -> None:
    records = [record("warcinfo", "", b"isPartOf: CC-MAIN-2025-26\r\n", content_type="application/warc-fields")]
    for number in range(4):
        url = url_of(number)
        answer = http(page(number), HTML, ("X-Crawler-Content-Encoding", "gzip"), ("Content-Length", str(len(page(number)))))
        found = [("WARC-Identified-Payload-Type", "text/html"), ("WARC-IP-Address", "192.0.2.1")]
        cut = [("WARC-Truncated", "length")] if number == 3 else []
        records += [
            record("request", url, b"GET / HTTP/1.1\r\nHost: post.example\r\n\r\n"),
            record("response", url, answer, *found, *cut),
            record("metadata", url, b"fetchTimeMs: 12\r\ncharset-detected: UTF-8\r\n", content_type="application/warc-fields"),
        ]
    path = tmp_path / "CC-MAIN-20250601.warc.gz"
    path.write_bytes(b"".join(map(gzip.compress, records)))
    rows = extracted(path, tmp_path)
    assert outcomes(rows) == ["article", "article", "article", "truncated"]
    assert rows[3]["detail"] == "cut off by the crawler: length"
    check_offsets(path, rows)


def browser_records(numbers: range) -> bytes:
    kept = (("WARC-Page-ID", "6f1c"), ("WARC-Resource-Type", "document"))
    records = [record("warcinfo", "", b"software: a browser\r\n", version="1.1", content_type="application/warc-fields")]
    for number in numbers:
        url = url_of(number)
        records += [
            record("response", url, http(page(number), HTML, status="HTTP/2 200"), *kept, version="1.1"),
            record("request", url, b"GET / HTTP/2\r\n\r\n", *kept, version="1.1"),
            record("resource", f"urn:pageinfo:{url}", b"{}", version="1.1", content_type="application/json"),
            record("resource", f"urn:text:{url}", page(number), version="1.1", content_type="text/html"),
        ]
    records.append(record("response", f"{HOST}/a.css", http(b"p {}", ("Content-Type", "text/css"), status="HTTP/2 200"), version="1.1"))
    return b"".join(map(gzip.compress, records))


def test_a_wacz_is_read_as_the_files_in_it(tmp_path: Path) -> None:
    path = tmp_path / "crawl.wacz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("datapackage.json", "{}")
        archive.writestr("archive/b.warc.gz", browser_records(range(2, 4)), zipfile.ZIP_DEFLATED)
        archive.writestr("archive/a.warc.gz", browser_records(range(2)))
        archive.writestr("indexes/index.cdx.gz", b"")
    rows = extracted(path, tmp_path)
    assert outcomes(rows) == ["article", "article", "not_html"] * 2
    assert [row["warc_filename"] for row in rows] == ["crawl.wacz/archive/a.warc.gz"] * 3 + ["crawl.wacz/archive/b.warc.gz"] * 3
    check_offsets(path, rows)


def test_a_zip_without_warcs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    with pytest.raises(ConfigError, match="without WARC files"):
        extract_files([path], tmp_path / "rows.jsonl", workers=1)


def _zipped(path: Path, *members: tuple[str, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path.read_bytes()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_wacz_with_a_damaged_member_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "crawl.wacz"
    members = [("archive/a.warc.gz", browser_records(range(1))), ("archive/b.warc.gz", browser_records(range(1, 3)))]
    data = _zipped(path, *members, ("archive/b.warc.gz", browser_records(range(3, 4))))
    middle = data.index(b"archive/b.warc.gz") + 1500
    path.write_bytes(data[:middle] + bytes(byte ^ 0x55 for byte in data[middle : middle + 40]) + data[middle + 40 :])
    rows = extracted(path, tmp_path)
    assert [row["url"] for row in rows if row["status"] == "article"][:: max(len(rows), 1)] == [url_of(0)]
    assert url_of(3) in [row["url"] for row in rows if row["status"] == "article"]
    assert any("cannot be unpacked further" in (row["detail"] or "") for row in rows)


def test_a_bomb_in_a_wacz_affects_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "crawl.wacz"
    _zipped(path, ("archive/a.warc", record("response", url_of(0), http(page(0), HTML))), ("archive/b.warc", bytes(100_000_000)))
    rows = extracted(path, tmp_path)
    assert outcomes(rows)[0] == "article"
    assert set(outcomes(rows)[1:]) == {"damaged_record"}
    assert "a bomb" in rows[-1]["detail"]


def test_a_zip_whose_list_is_damaged_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "crawl.wacz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/a.warc.gz", browser_records(range(2)))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"PK\x01\x02", b"PK\xff\x02"))
    assert outcomes(extracted(path, tmp_path)).count("article") == 2


def test_half_a_character_on_a_page_does_not_end_the_file(tmp_path: Path) -> None:
    """JSON has escapes for characters that UTF-8 cannot encode."""
    said = b'<script type="application/ld+json">{"@type":"NewsArticle","author":"Anna \\udc00 Berg"}</script></head>'
    path = tmp_path / "odd.warc"
    pages = [page(0), page(1).replace(b"</head>", said), page(2)]
    assert said in pages[1]
    path.write_bytes(b"".join(record("response", url_of(number), http(body, HTML)) for number, body in enumerate(pages)))
    rows = extracted(path, tmp_path)
    assert outcomes(rows) == ["article"] * 3
    assert "Anna \ufffd Berg" in rows[1]["authors"]


@pytest.mark.filterwarnings(
    "ignore:Unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)  # warcio leaves its buffers open
def test_warcios_writer(tmp_path: Path) -> None:
    """Revisits and requests make no rows; a response that is in the file twice makes two."""
    path = tmp_path / "made.warc.gz"
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=True)
        writer.write_record(writer.create_warcinfo_record("made.warc.gz", {"software": "warcio"}))
        for number in (0, 1, 1, 2):
            head = StatusAndHeaders("200 OK", [HTML], protocol="HTTP/1.1")
            made = writer.create_warc_record(url_of(number), "response", payload=io.BytesIO(page(number)), http_headers=head)
            ask = StatusAndHeaders("GET / HTTP/1.1", [("Host", "post.example")], is_http_request=True)
            writer.write_request_response_pair(writer.create_warc_record(url_of(number), "request", http_headers=ask), made)
        head = StatusAndHeaders("200 OK", [HTML], protocol="HTTP/1.1")
        writer.write_record(writer.create_revisit_record(url_of(9), "sha1:ABC", url_of(0), "2025-05-01T00:00:00Z", http_headers=head))
    rows = extracted(path, tmp_path)
    assert [row["url"] for row in rows] == [url_of(number) for number in (0, 1, 1, 2)]
    assert outcomes(rows) == ["article"] * 4
    check_offsets(path, rows)


def test_a_file_cut_off_in_the_middle_says_so_in_its_last_row(tmp_path: Path) -> None:
    data = browser_records(range(3))
    path = tmp_path / "cut.warc.gz"
    path.write_bytes(data[: len(data) * 2 // 3])
    rows = extracted(path, tmp_path)
    assert outcomes(rows)[-1] == "damaged_record"
    assert "cut off" in rows[-1]["detail"]
    assert set(outcomes(rows)[:-1]) == {"article"}
