"""Repairs an open segment whose writer was killed: it is cut after its last whole capture, and its rows are made again from the file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from schemas.outcomes import Rejected
from storage.index.from_capture import CrawlLabel, Payload, capture_row
from storage.index.rows import CaptureRow
from storage.warc.reader import Context, Record, read_record
from storage.warc.stream import DamagedError, RecordStream
from storage.warc.writer import CRAWL_FIELD, CRAWL_RUN_FIELD, ClosedSegment

MAX_BODY_BYTES = 4 * 1024**3  # no limit in practice: the writer wrote it


def repair(path: Path) -> ClosedSegment:
    """Cut the file after its last whole response or revisit record, write it to the disk, and return it as a closed segment.

    Repairing it again changes nothing. A file without a whole record becomes empty: size 0, no rows.
    """
    rows, size = _whole(path)
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())
    return ClosedSegment(path, size, f"sha256:{_sha256(path)}", tuple(rows))


def _whole(path: Path) -> tuple[list[CaptureRow], int]:
    """The rows of the whole captures from the beginning of the file, and the offset of their end."""
    rows: list[CaptureRow] = []
    context = Context()
    whole = 0
    with path.open("rb") as stream:
        records = RecordStream(stream)
        try:
            while records.begin():
                warcinfo = context.warcinfo or {}
                found = read_record(records, warcinfo.get("warc-filename", ""), context, MAX_BODY_BYTES)
                if isinstance(found, Rejected):
                    break
                if found is not None:
                    rows.append(_row(found, CrawlLabel(warcinfo.get(CRAWL_FIELD.lower(), ""), warcinfo.get(CRAWL_RUN_FIELD.lower(), ""))))
                if found is not None or not whole:
                    whole = records.next_offset
        except DamagedError:
            pass  # the incomplete end; the whole records are before it
    return rows, whole


def _row(record: Record, label: CrawlLabel) -> CaptureRow:
    payload = Payload(record.content_length or 0, record.mime_detected)
    refers_to = (record.refers_to_filename, record.refers_to_offset or 0) if record.refers_to_filename else None
    return capture_row(record.capture, record.record_type, record.pointer, payload, label, refers_to)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
