"""Copies the records of any WARC file into segments: byte for byte, but each in a gzip member of its own, and at most 64 MB in a file."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from runtime.code_version import code_version
from schemas.capture import UrlKind
from schemas.errors import CrawlhouseError
from schemas.keys import segment_key
from schemas.outcomes import Reason, Rejected
from schemas.page import WarcPointer
from schemas.runs import CrawlRun
from spiders.adoption.earlier_copies import EarlierCaptures, Place, capture_identity
from spiders.adoption.taken_down import take_out
from spiders.spool.spool import MAX_SEGMENT_BYTES, WARC_SUFFIX
from storage.index.from_capture import CrawlLabel, Payload, capture_row
from storage.index.rows import CaptureRow
from storage.lake.takedown import Takedowns
from storage.warc.reader import MAX_BODY_BYTES, Context, Record, read_record
from storage.warc.records import sha1, warc_date
from storage.warc.sniff import sniff
from storage.warc.stream import DamagedError, RecordStream
from storage.warc.writer import ClosedSegment, SegmentWriter

GZIP_WBITS = 31
COMPRESSION = 6
MAX_KNOWN = 500_000  # captures that revisit records of the same files may refer to: some 100 MB of memory
ROBOTS_PATH = "/robots.txt"


@dataclass(slots=True)
class CopyCounts:
    """What was copied: captures, records that cannot be read, and records that are copied but are no captures, by kind and type.

    `taken_down` are those of the captures that are taken down: in the copy are tombstones. `again` are captures that were adopted before,
    with a file that begins like theirs: they are left out.
    """

    captures: int = 0
    taken_down: int = 0
    again: int = 0
    damaged: int = 0
    first_damage: str = ""
    others: Counter[str] = field(default_factory=Counter)


class _CopyingStream(RecordStream):
    """A stream of records that writes what is read of each into a gzip member of a file."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self._file: BinaryIO | None = None
        self._compressor = zlib.compressobj(COMPRESSION, zlib.DEFLATED, GZIP_WBITS)
        self.copied_bytes = 0  # decoded: where a segment ends must not depend on the compression

    def begin_segment(self) -> None:
        """Count the bytes of the next segment."""
        self.copied_bytes = 0

    def copy_to(self, file: BinaryIO) -> None:
        """Begin the member of the next record in a file."""
        self._file = file
        self._compressor = zlib.compressobj(COMPRESSION, zlib.DEFLATED, GZIP_WBITS)

    def read_head(self) -> bytes:
        """The head of the record."""
        head = super().read_head()
        self._write(head + b"\r\n\r\n")
        return head

    def read(self, length: int) -> bytes:
        """The next bytes of the record's block."""
        data = super().read(length)
        self._write(data)
        return data

    def end_member(self) -> None:
        """End the member: the record is whole."""
        self._write(b"\r\n\r\n")
        if self._file is not None:
            self._file.write(self._compressor.flush())

    def _write(self, data: bytes) -> None:
        self.copied_bytes += len(data)
        if self._file is not None:
            self._file.write(self._compressor.compress(data))


class SegmentCopier:
    """Copies files into the segments of one run. It knows the captures that revisit records may refer to."""

    def __init__(self, run: CrawlRun, folder: Path, counts: CopyCounts, takedowns: Takedowns, beat: Callable[[], None]) -> None:
        """`beat` is called before each record."""
        self._beat = beat
        self._run = run
        self._folder = folder
        self._counts = counts
        self._takedowns = takedowns
        self._known: dict[bytes, Place] = {}
        self._source = ""
        self._earlier: EarlierCaptures = {}
        self._left_out: Counter[bytes] = Counter()  # of the file

    def copy(self, stream: BinaryIO, source: str, digest: str, earlier: EarlierCaptures) -> Iterator[tuple[str, ClosedSegment]]:
        """The segments of one file, with their names. The same file always gives the same segments. The caller removes their files.

        What cannot be read is counted and left out, and so are `earlier` captures. Raises OSError, StorageError.
        """
        records, context, self._source, self._earlier = _CopyingStream(stream), Context(), source, earlier
        self._left_out.clear()
        number, is_over = 0, False
        while not is_over:
            name = f"adopted-{digest[:16]}-{number:05d}"
            closed, is_over = self._segment(records, context, name, source)
            if closed.rows:
                yield name, closed
            else:
                closed.path.unlink()
            number += 1

    def _segment(self, records: _CopyingStream, context: Context, name: str, source: str) -> tuple[ClosedSegment, bool]:
        """The next segment, and whether the file has no more records."""
        path, key = self._folder / f"{name}{WARC_SUFFIX}", segment_key(self._run.crawl.name, self._run.crawl_run, name)
        facts = {"software": f"crawlhouse/{code_version()}", "description": f"adopted from {source}"}
        SegmentWriter(path, key, self._run.crawl.name, self._run.crawl_run, facts).close()
        rows: list[CaptureRow] = []
        records.begin_segment()
        is_over = False
        with path.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            while not (is_over := not self._has_next(records)):
                row = self._copy_record(records, context, file, key)
                if row is not None:
                    rows.append(row)
                if row is not None and records.copied_bytes >= MAX_SEGMENT_BYTES:
                    break
        return self._closed(path, key, rows), is_over

    def _closed(self, path: Path, key: str, rows: list[CaptureRow]) -> ClosedSegment:
        left = take_out(path, key, rows, self._takedowns)
        self._counts.taken_down += sum(row.is_erased for row in left)
        with path.open("r+b") as file:
            os.fsync(file.fileno())
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            return ClosedSegment(path, file.tell(), f"sha256:{sha256}", tuple(left))

    def _has_next(self, records: _CopyingStream) -> bool:
        while True:
            try:
                return records.begin()
            except DamagedError as error:
                self._count_damage(error)
                if not records.resume():
                    return False

    def _copy_record(self, records: _CopyingStream, context: Context, file: BinaryIO, key: str) -> CaptureRow | None:
        """Copy a record; the row of a capture. What is damaged is not copied."""
        self._beat()
        offset = file.tell()
        records.copy_to(file)
        try:
            found = read_record(records, key, context, MAX_BODY_BYTES, self._counts.others)
        except (CrawlhouseError, OSError):
            raise
        except Exception as error:  # damage, or what nobody foresaw: only the record is lost, not the file
            found = Rejected("", key, offset, "record", Reason.DAMAGED_RECORD, str(error) or type(error).__name__)
        if isinstance(found, Rejected):
            self._count_damage(found.detail)
            file.seek(offset)
            file.truncate()
            records.resume()
            return None
        records.end_member()
        if found is None:
            return None
        row = self._row(found, WarcPointer(key, offset, file.tell() - offset, ""))
        place = self._earlier_place(row) if self._earlier else None
        if place is not None:
            self._leave_out(found, place)
            file.seek(offset)
            file.truncate()
            return None
        self._counts.captures += 1
        return row

    def _earlier_place(self, row: CaptureRow) -> Place | None:
        """The place of a copy that was adopted before; None if all of the equal ones are the copies of other records of this file."""
        key = capture_identity(row)
        place, number = self._earlier.get(key, (None, 0))
        if self._left_out[key] >= number:
            return None
        self._left_out[key] += 1
        return place

    def _leave_out(self, record: Record, place: Place) -> None:
        """Count a capture that was adopted before. Revisits of this file may refer to it."""
        self._counts.again += 1
        self._remember(record, WarcPointer(place[0], place[1], 0, place[2]))

    def _count_damage(self, detail: object) -> None:
        self._counts.damaged += 1
        self._counts.first_damage = self._counts.first_damage or f"{self._source}: {detail}"

    def _row(self, record: Record, pointer: WarcPointer) -> CaptureRow:
        """The row of a copied capture. Other tools write other digests, so that of the body is made anew."""
        capture = record.capture
        label = CrawlLabel(self._run.crawl.name, self._run.crawl_run)
        length = record.content_length or 0
        if record.record_type == "revisit":
            known = self._reference(record)
            pointer = replace(pointer, content_digest=known[2] if known else record.pointer.content_digest)
            return capture_row(capture, "revisit", pointer, Payload(length, record.mime_detected), label, known[:2] if known else None)
        if capture.kind is UrlKind.PAGE and capture.url.partition("?")[0].endswith(ROBOTS_PATH):
            capture = replace(capture, kind=UrlKind.ROBOTS)
        pointer = replace(pointer, content_digest=sha1(capture.body))
        self._remember(record, pointer)
        kind = "conversion" if record.record_type == "conversion" else "response"
        return capture_row(capture, kind, pointer, Payload(length, record.mime_detected or _mime(record)), label)

    def _remember(self, record: Record, pointer: WarcPointer) -> None:
        """Remember a capture by what revisit records say of it: its URL with the payload's digest, or with its date."""
        if len(self._known) < MAX_KNOWN:
            place = (pointer.warc_filename, pointer.warc_record_offset, pointer.content_digest)
            url = record.capture.url
            for fact in {pointer.content_digest, record.pointer.content_digest, warc_date(record.capture.fetched_at)} - {""}:
                self._known[_identity(url, fact)] = place

    def _reference(self, record: Record) -> Place | None:
        """The capture that a revisit refers to, if it was copied before."""
        url = record.refers_to_url or record.capture.url
        facts = [record.pointer.content_digest, warc_date(record.refers_to_date) if record.refers_to_date else ""]
        return next((known for fact in facts if fact and (known := self._known.get(_identity(url, fact)))), None)


def _identity(url: str, fact: str) -> bytes:
    return hashlib.blake2b(f"{url}\0{fact}".encode("utf-8", "surrogatepass"), digest_size=12).digest()


def _mime(record: Record) -> str | None:
    declared = record.capture.header("content-type")
    return sniff(record.capture.body, record.capture.header("content-encoding"), declared.split(";", 1)[0].strip() if declared else None)
