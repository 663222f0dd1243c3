"""Read single stored records again, by today's code and definitions, in workers with limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from processing.extract.page_tasks import READ_TASK, Containers, PageResult, PageTask, Wanted, page_task
from processing.extract.referred_records import read_page_record
from processing.workers.pool import Exceeded, run_limited
from schemas.config.crawl import Crawl
from schemas.errors import StorageError
from storage.index.rows import CaptureRow
from storage.objects.store import ObjectStore


def read_again(
    store: ObjectStore, rows: Sequence[CaptureRow], crawl: Crawl, containers: Containers, wanted: Wanted
) -> Iterator[tuple[CaptureRow, PageResult]]:
    """Each record with what it becomes, in order. One that cannot be read, or that takes too much, is rejected.

    A revisit is read from the record that it refers to.
    """
    tasks = (_task(store, row, crawl, containers, wanted) for row in rows)
    for task, result in run_limited(tasks, READ_TASK, results=(PageResult,)):
        if isinstance(result, Exceeded):
            yield task.row, PageResult(rejected=result.rejected(task.row.pointer, task.row.url))
        else:
            yield task.row, result


def _task(store: ObjectStore, row: CaptureRow, crawl: Crawl, containers: Containers, wanted: Wanted) -> PageTask:
    try:
        record = replace(read_page_record(store, row.pointer, crawl.budgets.max_body_bytes), pointer=row.pointer)
    except StorageError as error:
        return PageTask(None, row, damage=str(error))
    return page_task(record, row, crawl, containers, wanted)
