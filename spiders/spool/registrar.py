"""What a worker fetched and found, on its way into the frontier and the store.

Found URLs go to the frontier within half a second. Captures and marks gather in a batch, which is uploaded and registered as one.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from runtime import failpoint
from schemas.capture import Capture
from schemas.manifest import Segment
from schemas.runs import CrawlRun
from spiders.spool.items import ItemBuffer
from spiders.spool.spool import MAX_SEGMENT_BYTES, MAX_SEGMENT_SECONDS, Batch, Spool, result_line
from spiders.spool.statistics import WorkerStatistics, store_statistics
from storage.database.thread import DatabaseThread, run_to_completion
from storage.frontier.frontier import Frontier
from storage.frontier.records import Discovery, FetchResult, Lease
from storage.index.rows import CaptureRow
from storage.objects.store import ObjectStore
from storage.urls.request_body import RequestBody, read_body
from storage.warc.writer import RefersTo

FLUSH_SECONDS = 0.5
FLUSH_URLS = 2_000
SEEN_SLOTS = 1 << 18  # 2 MB, whatever the crawl's size


@dataclass(frozen=True, slots=True)
class Source:
    """A URL where others are found; `result_for` gives its mark for a number of new ones."""

    url: str
    result_for: Callable[[int], FetchResult]


@dataclass(frozen=True, slots=True)
class _PendingResult:
    """Where the mark of a capture with finds stands, and its line of the journal."""

    marks: list[FetchResult]
    result_index: int
    lines: list[str]
    line_index: int
    row: CaptureRow | None
    source: Source


class Registrar:
    """The open batch, the full ones, and the found URLs of one worker."""

    def __init__(
        self,
        run: CrawlRun,
        worker: str,
        frontier: Frontier,
        store: ObjectStore,
        spool: Spool,
        statistics: WorkerStatistics,
        database: DatabaseThread,
        hints_after: float,
    ) -> None:
        """`hints_after`: the seconds since an article's last fetch, before which no source's word that it was edited is followed."""
        self._run = run
        self._worker = worker
        self._frontier = frontier
        self._store = store
        self._spool = spool
        self._statistics = statistics
        self._database = database
        self._failed: BaseException | None = None
        self._flushing = asyncio.Lock()
        self._registering = asyncio.Lock()
        self._hints_after = hints_after
        self._batch = spool.open(time.monotonic())
        self._closed: list[Batch] = []
        self._found: list[Discovery] = []
        self._added = asyncio.Event()
        self._found_at = 0.0
        self._sources: list[_PendingResult] = []
        self._seen = array("q", bytes(8 * SEEN_SLOTS))

    def archive(self, capture: Capture, lease: Lease, refers_to: RefersTo | None = None) -> CaptureRow:
        """Writes a capture into the open segment; `mark` must follow at once."""
        return self._spool.write(self._batch, capture, lease, refers_to)

    def archive_rendered(self, capture: Capture, rendered: Capture, lease: Lease) -> CaptureRow:
        """Writes a page and what a browser made of it into the open segment; the row of the latter, whose `mark` must follow at once."""
        shell, row = self._spool.write_rendered(self._batch, capture, rendered, lease)
        self._spool.add_result(self._batch, lease, None, shell)
        return row

    def item_buffer(self) -> ItemBuffer:
        """A buffer for the items of one page."""
        return ItemBuffer(self._spool.folder)

    def keep_items(self, row: CaptureRow, items: ItemBuffer) -> None:
        """Writes the items that a user's spider made of a capture just archived."""
        self._spool.keep_items(self._batch, row, items)

    def add_result(self, lease: Lease, mark: FetchResult | None, row: CaptureRow | None = None, source: Source | None = None) -> None:
        """Notes what became of a URL (None: nothing final), and the capture that says so; `find` what was found there afterwards.

        The mark of a `source` is made anew once the frontier has told how many of its finds were new.
        """
        self._spool.add_result(self._batch, lease, mark, row)
        if source is not None and mark is not None:
            batch = self._batch
            self._sources.append(_PendingResult(batch.marks, len(batch.marks) - 1, batch.lines, len(batch.lines) - 1, row, source))
        if mark is not None:
            name = f"{mark.outcome.value}:{mark.reason.value}" if mark.reason else mark.outcome.value
            self._statistics.outcomes[name] += 1
        if self._batch.writer is not None and self._batch.writer.size >= MAX_SEGMENT_BYTES:
            self.rotate()

    def add_discoveries(self, discoveries: Sequence[Discovery]) -> None:
        """Takes in found URLs, passing over those that this worker saw not long ago."""
        fresh = [found for found in discoveries if self._is_fresh(hash((found.url, found.modified_at, _request_body(found))))]
        if not fresh:
            return
        if not self._found:
            self._found_at = time.monotonic()
        self._found += fresh

    def has_many_found(self) -> bool:
        """Whether so many found URLs wait for the frontier that no more should be asked for."""
        return len(self._found) >= FLUSH_URLS

    async def wait_for_added(self) -> None:
        """Wait until found URLs are in the frontier that were not there at the last return."""
        await self._added.wait()
        self._added.clear()

    def _is_fresh(self, key: int) -> bool:
        """Whether a URL was not seen not long ago; from now on it was. A newer one takes an older one's slot."""
        fresh = self._seen[key % SEEN_SLOTS] != key
        self._seen[key % SEEN_SLOTS] = key
        return fresh

    async def flush(self) -> None:
        """Puts found URLs into the frontier, then notes in the journals which captures are thereby taken care of.

        Where that fails, nothing is registered any more: a page whose links are lost is to be fetched again.
        """
        async with self._flushing:
            await run_to_completion(self._flush())

    async def _flush(self) -> None:
        found, self._found = self._found, []
        findings, self._sources = self._sources, []
        noted = [(batch, batch.take_lines()) for batch in (*self._closed, self._batch)]
        if found:
            fresh = await self._add(found)
            self._statistics.found += fresh.total()
            self._update_results(fresh, findings)
        for batch, lines in noted:
            self._spool.journal(batch, lines)

    async def _add(self, found: Sequence[Discovery]) -> Counter[str | None]:
        """Adds URLs to the frontier, in transactions so short that leases are renewed in time; counts the new ones by source."""
        fresh: Counter[str | None] = Counter()
        run, counts = self._run, Counter(one.via for one in found)
        found = sorted(found, key=lambda one: counts[one.via])  # nobody's few wait for another one's many
        for start in range(0, len(found), FLUSH_URLS):
            part = found[start : start + FLUSH_URLS]
            try:
                fresh += await self._database.run(self._frontier.add_by_source, run.crawl_run, run.crawl.name, part, self._hints_after)
            except BaseException as error:
                self._failed = error
                raise
            self._added.set()
        return fresh

    def _update_results(self, fresh: Mapping[str | None, int], findings: Sequence[_PendingResult]) -> None:
        """Tells sources how many of their finds the frontier did not know."""
        for finding in findings:
            count = fresh.get(finding.source.url, 0)
            if count:
                mark = finding.source.result_for(count)
                finding.marks[finding.result_index] = mark
                finding.lines[finding.line_index] = result_line(mark, finding.row)

    async def flush_if_due(self, at_once: bool) -> None:
        """Flushes what is half a second old; everything if `at_once`, or if it is much."""
        if at_once or not self._found or self.has_many_found() or time.monotonic() - self._found_at >= FLUSH_SECONDS:
            await self.flush()

    def is_old(self) -> bool:
        """Whether the open batch has waited long enough."""
        return self.has_unregistered() and time.monotonic() - self._batch.opened_at >= MAX_SEGMENT_SECONDS

    def has_unregistered(self) -> bool:
        """Whether anything is not registered yet."""
        return bool(self._closed) or not self._batch.is_empty

    def rotate(self) -> None:
        """Sets the open batch aside for registering."""
        if not self._batch.is_empty:
            self._closed.append(self._batch)
        self._batch = self._spool.open(time.monotonic())

    async def register_next(self) -> Sequence[FetchResult] | None:
        """Upload and register the oldest batch that is set aside. Returns its marks, None where there is no such batch.

        Raises FencedError, UnavailableError, StorageError. Cancelling it may leave a segment in the store that is not registered.
        """
        async with self._registering:
            if not self._closed:
                return None
            failpoint.reached("before-rotate")
            batch = self._closed[0]
            await self._register(batch)
            del self._closed[0]
            return batch.marks

    def has_closed_batch(self) -> bool:
        """Whether a batch is set aside."""
        return bool(self._closed)

    async def _register(self, batch: Batch) -> None:
        await self.flush()
        if self._failed is not None:
            raise self._failed
        failpoint.reached("before-upload")
        segment = await asyncio.to_thread(self._upload, batch, self._statistics.model_copy(deep=True))
        failpoint.reached("after-upload")
        register, leases = self._frontier.register, list(batch.leases.values())
        await self._database.run(register, self._run.crawl_run, self._worker, leases, batch.marks, segment)
        failpoint.reached("after-register")
        self._spool.remove(batch)
        self._statistics.segments += segment is not None

    def _upload(self, batch: Batch, statistics: WorkerStatistics) -> Segment | None:
        store_statistics(statistics, self._run.crawl.name, self._store)
        return self._spool.upload(batch, self._store)


def _request_body(found: Discovery) -> RequestBody | None:
    return None if found.request is None else read_body(found.request)
