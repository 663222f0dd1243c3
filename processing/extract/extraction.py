"""Extract: read a WARC segment and stage one row per response or revisit record: an article, or the reason why it is none.

Before: `storage.frontier.registration` has registered the segment, and `processing.stages.plan` has put its crawl run into a process run.
The pages are read in worker processes with limits (`processing.workers`), by `processing.extract.reading`.
After: `processing.resolve.resolution` reads the staged rows of all segments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from processing.extract.extracted_rows import Outcome, extracted_rows
from processing.extract.page_tasks import (
    ARTICLES_ALONE,
    NOTHING_AGAIN,
    READ_TASK,
    Again,
    Containers,
    Making,
    PageResult,
    PageTask,
    ReadPage,
    Wanted,
    failed_rows,
    segment_tasks,
    single_tasks,
    stored_tasks,
)
from processing.staging.bucket_parts import joined
from processing.staging.bucket_spill import BucketSpill
from processing.staging.staging import EXTRACTED, in_chunks, staged_writer
from processing.workers.pool import Exceeded, run_limited
from runtime.scratch import scratch_folder
from schemas.config.crawl import Crawl
from schemas.manifest import Segment
from storage.index.rows import CaptureRow
from storage.objects.store import ObjectStore

MEMORY_BYTES = 16 * 1024 * 1024  # of the rows of a segment that are kept in memory until all are there


class RowSink(Protocol):
    """Takes the rows of datasets from the pages of a segment. `again` are the revisits that are read again."""

    wanted: Wanted
    again: Again

    def take(self, row: CaptureRow, result: PageResult) -> None:
        """Take what was made of one record."""

    def finish(self) -> None:
        """Store the rows: all records have been taken."""


def extract_segment(
    store: ObjectStore,
    segment: Segment,
    crawl: Crawl,
    key: str,
    containers: Containers | None = None,
    sink: RowSink | None = None,
    again: Again = NOTHING_AGAIN,
    offsets: Collection[int] | None = None,
) -> int:
    """Stage a segment's rows under `key`, by host bucket, then in the order of the segment; the number of rows.

    Every row of the segment's capture index becomes one row, even where the WARC is damaged. `containers` are the elements in which hosts
    have their articles. `sink` takes the rows of datasets; it has finished before the rows are under `key`. Without a sink, `again` are
    the revisits that are read again. `offsets` are those of the records that are read; None means all. Raises StorageError.
    """
    with scratch_folder() as folder, BucketSpill(folder, EXTRACTED, MEMORY_BYTES) as spill:
        for chunk in in_chunks(_outcomes(store, segment, crawl, containers or {}, sink, again, offsets), _characters):
            spill.add(extracted_rows(chunk))
        spill.finish()
        if sink is not None:
            sink.finish()
        with staged_writer(store, key, EXTRACTED) as writer:
            for table in joined(spill.by_bucket()):
                writer.write(table)
            return writer.rows


def _outcomes(
    store: ObjectStore,
    segment: Segment,
    crawl: Crawl,
    containers: Containers,
    sink: RowSink | None,
    again: Again,
    offsets: Collection[int] | None,
) -> Iterator[tuple[CaptureRow, Outcome]]:
    wanted, again = (ARTICLES_ALONE, again) if sink is None else (sink.wanted, sink.again)
    for row, result in read_segment(store, segment, crawl, containers, wanted, again, offsets):
        if sink is not None:
            sink.take(row, result)
        yield row, result.outcome


def _characters(record: tuple[CaptureRow, Outcome]) -> int:
    _, outcome = record
    return sum([len(block.text) for block in outcome.article.blocks]) if isinstance(outcome, ReadPage) else 0


def read_segment(
    store: ObjectStore,
    segment: Segment,
    crawl: Crawl,
    containers: Containers,
    wanted: Wanted,
    again: Again = NOTHING_AGAIN,
    offsets: Collection[int] | None = None,
) -> Iterator[tuple[CaptureRow, PageResult]]:
    """Each row of a segment's capture index with what its record becomes, in order; of some records, those at `offsets`.

    `again` are the revisits that are read again. Raises StorageError.
    """
    making = Making(store, segment, crawl, containers, wanted, again)
    if offsets is not None:
        yield from _results(single_tasks(making, offsets))
        return
    with store.open(segment.warc_key) as stream:
        yield from _results(stored_tasks(stream, making) if making.has_single_records() else segment_tasks(stream, making))


def _results(tasks: Iterable[PageTask]) -> Iterator[tuple[CaptureRow, PageResult]]:
    for task, result in run_limited(tasks, READ_TASK, results=(PageResult,)):
        if not isinstance(result, Exceeded):
            yield task.row, result
        elif task.wanted.functions:
            yield task.row, _read_apart(task, result)
        else:
            yield task.row, PageResult(rejected=result.rejected(task.row.pointer, task.row.url))


def _read_apart(task: PageTask, exceeded: Exceeded) -> PageResult:
    """Read a page once more, without the user's functions and then by each of them alone: one that never ends costs no article."""
    alone = replace(task, wanted=replace(task.wanted, functions=()))
    ((_, found),) = run_limited([alone], READ_TASK, 1, results=(PageResult,))
    if isinstance(found, Exceeded):
        return PageResult(rejected=found.rejected(task.row.pointer, task.row.url))
    rows = list(found.rows)
    for definition in task.wanted.functions:
        one = replace(task, wanted=Wanted(articles=False, folders=task.wanted.folders, functions=(definition,)))
        if len(task.wanted.functions) > 1:  # else it is this one
            ((_, result),) = run_limited([one], READ_TASK, 1, results=(PageResult,))
        else:
            result = exceeded
        if isinstance(result, Exceeded):
            rows.append(failed_rows(definition, f"{result.reason}: {result.detail}"))
        else:
            rows += result.rows
    whole: PageResult = found
    return replace(whole, rows=rows)
