"""Read committed versions again from their captures, to compare them with new captures under the same code.

Each page is read once per process run, in a worker with limits, and its blocks are staged. A run that is resolved again, perhaps under the
publish lock, takes them from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from processing.extract.limited_pages import StoredPage, read_limited
from processing.extract.reading import ReadPage
from processing.extract.referred_records import read_page_record
from processing.resolve.earlier_rows import Version
from processing.resolve.records import RecordId, record_id_of
from processing.staging.staging import bounded, read_rows, staged_writer, stored_blocks
from schemas.errors import StorageError
from schemas.keys import reread_key, reread_prefix
from schemas.page import WarcPointer
from schemas.runs import ProcessRun
from schemas.tables import BLOCK
from storage.objects.store import ObjectStore
from storage.warc.reader import Record

Blocks = list[dict[str, object]]

_SCHEMA = pa.schema(
    [
        pa.field("warc_filename", pa.string(), nullable=False),
        pa.field("warc_record_offset", pa.int64(), nullable=False),
        pa.field("blocks", pa.list_(BLOCK)),  # null: the page can no longer be read
    ]
)


def reread(
    versions: Sequence[Version], run: ProcessRun, store: ObjectStore, containers: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Version, Blocks | None]]:
    """Each version with the blocks that the run's code finds in its capture, in order.

    None instead of blocks where the record is gone, is no article under this code, or exceeds the limits of a page.
    """
    staged = _staged(versions, run, store)
    missing = [version for version in versions if _record_id(version.pointer) not in staged]
    found = _read(missing, run, store, containers) if missing else iter(())
    for version in versions:
        record_id = _record_id(version.pointer)
        yield version, staged[record_id] if record_id in staged else next(found)
    for _ in found:  # the generator must end: then it stages what it has read
        pass


def _read(
    versions: Sequence[Version], run: ProcessRun, store: ObjectStore, containers: Mapping[str, tuple[str, ...]]
) -> Iterator[Blocks | None]:
    """Read the pages and stage their blocks."""
    pages = (StoredPage(_record(version, store), run.crawl, containers=containers.get(version.host, ())) for version in versions)
    name = hashlib.sha256(repr([version.pointer for version in versions]).encode()).hexdigest()[:16]
    with staged_writer(store, reread_key(run.process_run, name), _SCHEMA) as writer:
        for version, (_, found) in zip(versions, read_limited(pages), strict=True):
            blocks = stored_blocks(found.article.blocks) if isinstance(found, ReadPage) else None
            row = dict(zip(_SCHEMA.names, (*_record_id(version.pointer), blocks), strict=True))
            for table in bounded([pa.Table.from_pylist([row], schema=_SCHEMA)]):
                writer.write(table)
            yield blocks


def _staged(versions: Sequence[Version], run: ProcessRun, store: ObjectStore) -> dict[RecordId, Blocks | None]:
    """The blocks that an earlier resolve of the same run has staged."""
    wanted = {_record_id(version.pointer) for version in versions}
    found: dict[RecordId, Blocks | None] = {}
    for info in store.list(reread_prefix(run.process_run)):
        for table in read_rows(store, info.key):
            for row in table.to_pylist():
                if (record_id := record_id_of(row)) in wanted:
                    found[record_id] = row["blocks"]
    return found


def _record(version: Version, store: ObjectStore) -> Record | None:
    try:
        return read_page_record(store, version.pointer)
    except StorageError:
        return None


def _record_id(pointer: WarcPointer) -> RecordId:
    return pointer.warc_filename, pointer.warc_record_offset
