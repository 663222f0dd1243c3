"""A worker's session in a crawl run: it takes URLs from leased hosts to the downloader, records their responses, and registers them.

Before: `spiders.worker` joined the run. `requests()` gives Scrapy the URLs to fetch; each response comes back to `receive`, each failure to
`receive_failure`. After: `exchange` records it, `spiders.spool.registrar` registers it. Everything runs in one event loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial

from schemas.capture import Capture
from schemas.errors import CrawlhouseError, FencedError
from spiders.messages.wire import ReaderReply
from spiders.reading.reader import ReadFailure
from spiders.session.context import FetchContext
from spiders.session.exchange import (
    ExchangeResult,
    ReceivedResponse,
    body_question,
    ends_seed_redirects,
    read_response,
    receive,
    record_failure,
    record_response,
    wait_to_retry,
    wait_to_retry_failed,
)
from spiders.session.leased_hosts import LeasedHosts
from spiders.session.progress_report import ProgressReport
from spiders.session.request_queue import RequestQueue
from spiders.session.tasks import GuardedTasks
from spiders.session.url_in_progress import UrlInProgress
from spiders.session.yielded import NOTHING, Yielded
from storage.database.thread import run_to_completion
from storage.frontier.records import Lease, RunPhase
from storage.urls.host_key import canonical_host

LOG = logging.getLogger(__name__)
TICK_SECONDS = 0.2  # chosen: found URLs, which wait for half a second, are then at most 0.7 seconds old
WATCH_SECONDS = 1.0  # chosen: one query a second for each worker that has hosts
IDLE_SECONDS = 0.25  # chosen: a worker without hosts looks for new ones more often
STOP_SECONDS = 4.0  # chosen: less than half of the nine seconds after which a worker that was asked to end is killed


class FetchSession:
    """One worker in one run. `stopping` is why it ends, `error` the first error."""

    def __init__(self, context: FetchContext, is_quota_reached: Callable[[], bool]) -> None:
        self.context = context
        self.stopping = ""
        self.error: CrawlhouseError | None = None
        self._who = (context.run.crawl_run, context.worker, context.attempt)
        self._is_quota_reached = is_quota_reached
        self._is_starting = False
        self._tasks = GuardedTasks(self.fail)
        self._request_queue = RequestQueue(context)
        self._hosts = LeasedHosts(context, self._request_queue, self._tasks)
        self._report = ProgressReport(context)
        self._registration: asyncio.Task[None] | None = None
        self._deadline = context.run.planned_at.timestamp() + context.crawl.max_run_time().total_seconds()

    async def requests(self, held: Sequence[Lease]) -> AsyncIterator[UrlInProgress]:
        """Yield the URLs to fetch, each when its host's turn has come, until the run has no more or the session is stopped.

        `held` are leases taken over from the previous attempt. At the end everything fetched is registered and all leases are released.
        """
        for lease in held:
            self._hosts.fetch_from(lease)
        for work in (self._lease_hosts(), self._tick(), self._follow_found(), self.context.takedowns.follow()):
            self._tasks.start(work)
        try:
            while (fetch := await self._request_queue.get()) is not None:
                yield fetch
        finally:
            await self._end()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run a coroutine in parallel with the others. An error ends the session."""
        return self._tasks.start(work)

    def start_first(self, work: Coroutine[None, None, None]) -> None:
        """Run a coroutine that finds the run's first URLs: the session does not end before it."""
        self._is_starting = True
        self._tasks.start(self._start_first(work))

    async def _start_first(self, work: Coroutine[None, None, None]) -> None:
        await work
        self._is_starting = False

    def fail(self, error: CrawlhouseError) -> None:
        """End the session by an error; the first one stays."""
        self.error = self.error or error
        self.stop(type(error).__name__)

    def stop(self, reason: str) -> None:
        """End the session: nothing more is requested. The first reason stays."""
        if not self.stopping:
            self.stopping = reason
            self._hosts.cancel()
            self._request_queue.close()

    def end_run(self, reason: str) -> None:
        """End the whole run, with all its workers."""
        self._tasks.start(self._stop_run(reason))
        self.stop(reason)

    async def _stop_run(self, reason: str) -> None:
        await self.context.database.run(self.context.frontier.stop_run, self.context.run.crawl_run, reason)

    def receive(self, fetch: UrlInProgress, capture: Capture, yielded: Yielded = NOTHING, rendered: Capture | None = None) -> None:
        """A response arrived: have its body read, then record it.

        `yielded` is what a callback made of it, `rendered` what a browser did.
        """
        if ends_seed_redirects(fetch.due, capture) and self.context.scope.add_host(canonical_host(fetch.url)):
            self._take_host(fetch.url)
        received = receive(self.context, fetch, capture, yielded, rendered)
        question = body_question(self.context, received)
        if question is not None:
            self.context.readers.read(question, received.capture.body, partial(self._record_read, received))
            return
        with self._tasks.guarded():
            self._finish(fetch, record_response(self.context, received, received.head, not self.stopping))

    def _take_host(self, url: str) -> None:
        """Tell people and the other workers that the host of a URL belongs to the crawl, because a seed leads there."""
        context, host = self.context, canonical_host(url)
        LOG.warning("A seed of %s leads to %s, so the host %s belongs to the crawl.", context.crawl.name, url, host)
        self._tasks.start(context.database.run(context.frontier.add_seed_host, context.crawl.name, host, url))

    def _record_read(self, received: ReceivedResponse, result: ReaderReply | ReadFailure) -> None:
        with self._tasks.guarded(), self.context.readers.journal.reading(received.fetch.due.url_id):
            response = read_response(received, result)
            self._finish(received.fetch, record_response(self.context, received, response, not self.stopping))

    def receive_failure(self, fetch: UrlInProgress, error: BaseException, yielded: Yielded = NOTHING) -> None:
        """An exchange gave no response. One that was broken off because the session ends stays due."""
        result = record_failure(self.context, fetch, error, yielded, not self.stopping)
        if result is None:
            self._request_queue.drop(fetch)
        else:
            self._finish(fetch, result)

    def _finish(self, fetch: UrlInProgress, result: ExchangeResult) -> None:
        """An exchange is recorded: its host goes on."""
        if result.retry_wait is not None:
            self.context.statistics.retries += 1
            self.context.statistics.host(fetch.lease.host).retries += 1
        self._request_queue.finish(fetch, result)
        self._hosts.finish(fetch, result)

    def will_retry(self, fetch: UrlInProgress, capture: Capture) -> bool:
        """Whether a URL is requested again after this response."""
        return not self.stopping and wait_to_retry(self.context, fetch, capture) is not None

    def will_retry_failed(self, fetch: UrlInProgress, error: BaseException) -> bool:
        """Whether a URL is requested again whose exchange gave no response, in this run or, because the session ends, in another."""
        return bool(self.stopping) or wait_to_retry_failed(self.context, fetch, error) is not None

    async def _lease_hosts(self) -> None:
        """Lease hosts while there is room, until the run has neither due URLs nor leased hosts."""
        while not self.stopping:
            if await self.context.database.run(self._is_quota_reached):
                self.end_run("quota")
            elif not await self._hosts.lease_more():
                await self._watch_run()
                await asyncio.sleep(WATCH_SECONDS if self._hosts else IDLE_SECONDS)

    async def _watch_run(self) -> None:
        context = self.context
        state = await context.database.run(context.frontier.state, context.run.crawl_run)
        if state.phase is RunPhase.DRAINED and not self._hosts and not self._is_starting:
            self.stop("finished")
        elif state.phase in {RunPhase.STOPPING, RunPhase.CLOSED}:
            self.stop(state.stopping or "closed")
        elif state.bytes >= context.crawl.budgets.max_bytes:
            self.end_run("budget:max_bytes")
        elif time.time() > self._deadline:
            self.end_run("budget:max_minutes")

    async def _tick(self) -> None:
        """Flush found URLs, close and register segments, report progress and renew leases, every TICK_SECONDS."""
        registrar = self.context.registrar
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._look_for_end()
            waits = not self._request_queue.in_flight and self._is_idle()
            await registrar.flush_if_due(at_once=waits)
            waits = waits and self._is_idle()
            if registrar.is_old() or (waits and registrar.has_unregistered()) or self._hosts.wait_for_registration():
                registrar.rotate()
            await self._register(waits)
            if waits:
                await self._request_queue.budget.release_unused()
            await self._report.send_if_due()
            await self._hosts.renew_if_due()

    def _look_for_end(self) -> None:
        """End the session if no reader can be started, and the run if all its pages are fetched."""
        if self.context.readers.error is not None:
            self.fail(self.context.readers.error)
        if self._request_queue.budget.is_used_up and not self.stopping:
            self.end_run("budget:max_pages")

    def _is_idle(self) -> bool:
        """Whether no host requests anything: nothing is due, or no page may be fetched before others are registered."""
        return self._request_queue.budget.is_empty or self._hosts.are_idle()

    async def _register(self, waits: bool) -> None:
        """Register closed batches in their own task: an upload may take longer than a lease. `waits`: wait for its end."""
        if self.context.registrar.has_closed_batch() and (self._registration is None or self._registration.done()):
            self._registration = self._tasks.start(self._register_full())
        if waits and self._registration is not None:
            await asyncio.wait([self._registration])

    async def _register_full(self) -> None:
        """Register the closed batches, in their order. Raises FencedError, UnavailableError, StorageError."""
        await run_to_completion(self._register_each())

    async def _register_each(self) -> None:
        while (results := await self.context.registrar.register_next()) is not None:
            self.context.crash_counts.registered(result.url_id for result in results)
            self._hosts.registered(results)
            self.context.readers.resume()

    async def _follow_found(self) -> None:
        """Wake readers and hosts when found URLs are in the frontier."""
        while True:
            await self.context.registrar.wait_for_added()
            self.context.readers.resume()
            self._hosts.wake()

    async def _end(self) -> None:
        """Wait STOP_SECONDS for what is in flight, cancel the rest, register, and release the leases."""
        self.stop("closed")
        deadline = time.monotonic() + STOP_SECONDS
        while self._request_queue.in_flight and not self.error and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        self.context.downloader.cancel()
        self.context.readers.close()
        await self._tasks.cancel()
        with self._tasks.guarded():
            if not isinstance(self.error, FencedError):
                await self._register_rest()
            await self._hosts.release()  # after a FencedError: the leases that this worker still holds
            await self.context.database.run(self.context.frontier.leave, *self._who)
        self.context.statistics.finish_reason = self.stopping

    async def _register_rest(self) -> None:
        self.context.registrar.rotate()
        await self._register_full()
        await self._report.send()
        await self._request_queue.budget.release_all()
