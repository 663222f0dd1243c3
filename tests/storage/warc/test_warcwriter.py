"""What is written, byte by byte, and read by other libraries: warcio and fastwarc."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecordType
from warcio.archiveiterator import ArchiveIterator

from schemas.capture import Capture
from schemas.errors import StorageError
from schemas.page import Hints
from storage.warc.writer import ClosedSegment, SegmentWriter, refers_to
from tests.storage.captures import FETCHED_AT, HTML, ODD, PLAIN

KEY = "warc/news/news-1/s1.warc.gz"
BODYLESS = (204, 304)


def segment(path: Path, *captures: Capture) -> ClosedSegment:
    writer = SegmentWriter(path, KEY, "news", "news-1", {"software": "crawlhouse"})
    for capture in captures:
        writer.write(capture)
    return writer.close()


def warcio_check(path: Path) -> None:
    ended = subprocess.run([str(Path(sys.executable).with_name("warcio")), "check", str(path)], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def _sha1(data: bytes) -> bytes:
    return base64.b32encode(hashlib.sha1(data).digest())


def expected_headers(capture: Capture) -> list[tuple[bytes, bytes]]:
    """The header lines that a reader of the archive should see, made independently of the writer."""
    seen = []
    length_told = False
    true_length = str(len(capture.body)).encode()
    for name, value in capture.response_headers:
        if name.lower() == b"transfer-encoding":
            seen.append((b"X-Crawler-" + name, value))
        elif name.lower() == b"content-length" and value != true_length and capture.status not in BODYLESS:
            seen.append((b"X-Crawler-" + name, value))
            if not length_told:
                seen.append((name, true_length))
            length_told = True
        else:
            seen.append((name, value))
    return seen


RESPONSE = b"""WARC/1.1\r
WARC-Type: response\r
WARC-Record-ID: <urn:uuid:c012f153-b798-515a-9823-9b1abc047ed2>\r
WARC-Date: 2026-01-02T03:04:05.678901Z\r
WARC-Target-URI: http://www.example.com/a/b.html?x=2&a=1\r
WARC-IP-Address: 192.0.2.7\r
WARC-Protocol: http/1.1\r
WARC-Identified-Payload-Type: text/html\r
WARC-Warcinfo-ID: @INFO@\r
WARC-Payload-Digest: sha1:@PAYLOAD@\r
WARC-Block-Digest: sha1:@BLOCK@\r
Content-Type: application/http;msgtype=response\r
Content-Length: 182\r
\r
HTTP/1.1 200 OK\r
Server: nginx\r
Content-Type: text/html; charset=UTF-8\r
Content-Length: 88\r
\r
<!doctype html><html><head><title>t</title></head><body><p>Some words.</p></body></html>\r
\r
"""


def test_the_exact_bytes_of_a_response_record(tmp_path: Path) -> None:
    closed = segment(tmp_path / "a.warc.gz", PLAIN)
    (row,) = closed.rows
    data = closed.path.read_bytes()
    record = gzip.decompress(data[row.warc_record_offset : row.warc_record_offset + row.warc_record_length])
    info = next(iter(ArchiveIterator(io.BytesIO(data)))).rec_headers.get_header("WARC-Record-ID")
    digests = {b"@INFO@": info.encode(), b"@PAYLOAD@": _sha1(HTML), b"@BLOCK@": _sha1(RESPONSE.split(b"\r\n\r\n", 1)[1][:-4])}
    expected = RESPONSE
    for place, value in digests.items():
        expected = expected.replace(place, value)
    assert record == expected
    assert row.warc_record_offset + row.warc_record_length == closed.size == len(data)


@pytest.mark.parametrize("name", [name for name in ODD if name != "brotli"])  # warcio cannot use the brotli package of today
def test_odd_answers_pass_warcio_check(tmp_path: Path, name: str) -> None:
    closed = segment(tmp_path / "a.warc.gz", ODD[name])
    warcio_check(closed.path)


@pytest.mark.parametrize("name", [name for name in ODD if name not in {"obs-fold", "newline in a value"}])
def test_fastwarc_and_warcio_read_back_what_was_received(tmp_path: Path, name: str) -> None:
    capture = ODD[name]
    closed = segment(tmp_path / "a.warc.gz", capture)
    headers = expected_headers(capture)
    with closed.path.open("rb") as stream:
        for fast in FastIterator(stream, record_types=WarcRecordType.response):
            assert list(fast.http_headers.items_bytes()) == headers
            assert fast.http_headers.status_code == capture.status
            assert fast.reader.read() == capture.body
    with closed.path.open("rb") as stream:
        (slow,) = [(record.http_headers, record.raw_stream.read()) for record in ArchiveIterator(stream) if record.rec_type == "response"]
    assert [(key.lower(), value) for key, value in slow[0].headers] == [
        (key.decode().lower(), _as_warcio_decodes(value)) for key, value in headers
    ]
    assert slow[0].get_statuscode() == str(capture.status)
    assert slow[1] == capture.body


def _as_warcio_decodes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


@pytest.mark.parametrize("name", ODD)
def test_fastwarc_finds_every_digest_right(tmp_path: Path, name: str) -> None:
    closed = segment(tmp_path / "a.warc.gz", ODD[name])
    with closed.path.open("rb") as stream:
        checked = [(record.verify_block_digest(), record.record_type) for record in FastIterator(stream, parse_http=False)]
    assert checked == [
        (True, kind) for kind in (WarcRecordType.warcinfo, WarcRecordType.metadata, WarcRecordType.request, WarcRecordType.response)
    ]


def test_a_value_cannot_bring_in_a_header(tmp_path: Path) -> None:
    closed = segment(tmp_path / "a.warc.gz", ODD["newline in a value"])
    with closed.path.open("rb") as stream:
        (headers,) = [record.http_headers.headers for record in ArchiveIterator(stream) if record.rec_type == "response"]
    assert headers == [("X-Bad", "one X-Injected: two"), ("X-A", "b c")]


def test_texts_of_others_cannot_bring_in_a_field(tmp_path: Path) -> None:
    wild = replace(
        PLAIN, url="http://h/a b\r\nX: y", via="http://h/\r\nkind: robots", hints=Hints("a\nkind: feed \ud800", None, "s\r\ndepth: 7")
    )
    closed = segment(tmp_path / "a.warc.gz", wild)
    warcio_check(closed.path)
    (row,) = closed.rows
    assert row.url == "http://h/a%20b%0D%0AX:%20y"
    assert (row.via, row.hint_title, row.hint_source) == ("http://h/ kind: robots", "a kind: feed ?", "s depth: 7")
    with closed.path.open("rb") as stream:
        records = {
            record.rec_type: (record.rec_headers.get_header("WARC-Target-URI"), record.raw_stream.read())
            for record in ArchiveIterator(stream)
        }
    assert records["metadata"][0] == row.url
    assert records["metadata"][1].splitlines()[:4] == [b"kind: page", b"via: http://h/ kind: robots", b"depth: 2", b"fetchTimeMs: 34"]


def test_the_request_is_written_as_sent_but_for_credentials(tmp_path: Path) -> None:
    sent = (
        (b"HOST", b"www.example.com"),
        (b"cookie", b"s=1"),
        (b"Authorization", b"Basic x"),
        (b"Proxy-Authorization", b"y"),
        (b"X-A", b"b"),
    )
    closed = segment(tmp_path / "a.warc.gz", replace(PLAIN, request_headers=sent))
    with closed.path.open("rb") as stream:
        raw = {record.rec_type: record.content_stream().read() for record in ArchiveIterator(stream, no_record_parse=True)}
    assert raw["request"] == b"GET /a/b.html?x=2&a=1 HTTP/1.1\r\nHOST: www.example.com\r\nX-A: b\r\n\r\n"
    assert b"Basic" not in gzip.decompress(closed.path.read_bytes())


def test_further_headers_can_be_withheld(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path / "a.warc.gz", KEY, "news", "news-1", {}, withheld=frozenset({b"x-api-key"}))
    writer.write(replace(PLAIN, request_headers=((b"X-API-Key", b"secret"), (b"X-A", b"b"))))
    data = gzip.decompress(writer.close().path.read_bytes())
    assert b"secret" not in data
    assert b"X-A: b" in data


def test_a_revisit_names_the_capture_it_refers_to(tmp_path: Path) -> None:
    first = SegmentWriter(tmp_path / "1.warc.gz", KEY, "news", "news-1", {})
    origin = first.write(PLAIN)
    first.close()
    writer = SegmentWriter(tmp_path / "2.warc.gz", "warc/news/news-2/s1.warc.gz", "news", "news-2", {})
    later = replace(PLAIN, fetched_at=FETCHED_AT + timedelta(days=1))
    same = writer.write(later, refers_to(origin))
    unchanged = writer.write(
        replace(later, fetched_at=FETCHED_AT + timedelta(days=2), status=304, reason="Not Modified", body=b""), refers_to(origin)
    )
    closed = writer.close()
    warcio_check(closed.path)
    with (tmp_path / "1.warc.gz").open("rb") as stream:
        (origin_id,) = [r.rec_headers.get_header("WARC-Record-ID") for r in ArchiveIterator(stream) if r.rec_type == "response"]
    with closed.path.open("rb") as stream:
        revisits = [(record.rec_headers, record.raw_stream.read()) for record in ArchiveIterator(stream) if record.rec_type == "revisit"]
    assert [headers.get_header("WARC-Profile").rsplit("/", 1)[1] for headers, _ in revisits] == [
        "identical-payload-digest",
        "server-not-modified",
    ]
    for headers, body in revisits:
        assert headers.get_header("WARC-Refers-To") == origin_id
        assert headers.get_header("WARC-Refers-To-Target-URI") == PLAIN.url
        assert headers.get_header("WARC-Refers-To-Date") == "2026-01-02T03:04:05.678901Z"
        assert headers.get_header("WARC-Payload-Digest") == origin.content_digest
        assert body == b""
    for row in (same, unchanged):
        assert (row.record_type, row.content_digest, row.refers_to_filename, row.refers_to_offset) == (
            "revisit",
            origin.content_digest,
            KEY,
            origin.warc_record_offset,
        )
    assert (same.content_length, unchanged.content_length, unchanged.fetch_status) == (len(HTML), 0, 304)


def test_the_row_of_a_capture(tmp_path: Path) -> None:
    (row,) = segment(tmp_path / "a.warc.gz", replace(PLAIN, url="https://www.news.example.co.uk:8443/A/?b=1&a=2")).rows
    assert row.url_surtkey == "uk,co,example,news:8443)/a?a=2&b=1"
    assert (row.url_host_name, row.url_host_registered_domain) == ("www.news.example.co.uk", "example.co.uk")
    assert (row.url_protocol, row.url_port, row.url_path, row.url_query) == ("https", 8443, "/A/", "b=1&a=2")
    assert (row.content_mime_type, row.content_mime_detected, row.content_charset) == ("text/html", "text/html", "utf-8")
    assert (row.crawl, row.crawl_run, row.warc_filename, row.record_type) == ("news", "news-1", KEY, "response")


def test_a_redirect_row_has_the_absolute_target(tmp_path: Path) -> None:
    (row,) = segment(tmp_path / "a.warc.gz", ODD["redirect"]).rows
    assert row.fetch_redirect == "http://www.example.com/c?d=1"


def test_a_full_disk_is_reported_and_whole_records_stay(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; from pathlib import Path; from storage.warc.writer import SegmentWriter\n"
        "from tests.storage.captures import PLAIN\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "writer = SegmentWriter(Path(sys.argv[1]), 'k', 'c', 'r', {})\n"
        "while True: writer.write(PLAIN)"
    )
    path = tmp_path / "a.warc.gz"
    ended = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "StorageError: Writing" in ended.stderr
    assert path.stat().st_size <= 5000


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    segment(tmp_path / "a.warc.gz", PLAIN)
    with pytest.raises(FileExistsError):
        segment(tmp_path / "a.warc.gz", PLAIN)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_the_message_of_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SegmentWriter(tmp_path / "a.warc.gz", KEY, "news", "news-1", {})
    writer.close()
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(writer, "_file", full)
        with pytest.raises(StorageError, match=r"is full\. Free space"):
            writer.write(PLAIN)
