"""Writes a WARC segment: for each capture a metadata, a request, and a response or revisit record, in this order.

The most important record comes last. So a group is whole if its last record is, and a segment that was cut off anywhere can be repaired
from its own bytes.

On the main path, `spiders.spool` comes before; after it, the segment is uploaded and registered (`storage.frontier.registration`).
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from schemas.capture import Capture
from schemas.errors import StorageError
from schemas.page import Hints, WarcPointer
from storage.index.from_capture import CrawlLabel, Payload, capture_row
from storage.index.rows import CaptureRow
from storage.warc import records as warc
from storage.warc.sniff import sniff

WITHHELD = frozenset({b"authorization", b"proxy-authorization", b"cookie"})
CRAWL_FIELD = "crawl"
CRAWL_RUN_FIELD = "crawlRun"


@dataclass(frozen=True, slots=True)
class RefersTo:
    """The registered capture of the same URL to which a revisit refers, from its row in the capture index."""

    url: str
    fetched_at: datetime
    warc_filename: str
    warc_record_offset: int
    content_digest: str


@dataclass(frozen=True, slots=True)
class ClosedSegment:
    """A whole segment on the disk: `size` in bytes, `digest` is `sha256:` + hex, one row for each response, revisit or conversion."""

    path: Path
    size: int
    digest: str
    rows: tuple[CaptureRow, ...]


class SegmentWriter:
    """An open WARC/1.1 segment in a local file, one gzip member per record.

    `warc_filename` is the object key that the segment will have; `warcinfo` are further fields of its first record. Request headers named
    in `withheld` (lower case) are never written. Raises StorageError if the disk is full, and FileExistsError if the file exists.
    """

    def __init__(
        self,
        path: Path,
        warc_filename: str,
        crawl: str,
        crawl_run: str,
        warcinfo: Mapping[str, str],
        withheld: frozenset[bytes] = WITHHELD,
    ) -> None:
        self._path = path
        self._warc_filename = warc_filename
        self._label = CrawlLabel(crawl, crawl_run)
        self._withheld = withheld
        self._rows: list[CaptureRow] = []
        self._digest = hashlib.sha256()
        self._size = 0
        self._file = path.open("xb")
        self._append(self._warcinfo(warcinfo))

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size

    def write(self, capture: Capture, refers_to: RefersTo | None = None) -> CaptureRow:
        """Append a capture and return its row; with `refers_to` it is a `revisit` without a body.

        The profile is server-not-modified for a 304 response, otherwise identical-payload-digest.
        """
        capture = _with_single_lines(capture)
        payload = Payload(len(capture.body), _mime(capture))
        digest = refers_to.content_digest if refers_to else warc.sha1(capture.body)
        before = self._preceding_records(capture, payload)
        record = self._revisit(capture, payload, refers_to) if refers_to else self._response(capture, payload, digest)
        pointer = WarcPointer(self._warc_filename, self._size + len(before), len(record), digest)
        kind = "revisit" if refers_to else "response"
        origin = (refers_to.warc_filename, refers_to.warc_record_offset) if refers_to else None
        row = capture_row(capture, kind, pointer, payload, self._label, origin)
        self._append(before + record)
        self._rows.append(row)
        return row

    def write_rendered(self, capture: Capture, rendered: Capture) -> tuple[CaptureRow, CaptureRow]:
        """Append a page as the server sent it and, as a `conversion`, as a browser rendered it; returns both rows. One write has both."""
        capture, rendered = _with_single_lines(capture), _with_single_lines(rendered)
        parts, rows = b"", []
        for one, kind in ((capture, "response"), (rendered, "conversion")):
            payload = Payload(len(one.body), _mime(one))
            digest = warc.sha1(one.body)
            before = self._preceding_records(one, payload, kind)
            record = self._response(one, payload, digest) if kind == "response" else self._conversion(one, payload, digest, capture)
            pointer = WarcPointer(self._warc_filename, self._size + len(parts) + len(before), len(record), digest)
            rows.append(capture_row(one, kind, pointer, payload, self._label))
            parts += before + record
        self._append(parts)
        self._rows += rows
        return rows[0], rows[1]

    def flush(self, sync: bool = False) -> None:
        """Give everything to the operating system; with `sync`, wait until it is on the disk."""
        try:
            self._file.flush()
            if sync:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failure(error) from error

    def close(self) -> ClosedSegment:
        """Write the segment to the disk and close it."""
        if not self._file.closed:
            self.flush(sync=True)
            self._file.close()
        return ClosedSegment(self._path, self._size, "sha256:" + self._digest.hexdigest(), tuple(self._rows))

    def _append(self, data: bytes) -> None:
        """One write for a whole group. What a process has written is safe if it is killed."""
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise self._failure(error) from error
        self._digest.update(data)
        self._size += len(data)

    def _failure(self, error: OSError) -> StorageError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return StorageError(f"The disk of {self._path.parent} is full. Free space there and run again: whole records are kept.")
        return StorageError(f"Writing {self._path} failed: {error.strerror}. Run again: whole records are kept.")

    def _warcinfo(self, given: Mapping[str, str]) -> bytes:
        date = warc.warc_date(datetime.now(UTC))
        own = {"format": "WARC File Format 1.1", CRAWL_FIELD: self._label.crawl, CRAWL_RUN_FIELD: self._label.crawl_run}
        block = warc.warc_fields([(name, warc.one_line(value)) for name, value in {**given, **own}.items()])
        self._warcinfo_id = warc.record_id("warcinfo", self._warc_filename, date, "")
        fields = [
            ("WARC-Record-ID", self._warcinfo_id),
            ("WARC-Date", date),
            ("WARC-Filename", self._warc_filename),
            ("WARC-Block-Digest", warc.sha1(block)),
            ("Content-Type", warc.WARC_FIELDS),
        ]
        return warc.member(warc.head("warcinfo", fields, len(block)), block)

    def _preceding_records(self, capture: Capture, payload: Payload, record_type: str = "response") -> bytes:
        """The metadata record (how the URL was found, timing); for an exchange also the request, where indexers expect it."""
        is_exchange = record_type != "conversion"
        response_id = self._id("answer" if is_exchange else record_type, capture)
        request = warc.request_block(capture, self._withheld)
        hints = capture.hints
        metadata = warc.warc_fields(
            [
                ("kind", str(capture.kind)),
                ("via", capture.via),
                ("depth", str(capture.depth)),
                ("fetchTimeMs", str(capture.latency_ms)),
                ("payloadLength", str(payload.length)),
                ("hintTitle", hints.title),
                ("hintPublishedAt", hints.published_at.isoformat() if hints.published_at else None),
                ("hintSource", hints.source),
                ("contentUsage", capture.preferences.usage),
                ("contentSignal", capture.preferences.signal),
            ]
        )
        records = self._concurrent_record("metadata", capture, response_id, warc.WARC_FIELDS, metadata)
        return records + self._concurrent_record("request", capture, response_id, warc.HTTP_REQUEST, request) if is_exchange else records

    def _concurrent_record(self, kind: str, capture: Capture, response_id: str, content_type: str, block: bytes) -> bytes:
        fields = [
            ("WARC-Record-ID", self._id(kind, capture)),
            ("WARC-Date", warc.warc_date(capture.fetched_at)),
            ("WARC-Target-URI", capture.url),
            ("WARC-Concurrent-To", response_id),
            ("WARC-Warcinfo-ID", self._warcinfo_id),
            ("WARC-Block-Digest", warc.sha1(block)),
            ("Content-Type", content_type),
        ]
        return warc.member(warc.head(kind, fields, len(block)), block)

    def _response(self, capture: Capture, payload: Payload, digest: str) -> bytes:
        block = warc.response_head(capture, with_body=True)
        fields = [
            *self._response_fields(capture, payload),
            ("WARC-Payload-Digest", digest),
            ("WARC-Block-Digest", warc.sha1(block, capture.body)),
            ("Content-Type", warc.HTTP_RESPONSE),
        ]
        head = warc.head("response", fields, len(block) + len(capture.body))
        return warc.member(head, block, capture.body, compress_body=not _is_coded(capture))

    def _conversion(self, rendered: Capture, payload: Payload, digest: str, capture: Capture) -> bytes:
        """A page as a browser rendered it: an HTML document, not an exchange."""
        fields = [
            ("WARC-Record-ID", self._id("conversion", rendered)),
            ("WARC-Date", warc.warc_date(rendered.fetched_at)),
            ("WARC-Target-URI", rendered.url),
            ("WARC-Refers-To", self._id("answer", capture)),
            ("WARC-Truncated", rendered.truncated),
            ("WARC-Identified-Payload-Type", payload.mime_detected),
            ("WARC-Warcinfo-ID", self._warcinfo_id),
            ("WARC-Payload-Digest", digest),
            ("WARC-Block-Digest", digest),
            ("Content-Type", rendered.header("content-type") or warc.RENDERED_HTML),
        ]
        return warc.member(warc.head("conversion", fields, len(rendered.body)), rendered.body)

    def _revisit(self, capture: Capture, payload: Payload, refers_to: RefersTo) -> bytes:
        block = warc.response_head(capture, with_body=False)
        date = warc.warc_date(refers_to.fetched_at)
        fields = [
            *self._response_fields(capture, payload),
            ("WARC-Profile", warc.NOT_MODIFIED if capture.status == 304 else warc.IDENTICAL_PAYLOAD),
            ("WARC-Refers-To", warc.record_id("answer", refers_to.warc_filename, date, refers_to.url)),
            ("WARC-Refers-To-Target-URI", refers_to.url),
            ("WARC-Refers-To-Date", date),
            ("WARC-Refers-To-Filename", refers_to.warc_filename),
            ("WARC-Refers-To-File-Offset", str(refers_to.warc_record_offset)),
            ("WARC-Payload-Digest", refers_to.content_digest),
            ("WARC-Block-Digest", warc.sha1(block)),
            ("Content-Type", warc.HTTP_RESPONSE),
        ]
        return warc.member(warc.head("revisit", fields, len(block)), block)

    def _response_fields(self, capture: Capture, payload: Payload) -> list[warc.Field]:
        return [
            ("WARC-Record-ID", self._id("answer", capture)),
            ("WARC-Date", warc.warc_date(capture.fetched_at)),
            ("WARC-Target-URI", capture.url),
            ("WARC-IP-Address", capture.ip_address),
            ("WARC-Protocol", capture.protocol.lower()),
            ("WARC-Truncated", capture.truncated),
            ("WARC-Identified-Payload-Type", payload.mime_detected),
            ("WARC-Warcinfo-ID", self._warcinfo_id),
            ("WARC-Concurrent-To", None if capture.method == "GET" else self._id("request", capture)),  # indexers pair them by it
        ]

    def _id(self, kind: str, capture: Capture) -> str:
        return warc.record_id(kind, self._warc_filename, warc.warc_date(capture.fetched_at), capture.url)


def refers_to(row: CaptureRow) -> RefersTo:
    """The fields by which a revisit refers to the capture of this row."""
    return RefersTo(row.url, row.fetch_time, row.warc_filename, row.warc_record_offset, row.content_digest)


def _with_single_lines(capture: Capture) -> Capture:
    """The capture with texts that fit on header lines, so that file and row have the same ones."""
    hints = Hints(warc.one_line(capture.hints.title), capture.hints.published_at, warc.one_line(capture.hints.source))
    url, via = warc.safe_url(capture.url), warc.one_line(capture.via)
    if url == capture.url and via == capture.via and hints == capture.hints:
        return capture
    return replace(capture, url=url, via=via, hints=hints)


def _mime(capture: Capture) -> str | None:
    declared = capture.header("content-type")
    found = sniff(capture.body, capture.header("content-encoding"), declared.split(";", 1)[0].strip() if declared else None)
    return warc.one_line(found)


def _is_coded(capture: Capture) -> bool:
    return (capture.header("content-encoding") or "identity").strip().lower() != "identity"
