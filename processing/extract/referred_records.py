"""Reads the record that has a page's bytes: the record itself, or the one that a revisit refers to."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.errors import StorageError
from schemas.keys import index_key_of
from schemas.page import WarcPointer
from storage.index.rows import CaptureRow, read_index
from storage.objects.store import ObjectStore
from storage.warc.reader import MAX_BODY_BYTES, Record, read_record_at

RecordId = tuple[str, int]  # WARC file and offset


def index_rows(store: ObjectStore, record_ids: Iterable[RecordId]) -> dict[RecordId, CaptureRow]:
    """The rows of the capture index of these records. A record whose index cannot be read is left out."""
    offsets: dict[str, set[int]] = {}
    for name, offset in record_ids:
        offsets.setdefault(name, set()).add(offset)
    found: dict[RecordId, CaptureRow] = {}
    for name, wanted in sorted(offsets.items()):
        try:
            data = store.get_bytes(index_key_of(name))
        except (StorageError, ValueError):  # ValueError: the name of a file that is none of ours
            continue
        found |= {(name, row.warc_record_offset): row for row in read_index(data) if row.warc_record_offset in wanted}
    return found


def referred_id(row: CaptureRow) -> RecordId | None:
    """The record that a revisit refers to; None for all others."""
    if row.record_type != "revisit" or row.refers_to_filename is None or row.refers_to_offset is None:
        return None
    return row.refers_to_filename, row.refers_to_offset


def read_page_record(store: ObjectStore, pointer: WarcPointer, max_body_bytes: int = MAX_BODY_BYTES) -> Record:
    """The record at a pointer; for a revisit the record that it refers to, which has the bytes. Raises StorageError."""
    record = read_record_at(store, pointer, max_body_bytes)
    if record.record_type != "revisit" or record.refers_to_filename is None or record.refers_to_offset is None:
        return record
    record_id = record.refers_to_filename, record.refers_to_offset
    return read_referred(store, record_id, index_rows(store, [record_id]).get(record_id), max_body_bytes)


def read_referred(store: ObjectStore, record_id: RecordId, row: CaptureRow | None, max_body_bytes: int) -> Record:
    """The record that a revisit refers to, with its row of the capture index. Raises StorageError if it is not there."""
    if row is None:
        raise StorageError(f"The revisit refers to offset {record_id[1]} of {record_id[0]}, which is not in the store.")
    return read_record_at(store, row.pointer, max_body_bytes)
