"""Records of WARC files that other tools wrote."""

import gzip
import io
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from schemas.outcomes import Rejected
from storage.warc.reader import Record, read_records

PAGE = b"<!doctype html><title>A page</title><p>A page."
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE


def record(kind: str, block: bytes, content_type: str | None = "application/http; msgtype=response", **fields: str | None) -> bytes:
    given = {
        "WARC-Type": kind,
        "WARC-Target-URI": "https://a.example/1",
        "WARC-Date": "2024-05-31T10:00:00Z",
        "WARC-Record-ID": "<urn:uuid:1>",
        "Content-Type": content_type,
        **{name.replace("_", "-"): value for name, value in fields.items()},
        "Content-Length": str(len(block)),
    }
    head = "WARC/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in given.items() if value is not None)
    return head.encode() + b"\r\n" + block + b"\r\n\r\n"


def read(*stored: bytes, passed_over: Counter[str] | None = None) -> list[Record]:
    data = b"".join(map(gzip.compress, stored))
    found = list(read_records(io.BytesIO(data), "x", passed_over=passed_over))
    return [one for one in found if isinstance(one, Record)]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("20240531100000", "2024-05-31T10:00:00+00:00"),
        ("2024-05", "2024-05-01T00:00:00+00:00"),
        ("2024", "2024-01-01T00:00:00+00:00"),
        ("2024-05-31t10:00:00z", "2024-05-31T10:00:00+00:00"),
        ("202405311000", "2024-05-31T10:00:00+00:00"),
        ("20240531100000123", "2024-05-31T10:00:00+00:00"),
        ("2024-05-31T10:00:60Z", "2024-05-31T10:00:59+00:00"),
        ("2024-05-31", "2024-05-31T00:00:00+00:00"),
        ("Fri, 31 May 2024 12:00:00 +0200", "2024-05-31T10:00:00+00:00"),
        ("2024-05-31T24:00:00Z", "2024-06-01T00:00:00+00:00"),
        ("2024-05-31T10:00:00 UTC", "2024-05-31T10:00:00+00:00"),
        ("1717149600", "2024-05-31T10:00:00+00:00"),
        ("2024-05-31 12:00:00+02:00", "2024-05-31T10:00:00+00:00"),
    ],
)
def test_dates(written: str, moment: str) -> None:
    (found,) = read(record("response", ANSWER, WARC_Date=written))
    assert (found.capture.fetched_at, found.is_dated) == (datetime.fromisoformat(moment), True)


@pytest.mark.parametrize(
    "written",
    [
        "0000-00-00T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59-05:00",
        "9999-12-31T23:59:59Z",
        "yesterday",
        "",
        "9" * 14,
        None,
    ],
)
def test_a_record_without_a_date_is_a_page(written: str | None) -> None:
    (undated,) = read(record("response", ANSWER, WARC_Date=written))
    assert not undated.is_dated
    assert datetime.now(UTC) - undated.capture.fetched_at < timedelta(hours=1)
    answer = ANSWER.replace(b"\r\n\r\n", b"\r\nDate: Fri, 31 May 2024 10:00:00 GMT\r\n\r\n", 1)
    (served,) = read(record("response", answer, WARC_Date=written))
    assert (served.capture.fetched_at, served.is_dated) == (datetime(2024, 5, 31, 10, tzinfo=UTC), False)


@pytest.mark.parametrize(
    "block",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER,
        b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ANSWER,
        ANSWER.replace(b"\r\n", b"\n"),
        ANSWER.replace(b"\r\n\r\n", b"\n\r\n"),
        b"\r\n" + ANSWER,
        b"HTTP/1.1 200 Connection established\r\n\r\n" + ANSWER,
    ],
)
def test_heads(block: bytes) -> None:
    (found,) = read(record("response", block))
    assert (found.capture.status, found.capture.header("content-type"), found.capture.body) == (200, "text/html", PAGE)
    assert found.capture.truncated is None


def test_a_page_that_shows_an_interim_response_is_whole() -> None:
    (found,) = read(record("response", ANSWER + b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER))
    assert found.capture.body == PAGE + b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER


@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=utf-8", "application/xhtml+xml", None, "unknown/unknown"])
def test_a_resource_with_html_is_a_page(content_type: str | None) -> None:
    (found,) = read(record("resource", PAGE, content_type))
    assert (found.record_type, found.capture.status, found.capture.body) == ("resource", 200, PAGE)


def test_what_is_left_out_is_counted() -> None:
    passed_over: Counter[str] = Counter()
    stored = [
        record("warcinfo", b"software: x\r\n", "application/warc-fields"),
        record("resource", b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        record("resource", b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        record("resource", b"log", "text/plain", WARC_Target_URI="metadata://log"),
        record("resource", b"\x00\x01", None),
        record("conversion", b"words", "text/plain"),
        record("response", b"1.2.3.4", "text/dns"),
        record("request", b"GET / HTTP/1.1\r\n\r\n", "application/http; msgtype=request"),
        record("response", ANSWER),
    ]
    assert len(read(*stored, passed_over=passed_over)) == 1
    labels = {"resource image/png": 2, "resource text/plain": 1, "resource": 1, "conversion text/plain": 1, "response text/dns": 1}
    assert passed_over == labels


def test_many_types_are_counted_together() -> None:
    passed_over: Counter[str] = Counter()
    read(*[record("resource", b"x", f"image/x{number}") for number in range(300)], passed_over=passed_over)
    assert (passed_over["others"], passed_over.total(), len(passed_over)) == (200, 300, 101)


def test_a_revisit_without_a_head() -> None:
    same = record("revisit", b"", WARC_Profile="http://netpreserve.org/warc/1.0/revisit/identical-payload-digest")
    unchanged = record("revisit", b"", None, WARC_Profile="http://netpreserve.org/warc/1.0/revisit/server-not-modified")
    found = read(same, unchanged)
    assert [(one.record_type, one.capture.status, one.capture.body) for one in found] == [("revisit", 200, b""), ("revisit", 304, b"")]


@pytest.mark.parametrize("block", [PAGE, ANSWER])
@pytest.mark.parametrize("content_type", ["text/html", None])
def test_a_response_with_the_type_of_its_document(block: bytes, content_type: str | None) -> None:
    (found,) = read(record("response", block, content_type))
    assert (found.record_type, found.capture.status, found.capture.body) == ("response", 200, PAGE)


@pytest.mark.parametrize("line", [b"http/1.1 200 ok", b"ICY 200 OK", b"h2 200"])
def test_odd_status_lines(line: bytes) -> None:
    (found,) = read(record("response", ANSWER.replace(b"HTTP/1.1 200 OK", line)))
    assert (found.capture.status, found.capture.body) == (200, PAGE)


def test_nul_between_records_is_no_record() -> None:
    stored = gzip.compress(record("response", ANSWER))
    found = list(read_records(io.BytesIO(stored + bytes(512) + stored + bytes(10)), "x"))
    assert [isinstance(one, Record) for one in found] == [True, True]


def test_a_url_in_latin_1() -> None:
    stored = record("response", ANSWER, WARC_Target_URI="https://a.example/caf@").replace(b"@", b"\xe9")
    assert read(stored)[0].capture.url == "https://a.example/caf\xe9"


@pytest.mark.parametrize("content_type", ["message/http", "application/octet-stream", "image/png"])
def test_an_exchange_under_another_type_is_one(content_type: str) -> None:
    assert [one.capture.body for one in read(record("response", ANSWER, content_type))] == [PAGE]


def test_a_revisit_with_the_type_of_its_document() -> None:
    (found,) = read(record("revisit", b"", "text/html"))
    assert (found.record_type, found.capture.status) == ("revisit", 200)


def test_a_record_without_a_url_is_no_page() -> None:
    (found,) = read_records(io.BytesIO(record("response", ANSWER, WARC_Target_URI=None)), "x")
    assert isinstance(found, Rejected)
    assert found.detail == "no WARC-Target-URI"


def test_blanks_between_records_and_a_byte_order_mark_are_no_record() -> None:
    stored = record("response", ANSWER)
    found = list(read_records(io.BytesIO(b"\xef\xbb\xbf" + stored + b" \t\r\n" + stored), "x"))
    assert [isinstance(one, Record) for one in found] == [True, True]


def test_the_first_segment_of_a_record_is_a_part() -> None:
    assert read(record("response", ANSWER, WARC_Segment_Number="1"))[0].capture.truncated == "unspecified"


@pytest.mark.parametrize(
    ("head", "body", "truncated"),
    [
        (b"Content-Length: 500", PAGE, "disconnect"),
        (b"Content-Length: 500", PAGE + b"</html>", None),
        (b"Content-Length: 5", PAGE, None),
        (b"Content-Length: 500\r\nContent-Encoding: br", PAGE, None),  # it was decoded
        (b"Transfer-Encoding: chunked", b"10\r\n%s\r\n10\r\n%s" % (PAGE[:16], PAGE[16:20]), "disconnect"),
        (b"Transfer-Encoding: chunked", b"10\r\n%s\r\n" % PAGE[:16], "disconnect"),
        (b"Transfer-Encoding: chunked", b"10\r\n%s\r\n0\r\n\r\n" % PAGE[:16], None),
        (b"Content-Length: 500\r\nTransfer-Encoding: chunked", b"10\r\n%s\r\n0\r\n\r\n" % PAGE[:16], None),  # the length counts for nothing
        (b"Transfer-Encoding: chunked", b"7\r\n</html>\r\n", None),
        (b"Transfer-Encoding: chunked", PAGE, None),
    ],
)
def test_a_body_whose_transfer_broke_off_is_not_whole(head: bytes, body: bytes, truncated: str | None) -> None:
    (found,) = read(record("response", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + head + b"\r\n\r\n" + body))
    assert found.capture.truncated == truncated
    (told,) = read(record("response", ANSWER, WARC_Truncated="time"))
    assert told.capture.truncated == "time"


def test_a_file_in_the_older_format_is_named() -> None:
    arc = b"filedesc://a.arc 0.0.0.0 20240531100000 text/plain 76\n1 0 InternetArchive\nURL IP-address Archive-date\n\n"
    first, *_ = read_records(io.BytesIO(arc), "x")
    assert isinstance(first, Rejected)
    assert "ARC file" in first.detail
