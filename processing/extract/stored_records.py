"""Read single stored records again, by today's code and definitions, in workers with limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from processing.extract.extraction import Containers, PageResult, PageTask, Wanted, page_task
from processing.workers.pool import Exceeded, run_limited
from schemas.config.crawl import Crawl
from schemas.errors import StorageError
from schemas.keys import index_key_of
from storage.index.rows import CaptureRow, read_index
from storage.objects.store import ObjectStore
from storage.warc.reader import read_record_at

RecordId = tuple[str, int]


def index_rows(store: ObjectStore, record_ids: Iterable[RecordId]) -> dict[RecordId, CaptureRow]:
    """The rows of the capture index of these records. A record whose index cannot be read is left out."""
    offsets: dict[str, set[int]] = {}
    for name, offset in record_ids:
        offsets.setdefault(name, set()).add(offset)
    found: dict[RecordId, CaptureRow] = {}
    for name, wanted in sorted(offsets.items()):
        try:
            data = store.get_bytes(index_key_of(name))
        except StorageError:
            continue
        found |= {(name, row.warc_record_offset): row for row in read_index(data) if row.warc_record_offset in wanted}
    return found


def read_again(
    store: ObjectStore, rows: Sequence[CaptureRow], crawl: Crawl, containers: Containers, wanted: Wanted
) -> Iterator[tuple[CaptureRow, PageResult]]:
    """Each record with what it becomes, in order. One that cannot be read, or that takes too much, is rejected."""
    tasks = (_task(store, row, crawl, containers, wanted) for row in rows)
    for task, result in run_limited(tasks, "processing.extract.extraction.read_task", results=(PageResult,)):
        if isinstance(result, Exceeded):
            yield task.row, PageResult(rejected=result.rejected(task.row.pointer, task.row.url))
        else:
            yield task.row, result


def _task(store: ObjectStore, row: CaptureRow, crawl: Crawl, containers: Containers, wanted: Wanted) -> PageTask:
    try:
        record = replace(read_record_at(store, row.pointer, crawl.budgets.max_body_bytes), pointer=row.pointer)
    except StorageError as error:
        return PageTask(None, row, damage=str(error))
    return page_task(record, row, crawl, containers, wanted)
