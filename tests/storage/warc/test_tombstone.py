"""Erased records: their bytes are gone, others stay where they are, and other tools read the file as before."""

from __future__ import annotations

import io
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from schemas.errors import StorageError
from storage.index.rows import CaptureRow
from storage.warc.reader import Record, read_records
from storage.warc.tombstone import find_edits, member_of_length, tombstone, write_edited
from storage.warc.writer import SegmentWriter, refers_to
from tests.storage.captures import PLAIN, numbered

NAME = "warc/c/r/s.warc.gz"
GONE, SHORT = "http://www.example.com/page/1", "http://www.example.com/page/9"


def written(path: Path, *captures: object) -> tuple[bytes, list[CaptureRow]]:
    """A segment with five captures: two of the page that is erased, and two that say they were found on it."""
    writer = SegmentWriter(path, NAME, "c", "r", {})
    referer = (*PLAIN.request_headers, (b"Referer", GONE.encode()))
    rows = [
        writer.write(numbered(0)),
        writer.write(numbered(1, body=b"marker " * 40_000)),
        writer.write(numbered(2, via=GONE, request_headers=referer)),
    ]
    rows += [writer.write(replace(numbered(3), url=GONE, status=304, body=b""), refers_to(rows[1])), writer.write(numbered(9, via=GONE))]
    writer.close()
    return path.read_bytes(), rows


def decoded(data: bytes) -> bytes:
    """All members of a file, decoded."""
    found = b""
    while data:
        member = zlib.decompressobj(31)
        found += member.decompress(data)
        assert member.eof
        data = member.unused_data
    return found


def test_erased_records_leave_the_others_in_place(tmp_path: Path) -> None:
    data, rows = written(tmp_path / "s.warc.gz")
    erased = {row.warc_record_offset: row.warc_record_length for row in rows if row.url == GONE}
    edits = find_edits(io.BytesIO(data), NAME, erased, GONE.__eq__, lambda text: GONE in text)
    assert len(edits) == 6 + 3  # metadata, request and answer twice; what names the page in three records of others
    out = io.BytesIO()
    write_edited(io.BytesIO(data), out, edits)
    after = out.getvalue()
    assert len(after) == len(data)
    text = decoded(after)
    assert b"marker" not in text
    assert GONE.encode() not in text
    assert text.count(b"erased: yes") == 6
    before = {one.pointer.warc_record_offset: one for one in read_records(io.BytesIO(data), NAME) if isinstance(one, Record)}
    now = [one for one in read_records(io.BytesIO(after), NAME) if isinstance(one, Record)]
    assert [one.pointer.warc_record_offset for one in now] == [row.warc_record_offset for row in rows if row.url != GONE]
    for one in now:
        old = before[one.pointer.warc_record_offset]
        without = replace(old.capture, via=one.capture.via, request_headers=one.capture.request_headers)
        assert (one.pointer, one.capture) == (old.pointer, without)
    with io.BytesIO(after) as stream:  # another tool reads it, and the digests that it checks are true
        iterator = ArchiveIterator(stream, check_digests="raise")
        kinds = [(record.rec_type, len(record.content_stream().read())) for record in iterator]
    assert [kind for kind, _ in kinds].count("response") == 3
    again = find_edits(io.BytesIO(after), NAME, erased, GONE.__eq__, lambda text: GONE in text)
    assert again == {}


def test_tombstones_have_every_length() -> None:
    shortest = 400
    for length in [*range(150, 420), *range(65_500, 65_900, 7), 131_400, 1_000_003]:
        try:
            made = tombstone(NAME, 5, length, "2026-01-02T03:04:05Z")
        except StorageError:
            assert length < shortest
            continue
        shortest = min(shortest, length)
        assert len(made) == length
        text = decoded(made)
        assert text.endswith(b"\r\n\r\n")
        assert b"erased: yes" in text
        assert list(read_records(io.BytesIO(made), NAME)) == []
    assert shortest < 220  # a record of ours has more
    assert member_of_length(b"x" * 100, 20) is None
    with pytest.raises(StorageError, match="too short"):
        tombstone(NAME, 5, 60, "")


def test_a_damaged_record_is_erased_too(tmp_path: Path) -> None:
    data, rows = written(tmp_path / "s.warc.gz")
    broken = bytearray(data)
    place = rows[1].warc_record_offset
    broken[place + 60 : place + 90] = bytes(30)
    edits = find_edits(io.BytesIO(bytes(broken)), NAME, {place: rows[1].warc_record_length}, lambda _: False, lambda _: False)
    assert list(map(len, edits.values()))[-1:] == [rows[1].warc_record_length]
    assert place in edits
