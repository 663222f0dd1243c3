"""Read committed versions again from their captures, to compare them with new captures under the same code.

Each page is read once per process run, in a worker with limits, and its blocks are staged. A run that is resolved again, perhaps under the
publish lock, takes them from there. The blocks of one page are in memory at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from processing.clean.identity import bucket_of
from processing.extract.limited_pages import StoredPage, read_limited
from processing.extract.page_tasks import ReadPage
from processing.extract.referred_records import read_page_record
from processing.resolve.earlier_rows import EarlierRows, Version
from processing.resolve.records import RecordId, RecordSummary, record_id_of
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
    versions: Sequence[Version], run: ProcessRun, store: ObjectStore, containers: Mapping[str, tuple[str, ...]], portion: int = 0
) -> Iterator[tuple[Version, Blocks | None]]:
    """Each version with the blocks that the run's code finds in its capture: those that were staged already first, else in their order.

    None instead of blocks where the record is gone, is no article under this code, or exceeds the limits of a page. `portion` is the part
    of the run's records that the versions are compared with; what is staged is looked up by it.
    """
    missing = {_record_id(version.pointer): version for version in versions}
    for record_id, blocks in _staged(run, store, portion) if missing else ():
        version = missing.pop(record_id, None)
        if version is not None:
            yield version, blocks
    if missing:
        yield from _read(list(missing.values()), run, store, containers, portion)


def changed_versions(summaries: Iterable[RecordSummary], earlier: EarlierRows, run: ProcessRun) -> list[Version]:
    """The committed versions that must be read again, sorted by host bucket: their article now has another text.

    Versions that this run's code cleaned without site memory need not be read again. With site memory all must be: each run changes it.
    """
    differing: dict[WarcPointer, Version] = {}
    for summary in summaries:
        version = earlier.last_version(summary.article_id, summary.url) if summary.article_id is not None else None
        if version is None or version.text_digest == summary.text_digest or (summary.is_twin and version.url != summary.url):
            continue
        if not _is_current(version, run):
            differing[version.pointer] = version
    return sorted(differing.values(), key=lambda version: (bucket_of(version.host), version.url, version.version))


def _is_current(version: Version, run: ProcessRun) -> bool:
    return version.code_version == run.code_version and version.memory_version is None and not run.crawl.articles.site_memory


def _read(
    versions: Sequence[Version], run: ProcessRun, store: ObjectStore, containers: Mapping[str, tuple[str, ...]], portion: int
) -> Iterator[tuple[Version, Blocks | None]]:
    """Read the pages and stage their blocks."""
    pages = (StoredPage(_record(version, store), run.crawl, containers=containers.get(version.host, ())) for version in versions)
    name = hashlib.sha256(repr([version.pointer for version in versions]).encode()).hexdigest()[:16]
    with staged_writer(store, reread_key(run.process_run, portion, name), _SCHEMA) as writer:
        for version, (_, found) in zip(versions, read_limited(pages), strict=True):
            blocks = stored_blocks(found.article.blocks) if isinstance(found, ReadPage) else None
            row = dict(zip(_SCHEMA.names, (*_record_id(version.pointer), blocks), strict=True))
            for table in bounded([pa.Table.from_pylist([row], schema=_SCHEMA)]):
                writer.write(table)
            yield version, blocks


def _staged(run: ProcessRun, store: ObjectStore, portion: int) -> Iterator[tuple[RecordId, Blocks | None]]:
    """The blocks that an earlier resolve of the same run has staged."""
    for info in store.list(reread_prefix(run.process_run, portion)):
        for table in read_rows(store, info.key):
            for row in table.to_pylist():
                yield record_id_of(row), row["blocks"]


def _record(version: Version, store: ObjectStore) -> Record | None:
    try:
        return read_page_record(store, version.pointer)
    except StorageError:
        return None


def _record_id(pointer: WarcPointer) -> RecordId:
    return pointer.warc_filename, pointer.warc_record_offset
