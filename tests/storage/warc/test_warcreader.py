"""Reading: captures come back equal, and other people's and damaged files are read as far as possible."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace
from pathlib import Path

import pytest
from backports import zstd

from schemas.capture import Capture
from schemas.errors import StorageError
from schemas.outcomes import Reason, Rejected
from schemas.page import WarcPointer
from storage.objects.store import ObjectStore
from storage.warc.reader import NO_RECORD, Record, read_record_at, read_records, record_in
from tests.storage.captures import HTML, ODD, PLAIN, numbered
from tests.storage.warc.test_warcwriter import KEY, segment


def records_of(data: bytes, **options: int) -> list[Record | Rejected]:
    return list(read_records(io.BytesIO(data), KEY, **options))


def urls_of(found: list[Record | Rejected]) -> list[str]:
    return [record.capture.url if isinstance(record, Record) else f"{record.reason} {record.warc_record_offset}" for record in found]


def foreign(*bodies: bytes, gzipped: bool = True, headers: bytes = b"") -> bytes:
    """A WARC/1.0 file as other software writes it."""
    blocks = [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n%s\r\n%s" % (headers, body) for body in bodies]
    records = [_plain("response", block, url=f"http://h/{number}") for number, block in enumerate(blocks)]
    return b"".join(gzip.compress(record) if gzipped else record for record in records)


@pytest.mark.parametrize("name", [name for name in ODD if name not in {"obs-fold", "newline in a value", "non-ASCII URL"}])
def test_a_capture_comes_back_equal(tmp_path: Path, name: str) -> None:
    closed = segment(tmp_path / "a.warc.gz", ODD[name])
    (record,) = records_of(closed.path.read_bytes())
    assert isinstance(record, Record)
    assert record.capture == ODD[name]
    assert record.pointer == closed.rows[0].pointer
    assert (record.record_type, record.content_length) == ("response", len(ODD[name].body))
    assert record.mime_detected == closed.rows[0].content_mime_detected


def test_a_folded_header_is_unfolded(tmp_path: Path) -> None:
    (record,) = records_of(segment(tmp_path / "a.warc.gz", ODD["obs-fold"]).path.read_bytes())
    assert isinstance(record, Record)
    assert record.capture.response_headers == ((b"X-Long", b"one two"), (b"X-A", b"b"))


def test_a_body_that_looks_chunked_but_was_de_chunked_stays(tmp_path: Path) -> None:
    capture = replace(PLAIN, response_headers=((b"Transfer-Encoding", b"chunked"),), body=b"3\r\nabc\r\n0\r\n\r\n")
    (record,) = records_of(segment(tmp_path / "a.warc.gz", capture).path.read_bytes())
    assert isinstance(record, Record)
    assert record.capture == capture


def test_a_record_is_read_by_its_pointer(store: ObjectStore, tmp_path: Path) -> None:
    closed = segment(tmp_path / "a.warc.gz", *(numbered(n) for n in range(5)))
    store.put_file(KEY, closed.path)
    for number, row in enumerate(closed.rows):
        record = read_record_at(store, row.pointer)
        assert (record.capture.url, record.capture.body, record.pointer) == (numbered(number).url, HTML, row.pointer)
    with pytest.raises(StorageError, match="no whole record at offset 3"):
        read_record_at(store, WarcPointer(KEY, 3, 500))


def test_a_store_is_read_as_a_stream(store: ObjectStore, tmp_path: Path) -> None:
    captures = [numbered(n) for n in range(20)]
    store.put_file(KEY, segment(tmp_path / "a.warc.gz", *captures).path)
    with store.open(KEY) as stream:
        assert [record.capture for record in read_records(stream, KEY) if isinstance(record, Record)] == captures


class OneWay(io.RawIOBase):
    """A stream that cannot seek and gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, 7) if size >= 0 else 7)


@pytest.mark.parametrize("gzipped", [True, False])
def test_a_stream_in_small_pieces(gzipped: bool) -> None:
    data = foreign(b"<p>one", b"<p>two", gzipped=gzipped)
    found = list(read_records(OneWay(data), KEY))  # type: ignore[arg-type]
    assert found == records_of(data)
    assert urls_of(found) == ["http://h/0", "http://h/1"]


@pytest.mark.parametrize("gzipped", [True, False])
def test_pointers_into_foreign_files_lead_to_the_record(store: ObjectStore, gzipped: bool) -> None:
    data = foreign(b"<p>one", b"", b"<p>three" * 100_000, gzipped=gzipped)
    store.put_bytes(KEY, data)
    found = [record for record in records_of(data) if isinstance(record, Record)]
    assert [record.capture.body for record in found] == [b"<p>one", b"", b"<p>three" * 100_000]
    assert [read_record_at(store, record.pointer) for record in found] == found
    assert sum(record.pointer.warc_record_length for record in found) == len(data)


def test_a_file_gzipped_as_one_member() -> None:
    data = gzip.compress(foreign(b"one", b"two", b"three", gzipped=False))
    found = records_of(data)
    assert [record.capture.body for record in found if isinstance(record, Record)] == [b"one", b"two", b"three"]
    assert [record.pointer.warc_record_length for record in found[:2] if isinstance(record, Record)] == [0, 0]


def test_a_foreign_chunked_body_is_de_chunked() -> None:
    chunked = b"Transfer-Encoding: chunked\r\n"
    bodies = [b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", b"not chunked at all", b"5\r\nhel", b"3\r\nabcXX"]
    found = records_of(foreign(*bodies, headers=chunked))
    assert [record.capture.body for record in found if isinstance(record, Record)] == [
        b"abc0123456789",
        b"not chunked at all",
        b"hel",
        b"3\r\nabcXX",
    ]


def test_a_large_body_is_cut_and_said_to_be(tmp_path: Path) -> None:
    closed = segment(tmp_path / "a.warc.gz", replace(PLAIN, body=b"x" * 3_000_000), PLAIN)
    cut, whole = records_of(closed.path.read_bytes(), max_body_bytes=1000)
    assert isinstance(cut, Record)
    assert isinstance(whole, Record)
    assert (cut.capture.body, cut.capture.truncated) == (b"x" * 1000, "length")
    assert (whole.capture.body, whole.capture.truncated) == (HTML, None)


def test_an_answer_without_a_status_line_is_rejected() -> None:
    (found,) = records_of(_plain("response", b"<html>no status line"))
    assert isinstance(found, Rejected)
    assert (found.url, found.reason, found.detail) == ("http://h/", Reason.DAMAGED_RECORD, "no HTTP status line")


def _plain(kind: str, block: bytes, content_type: str = "application/http", url: str = "http://h/") -> bytes:
    fields = f"WARC-Type: {kind}\r\nWARC-Target-URI: <{url}>\r\nWARC-Date: 2020-01-01T00:00:00Z\r\nContent-Type: {content_type}\r\n"
    return b"WARC/1.0\r\n" + fields.encode() + b"Content-Length: %d\r\n\r\n" % len(block) + block + b"\r\n\r\n"


def test_tolerated_answers() -> None:
    blocks = [
        b"HTTP/1.1 200\r\n\r\nx",
        b"HTTP/1.1 200 OK\nA: b\n\nx",
        b"HTTP/1.0 404 Not here\r\nno colon\r\n\r\nx",
        b"HTTP/2 200\r\n\r\nx",
    ]
    found = records_of(b"".join(_plain("response", block) for block in blocks))
    assert all(isinstance(record, Record) for record in found)
    assert [(r.capture.status, r.capture.reason, r.capture.body) for r in found if isinstance(r, Record)] == [
        (200, "", b"x"),
        (200, "OK", b"x"),
        (404, "Not here", b"x"),
        (200, "", b"x"),
    ]


def test_records_that_are_no_exchange_are_skipped() -> None:
    data = (
        _plain("response", b"20200101 h 1.2.3.4", "text/dns")
        + _plain("resource", b"x", "text/plain")
        + _plain("response", b"HTTP/1.1 200 OK\r\n\r\nx")
    )
    assert urls_of(records_of(data)) == ["http://h/"]


def test_an_empty_file_and_a_file_that_is_none() -> None:
    assert records_of(b"") == []
    (found,) = records_of(b"<html>no WARC</html>")
    assert isinstance(found, Rejected)
    (damaged,) = records_of(b"\x28\xb5\x2f\xfd" + b"x" * 50)
    assert isinstance(damaged, Rejected)
    assert "damaged" in damaged.detail


@pytest.mark.parametrize("with_dictionary", [False, True])
def test_zstd_with_and_without_a_dictionary(with_dictionary: bool) -> None:
    records = [_plain("response", b"HTTP/1.1 200 OK\r\n\r\n" + bytes(str(n), "ascii") * 300_000) for n in range(3)]
    frames, head = [zstd.compress(record) for record in records], b""
    if with_dictionary:
        trained = zstd.train_dict([record[:2000] + bytes(str(n * 7919), "ascii") * 50 for n in range(50) for record in records], 4096)
        frames = [zstd.compress(record, zstd_dict=trained) for record in records]
        stored = zstd.compress(trained.dict_content)
        head = b"\x5d\x2a\x4d\x18" + len(stored).to_bytes(4, "little") + stored
    found = records_of(head + b"".join(frames))
    assert [record.capture.body[:1] for record in found if isinstance(record, Record)] == [b"0", b"1", b"2"]
    places = [len(head), len(head) + len(frames[0]), len(head) + len(frames[0]) + len(frames[1])]
    assert [record.pointer.warc_record_offset for record in found if isinstance(record, Record)] == places
    cut = records_of(head + frames[0] + frames[1][:-9] + frames[2])
    assert [isinstance(record, Record) for record in cut] == [True, False, True]


def _damage(data: bytes, place: int) -> bytes:
    return data[:place] + bytes(byte ^ 0x55 for byte in data[place : place + 8]) + data[place + 8 :]


@pytest.mark.parametrize("gzipped", [True, False])
@pytest.mark.parametrize("seekable", [True, False])
def test_reading_goes_on_after_a_damaged_head(gzipped: bool, seekable: bool) -> None:
    data = foreign(b"one", b"two", b"three", gzipped=gzipped)
    offsets = [record.pointer.warc_record_offset for record in records_of(data) if isinstance(record, Record)]
    damaged = _damage(data, offsets[1])
    found = list(read_records(io.BytesIO(damaged) if seekable else OneWay(damaged), KEY))  # type: ignore[arg-type]
    assert urls_of(found) == ["http://h/0", f"damaged_record {offsets[1]}", "http://h/2"]


def test_every_damaged_byte_of_a_record_costs_that_record_alone(tmp_path: Path) -> None:
    closed = segment(tmp_path / "a.warc.gz", *(numbered(n) for n in range(3)))
    data = closed.path.read_bytes()
    row = closed.rows[1]
    for place in range(row.warc_record_offset + 10, row.warc_record_offset + row.warc_record_length - 8, 3):
        found = records_of(_damage(data, place))
        assert urls_of(found)[0] == numbered(0).url
        assert urls_of(found)[-1] == numbered(2).url
        assert any(isinstance(record, Rejected) and record.warc_record_offset == row.warc_record_offset for record in found), place


def test_a_file_cut_off_anywhere_gives_what_is_whole_and_says_so(tmp_path: Path) -> None:
    closed = segment(tmp_path / "a.warc.gz", PLAIN, numbered(1))
    data = closed.path.read_bytes()
    last = closed.rows[1].warc_record_offset
    for size in range(last + 1, len(data)):
        found = records_of(data[:size])
        assert urls_of(found) == [PLAIN.url, f"damaged_record {last}"], size


def test_a_revisit_is_read_with_what_it_refers_to(tmp_path: Path) -> None:
    from storage.warc.writer import SegmentWriter, refers_to

    writer = SegmentWriter(tmp_path / "a.warc.gz", KEY, "news", "news-1", {})
    origin = writer.write(PLAIN)
    again: Capture = replace(PLAIN, status=304, reason="Not Modified", body=b"", fetched_at=numbered(9).fetched_at)
    writer.write(again, refers_to(origin))
    _, record = records_of(writer.close().path.read_bytes())
    assert isinstance(record, Record)
    assert record.capture == again
    assert (record.record_type, record.refers_to_url, record.refers_to_date) == ("revisit", PLAIN.url, PLAIN.fetched_at)
    assert (record.refers_to_filename, record.refers_to_offset) == (KEY, origin.warc_record_offset)


PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>" + b"page " * 50_000
WHOLE = _plain("response", PAGE, url="http://h/1")
ALONE = {
    "whole": gzip.compress(WHOLE),
    "not compressed": WHOLE,
    "in two members": gzip.compress(WHOLE[:900]) + gzip.compress(WHOLE[900:]),
    "two records in a member": gzip.compress(WHOLE + WHOLE),
    "another record behind": gzip.compress(WHOLE) + gzip.compress(WHOLE),
    "a request first": gzip.compress(_plain("request", b"GET / HTTP/1.1\r\n\r\n", url="http://h/1") + WHOLE),
    "cut": gzip.compress(WHOLE)[:-9],
    "wrong checksum": gzip.compress(WHOLE)[:-8] + bytes(8),
    "length too large": gzip.compress(WHOLE.replace(b"Content-Length: ", b"Content-Length: 1")),
    "length too small": gzip.compress(WHOLE.replace(b"Content-Length: 25", b"Content-Length: 2")),
    "a record in the head": gzip.compress(WHOLE.replace(b"WARC-Type", b"X: y\r\nWARC/1.0\r\nWARC-Type", 1)),
    "no status line": gzip.compress(_plain("response", b"HTML", url="http://h/1")),
    "a page with a record's first line": gzip.compress(_plain("response", PAGE + b"\r\nWARC/1.0\r\nWARC-Type: response", url="http://h/1")),
    "no bytes": b"",
}


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("most", [1_000, 1_000_000])
def test_a_record_read_alone_is_what_reading_the_file_gives(name: str, most: int) -> None:
    first = next(read_records(io.BytesIO(ALONE[name]), KEY, most), NO_RECORD)
    assert record_in(ALONE[name], KEY, most) == (first.detail if isinstance(first, Rejected) else first)
