"""Registers what a worker fetched and found: found URLs in the frontier, captures in the store, results in both at once.

Before: `spiders.session.exchange` records a response here. After: `storage.frontier.registration` writes it in one transaction.

Found URLs go to the frontier within half a second. Captures and results gather in a batch, which is uploaded and registered as one.
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
from schemas.outcomes import Reason
from schemas.runs import CrawlRun
from spiders.spool.items import ItemBuffer
from spiders.spool.spool import MAX_SEGMENT_BYTES, MAX_SEGMENT_SECONDS, Batch, Spool, result_line
from spiders.spool.statistics import WorkerStatistics, store_statistics
from storage.database.thread import DatabaseThread, run_to_completion
from storage.frontier.frontier import Frontier
from storage.frontier.records import Discovery, FetchResult, Lease
from storage.index.rows import CaptureRow
from storage.objects.store import ObjectStore
from storage.urls.request_body import RequestBody, read_request_body
from storage.warc.writer import RefersTo

FLUSH_SECONDS = 0.5
FLUSH_URLS = 2_000
SEEN_SLOTS = 1 << 18  # chosen: 2 MB of memory for the URLs found last, whatever the crawl's size


@dataclass(frozen=True, slots=True)
class FoundOn:
    """A page with links. `result_for` makes its result from the number of URLs that the frontier did not know."""

    url: str
    result_for: Callable[[int], FetchResult]


@dataclass(frozen=True, slots=True)
class _PendingResult:
    """The position of a result that waits for the number of new URLs, in its batch and among the lines of the journal."""

    results: list[FetchResult]
    result_index: int
    lines: list[str]
    line_index: int
    row: CaptureRow | None
    source: FoundOn


class Registrar:
    """One worker's open batch, its closed batches, and the URLs that it found."""

    def __init__(
        self,
        run: CrawlRun,
        frontier: Frontier,
        store: ObjectStore,
        spool: Spool,
        statistics: WorkerStatistics,
        database: DatabaseThread,
        hints_after: float,
        is_taken_down: Callable[[str], bool],
    ) -> None:
        """Hints that an article was edited are ignored for `hints_after` seconds after its last fetch.

        Found URLs that are taken down are dropped, with what a feed says of them.
        """
        self._run = run
        self._frontier = frontier
        self._store = store
        self._spool = spool
        self._statistics = statistics
        self._database = database
        self._failed: BaseException | None = None
        self._flushing = asyncio.Lock()
        self._registering = asyncio.Lock()
        self._hints_after = hints_after
        self._is_taken_down = is_taken_down
        self._batch = spool.open(time.monotonic())
        self._closed: list[Batch] = []
        self._found: list[Discovery] = []
        self._added = asyncio.Event()
        self._found_at = 0.0
        self._sources: list[_PendingResult] = []
        self._seen = array("q", bytes(8 * SEEN_SLOTS))

    def archive(self, capture: Capture, lease: Lease, refers_to: RefersTo | None = None) -> CaptureRow:
        """Write a capture into the open segment. `add_result` must follow at once."""
        return self._spool.write(self._batch, capture, lease, refers_to)

    def archive_rendered(self, capture: Capture, rendered: Capture, lease: Lease) -> CaptureRow:
        """Write a page and its rendered form into the open segment. Returns the latter's row; its `add_result` must follow at once."""
        unrendered, row = self._spool.write_rendered(self._batch, capture, rendered, lease)
        self._spool.add_result(self._batch, lease, None, unrendered)
        return row

    def item_buffer(self) -> ItemBuffer:
        """A buffer for the items of one page."""
        return ItemBuffer(self._spool.folder)

    def keep_items(self, row: CaptureRow, items: ItemBuffer) -> None:
        """Writes the items that a user's spider made of a capture just archived."""
        self._spool.keep_items(self._batch, row, items)

    def add_result(self, lease: Lease, result: FetchResult | None, row: CaptureRow | None = None, source: FoundOn | None = None) -> None:
        """Add the result of a URL (None: nothing final), and its capture. Then call `add_discoveries` with the URLs found there.

        The result of a `source` is made again when it is known how many of its links are new. Without a result and a capture nothing is
        added: the batch must not depend on a lease of which it holds nothing.
        """
        if result is None and row is None:
            return
        self._spool.add_result(self._batch, lease, result, row)
        if source is not None and result is not None:
            batch = self._batch
            self._sources.append(_PendingResult(batch.results, len(batch.results) - 1, batch.lines, len(batch.lines) - 1, row, source))
        if result is not None:
            name = f"{result.outcome.value}:{result.reason.value}" if result.reason else result.outcome.value
            self._statistics.outcomes[name] += 1
        if self._batch.writer is not None and self._batch.writer.size >= MAX_SEGMENT_BYTES:
            self.rotate()

    def add_discoveries(self, discoveries: Sequence[Discovery]) -> None:
        """Add found URLs, except those that this worker found recently, and those that are taken down."""
        fresh = [found for found in discoveries if self._is_fresh(hash((found.url, found.modified_at, _request_body(found))))]
        allowed = [found for found in fresh if not self._is_taken_down(found.url)]
        if len(allowed) < len(fresh):
            self._statistics.refused_requests[Reason.TAKEDOWN] += len(fresh) - len(allowed)
        fresh = allowed
        if not fresh:
            return
        if not self._found:
            self._found_at = time.monotonic()
        self._found += fresh

    def has_many_found(self) -> bool:
        """Whether too many found URLs wait for the frontier. Then nothing more should be requested."""
        return len(self._found) >= FLUSH_URLS

    async def wait_for_added(self) -> None:
        """Wait until found URLs are in the frontier that were not there at the last return."""
        await self._added.wait()
        self._added.clear()

    def _is_fresh(self, key: int) -> bool:
        """Whether a URL was not found recently; now it was. A newer URL takes an older one's slot."""
        fresh = self._seen[key % SEEN_SLOTS] != key
        self._seen[key % SEEN_SLOTS] = key
        return fresh

    async def flush(self) -> None:
        """Add found URLs to the frontier, then write to the journals which captures have all their links there.

        If that fails, nothing is registered any more: a page whose links are lost is to be fetched again.
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
        """Add URLs to the frontier, in transactions so short that leases are renewed in time. Counts the new ones by source."""
        fresh: Counter[str | None] = Counter()
        run, counts = self._run, Counter(one.via for one in found)
        found = sorted(found, key=lambda one: counts[one.via])  # pages with few links do not wait for pages with many
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
        """Make the results of pages again, now that it is known how many of their links are new."""
        for finding in findings:
            count = fresh.get(finding.source.url, 0)
            if count:
                result = finding.source.result_for(count)
                finding.results[finding.result_index] = result
                finding.lines[finding.line_index] = result_line(result, finding.row)

    async def flush_if_due(self, at_once: bool) -> None:
        """Flush found URLs that waited for FLUSH_SECONDS. Flush at once if `at_once`, or if there are many."""
        if at_once or not self._found or self.has_many_found() or time.monotonic() - self._found_at >= FLUSH_SECONDS:
            await self.flush()

    def is_old(self) -> bool:
        """Whether the open batch is MAX_SEGMENT_SECONDS old."""
        return self.has_unregistered() and time.monotonic() - self._batch.opened_at >= MAX_SEGMENT_SECONDS

    def has_unregistered(self) -> bool:
        """Whether anything is not registered yet."""
        return bool(self._closed) or not self._batch.is_empty

    def has_unregistered_of(self, lease: Lease) -> bool:
        """Whether anything that depends on a lease is not registered yet. Then the lease must be kept."""
        return self.has_open_of(lease) or any(lease.host_id in batch.leases for batch in self._closed)

    def has_open_of(self, lease: Lease) -> bool:
        """Whether the open batch depends on a lease."""
        return not self._batch.is_empty and lease.host_id in self._batch.leases

    def rotate(self) -> None:
        """Close the open batch, to be registered, and open another."""
        if not self._batch.is_empty:
            self._closed.append(self._batch)
        self._batch = self._spool.open(time.monotonic())

    async def register_next(self) -> Sequence[FetchResult] | None:
        """Upload and register the oldest closed batch. Returns its results, None if there is no closed batch.

        Raises FencedError, UnavailableError, StorageError. Cancelling it may leave a segment in the store that is not registered.
        """
        async with self._registering:
            if not self._closed:
                return None
            failpoint.reached("before-rotate")
            batch = self._closed[0]
            await self._register(batch)
            del self._closed[0]
            return batch.results

    def has_closed_batch(self) -> bool:
        """Whether a closed batch waits to be registered."""
        return bool(self._closed)

    async def _register(self, batch: Batch) -> None:
        await self.flush()
        if self._failed is not None:
            raise self._failed
        failpoint.reached("before-upload")
        segment = await asyncio.to_thread(self._upload, batch, self._statistics.model_copy(deep=True))
        failpoint.reached("after-upload")
        await self._database.run(self._register_once, batch, segment)
        failpoint.reached("after-register")
        self._spool.remove(batch)
        self._statistics.segments += segment is not None

    def _register_once(self, batch: Batch, segment: Segment | None) -> None:
        """Register a batch. If the connection ended while it was committed, it may be registered already."""
        if batch.was_tried and segment is not None and self._frontier.is_registered(segment.segment):
            return
        batch.was_tried = True
        leases = list(batch.leases.values())
        self._frontier.register(self._run.crawl_run, self._statistics.worker, leases, batch.results, segment)

    def _upload(self, batch: Batch, statistics: WorkerStatistics) -> Segment | None:
        store_statistics(statistics, self._run.crawl.name, self._store)
        return self._spool.upload(batch, self._store)


def _request_body(found: Discovery) -> RequestBody | None:
    return None if found.request is None else read_request_body(found.request)
