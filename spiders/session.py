"""A worker's session in a crawl run: which hosts it serves, which URLs are under way, and when it ends.

Everything runs in one event loop. `requests()` gives the URLs to fetch; each comes back by `answered` or `failed`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from schemas.capture import Capture, UrlKind
from schemas.errors import CrawlhouseError, FencedError
from schemas.outcomes import FetchOutcome, Reason
from schemas.runs import CrawlRun
from spiders.answer import Answer, read_answer, with_kind
from spiders.failure import FetchFailedError
from spiders.fetch import Fetch
from spiders.hosts import HostService
from spiders.linkmemory import LinkMemory
from spiders.marks import answered_mark, failed_mark, refused_mark, retry_after, revisited, temporary
from spiders.optouts import SILENT
from spiders.pagebudget import DRY_SECONDS, PageBudget
from spiders.registrar import Registrar, Source
from spiders.scope import CrawlScope
from spiders.statistics import WorkerStatistics
from spiders.traps import TrapWatch
from spiders.yielded import NOTHING, Yielded, broken_mark, with_yielded
from storage.captureindex import CaptureRow
from storage.frontier import LEASE_SECONDS, Frontier
from storage.frontierrecords import DueUrl, Lease, Mark, RunPhase
from storage.hostkey import canonical_host
from storage.takedown import Takedowns

LOG = logging.getLogger(__name__)
MAX_ACTIVE_HOSTS = 64
TICK_SECONDS = 0.2
WATCH_SECONDS = 1.0
IDLE_SECONDS = 0.25
STOP_SECONDS = 4.0
TAKEDOWN_SECONDS = 30.0
COUNTED = frozenset({"noindex", "nofollow", "none"})  # opt-outs that do not keep an answer out of the archive


class FetchSession:
    """One worker in one run; `number` is its incarnation."""

    def __init__(
        self, run: CrawlRun, worker: str, number: int, frontier: Frontier, registrar: Registrar, statistics: WorkerStatistics
    ) -> None:
        self.run = run
        self.crawl = run.crawl
        self.frontier = frontier
        self.registrar = registrar
        self.statistics = statistics
        self.scope = CrawlScope(run.crawl)
        self.traps = TrapWatch(run.crawl.budgets.max_pages_per_host)
        self.takedowns = Takedowns()
        self.read_takedowns: Callable[[], Takedowns] = Takedowns  # set by the worker: the list as it stands
        self.services: dict[int, HostService] = {}
        self.stopping = ""
        self.is_starting = False  # whether a user's spider has not said yet where it starts
        self.error: CrawlhouseError | None = None
        self.download: Callable[[str], Awaitable[Capture]]  # set by the spider: one exchange about robots.txt
        self.cancel_downloads: Callable[[], None] = lambda: None
        self.is_quota_reached: Callable[[], bool] = lambda: False
        self._worker = worker
        self._number = number
        self._queue: asyncio.Queue[Fetch | None] = asyncio.Queue()
        self._under_way: set[Fetch] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._memory = LinkMemory()
        self._budget = PageBudget(frontier, run.crawl_run, worker, number, run.crawl.budgets.max_pages)
        self._told = (0, 0, 0)
        self._told_at = 0.0
        self._renewed = time.monotonic()
        self._deadline = run.planned_at.timestamp() + run.crawl.max_run_time().total_seconds()
        registrar.on_found = self._wake
        registrar.on_registered = self._registered

    async def requests(self, held: Sequence[Lease]) -> AsyncIterator[Fetch]:
        """The URLs to fetch, each when its host's turn has come, until the run has no more or the session is stopped.

        `held` are leases taken back from a dead self. At the end everything fetched is registered and all leases are given back.
        """
        for lease in held:
            self._serve(lease)
        self.start(self._lease_hosts())
        self.start(self._tick())
        self.start(self._follow_takedowns())
        try:
            while (fetch := await self._queue.get()) is not None:
                yield fetch
        finally:
            await self._end()

    def start(self, loop: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Runs a coroutine beside the others; an error of ours ends the session."""
        task = asyncio.create_task(self._guarded(loop))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, loop: Coroutine[None, None, None]) -> None:
        with self._failing():
            await loop

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """An error of ours ends the session, and so does a defect, with its name: it must never leave the worker waiting."""
        try:
            yield
        except CrawlhouseError as error:
            self.fail(error)
        except Exception as error:
            self.fail(CrawlhouseError(f"The worker broke off: {error!r}. What it had fetched stays in its spool."))
            raise

    def fail(self, error: CrawlhouseError) -> None:
        """Ends the session by an error; the first one stays."""
        self.error = self.error or error
        self.stop(type(error).__name__)

    def stop(self, reason: str) -> None:
        """Ends the session: nothing more is asked for. The first reason stays."""
        if not self.stopping:
            self.stopping = reason
            for service in self.services.values():
                service.cancel()
            self._queue.put_nowait(None)

    def hand_out(self, fetch: Fetch) -> None:
        """Queues a URL for its request."""
        self._under_way.add(fetch)
        self._queue.put_nowait(fetch)

    def wait_to_retry(self, fetch: Fetch, capture: Capture) -> float | None:
        """Seconds after which an answer is asked for again, None where it stands."""
        return None if self.stopping else temporary(capture, fetch.tries, self.crawl)

    def wait_to_retry_failed(self, fetch: Fetch, error: BaseException) -> float | None:
        """Seconds after which an exchange that gave no answer is tried again, None where that is final."""
        again = _failure(error).again and fetch.tries < self.crawl.budgets.max_retries
        return 2.0**fetch.tries if again else None

    def answered(self, fetch: Fetch, capture: Capture, yielded: Yielded = NOTHING, rendered: Capture | None = None) -> None:
        """An exchange came to its end: archives it, takes in what it found, and marks its URL or asks for another try.

        `yielded` is what a callback made of it, `rendered` what a browser did.
        """
        due = fetch.due
        self._count_answer(capture)
        sent, capture = capture, replace(rendered or capture, kind=due.kind, via=due.via, depth=due.depth, hints=due.hints)
        try:
            answer = read_answer(capture, due.redirects, self.crawl, self.scope, self._memory)
        except Exception as error:  # an answer that breaks a reader costs its URL, not the run
            LOG.exception("%s cannot be read", due.url)
            self.failed(fetch, FetchFailedError(Reason.MALFORMED_RESPONSE, f"{due.url} cannot be read: {error!r}"), yielded)
            return
        with self._failing():
            self._keep(fetch, capture, answer, yielded, sent if rendered else None)

    def _keep(self, fetch: Fetch, capture: Capture, answer: Answer, yielded: Yielded, sent: Capture | None) -> None:
        """Archives an answer and settles its fetch; `sent` is what the server had sent of a rendered page."""
        due = fetch.due
        answer = with_yielded(answer, capture, due, yielded, self.crawl, self.statistics)
        reserved = self._is_reserved(answer, capture)
        row = None
        if not reserved:
            row = self._archive(fetch, with_kind(capture, answer.kind), sent)
            self.registrar.keep_items(row, yielded.items)
        elif yielded.items:
            self.statistics.refused_requests["item_of_opted_out_page"] += len(yielded.items)
        wait = self.wait_to_retry(fetch, capture)
        mark, source = None, None
        if wait is None:

            def remake(count: int) -> Mark:
                made = answered_mark(due, capture, replace(answer, new_items=count), row, self.crawl.revisit, reserved)
                return broken_mark(made, yielded.broken) if yielded.broken else made

            mark = remake(0)
            if answer.discoveries:
                source = Source(due.url, remake)
        self.registrar.mark(fetch.lease, mark, row, source)
        self.registrar.find(answer.discoveries)
        self.host_answered(fetch.lease, capture)
        self._settle(fetch, mark, wait, (sent or capture).latency_ms / 1000)

    def host_answered(self, lease: Lease, capture: Capture) -> None:
        """A host answered, whatever it was asked: it may say that it is too busy."""
        service = self.services.get(lease.host_id)
        if service is not None and canonical_host(capture.url) == lease.host:
            service.answered(capture.status, retry_after(capture, time.time()), len(capture.body))

    def _archive(self, fetch: Fetch, capture: Capture, sent: Capture | None) -> CaptureRow:
        """Archives a capture; one that a browser rendered together with what the server had sent."""
        if sent is None:
            return self.registrar.archive(capture, fetch.lease, revisited(capture, fetch.due))
        shell = replace(sent, kind=UrlKind.SHELL, via=capture.via, depth=capture.depth, hints=capture.hints)
        return self.registrar.archive_rendered(shell, capture, fetch.lease)

    def _is_reserved(self, answer: Answer, capture: Capture) -> bool:
        """Whether the answer may not be kept; counts what its owner reserves, also where the crawl only records that."""
        if answer.opt_outs is SILENT:
            return False
        reserved = answer.opt_outs.reserved(capture.fetched_at)
        words = set(answer.opt_outs.directives.words & COUNTED) | ({reserved} if reserved else set())
        self.statistics.opt_outs.update(words)
        return reserved is not None and self.crawl.politeness.opt_outs == "obey"

    def failed(self, fetch: Fetch, error: BaseException, yielded: Yielded = NOTHING) -> None:
        """An exchange gave no answer: asks for another try, or marks its URL. What we broke off ourselves stays due."""
        failure = _failure(error)
        self.statistics.errors += 1
        self.statistics.host(fetch.lease.host).errors += 1
        if self.stopping and failure.again:
            self._under_way.discard(fetch)
            return
        wait = self.wait_to_retry_failed(fetch, error)
        mark = failed_mark(fetch.due, failure, self.crawl.revisit, time.time()) if wait is None else None
        self.registrar.mark(fetch.lease, mark)
        self.registrar.find(yielded.found)
        self._settle(fetch, mark, wait, 0.0)

    def refuse(self, due: DueUrl, lease: Lease, outcome: FetchOutcome, reason: Reason) -> None:
        """Marks a URL that is not to be fetched."""
        self.registrar.mark(lease, refused_mark(due, outcome, reason, self.crawl.revisit, time.time()))

    async def has_budget(self) -> bool:
        """Takes a page of the run's budget, waiting for what others may give back; when all of it is fetched, the whole run is stopped."""
        while not self.stopping:
            if self._budget.take():
                return True
            if self._budget.is_spent:
                self.end_run("budget:max_pages")
            else:
                await asyncio.sleep(DRY_SECONDS)
        return False

    def return_budget(self) -> None:
        """Gives a page of the budget back that is not fetched after all."""
        self._budget.put_back()

    def _settle(self, fetch: Fetch, mark: Mark | None, wait: float | None, latency: float) -> None:
        self._under_way.discard(fetch)
        if wait is not None:
            self.statistics.retries += 1
            self.statistics.host(fetch.lease.host).retries += 1
        if mark is not None and mark.outcome is not FetchOutcome.FETCHED:
            self._budget.put_back()
        service = self.services.get(fetch.lease.host_id)
        if service is not None:
            service.completed(fetch, mark, wait, latency)

    async def _lease_hosts(self) -> None:
        """Keeps the hands full, until the run has neither URLs nor leased hosts."""
        while not self.stopping:
            if self.is_quota_reached():
                self.end_run("quota")
                break
            room = MAX_ACTIVE_HOSTS - sum(not service.resting for service in self.services.values())
            leases = []
            if room > 0:
                self._renew_if_due()  # after a pause of the whole process our own leases may look expired
                leases = self.frontier.lease_hosts(self.run.crawl_run, self._worker, self._number, room)
            for lease in leases:
                self._serve(lease)
            if not leases:
                self._watch_run()
                await asyncio.sleep(WATCH_SECONDS if self.services else IDLE_SECONDS)

    def _watch_run(self) -> None:
        state = self.frontier.state(self.run.crawl_run)
        if state.phase is RunPhase.DRAINED and not self.services and not self.is_starting:
            self.stop("finished")
        elif state.phase in {RunPhase.STOPPING, RunPhase.CLOSED}:
            self.stop(state.stopping or "closed")
        elif state.bytes >= self.crawl.budgets.max_bytes:
            self.end_run("budget:max_bytes")
        elif time.time() > self._deadline:
            self.end_run("budget:max_minutes")

    def end_run(self, reason: str) -> None:
        """Ends the whole run, with all its workers."""
        self.frontier.stop_run(self.run.crawl_run, reason)
        self.stop(reason)

    def _serve(self, lease: Lease) -> None:
        service = HostService(self, lease)
        self.services[lease.host_id] = service
        service.task = self.start(service.serve())

    async def _tick(self) -> None:
        """Flushes, rotates, registers and renews."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            waits = not self._under_way and self._is_idle()
            self.registrar.flush_if_due(hurry=waits)
            waits = waits and self._is_idle()
            if self.registrar.is_old() or (waits and self.registrar.has_news()):
                self.registrar.rotate()
            await self.registrar.register_full()
            if waits:
                self._budget.give_back()
            self._tell()
            self._renew_if_due()

    def _renew_if_due(self) -> None:
        """Prolongs the leases in good time. Raises FencedError."""
        if time.monotonic() - self._renewed > LEASE_SECONDS / 4:
            if self.services:
                self.frontier.renew([service.lease for service in self.services.values()])
            self._renewed = time.monotonic()

    async def _follow_takedowns(self) -> None:
        """Keeps to the takedown list as it changes."""
        while True:
            await asyncio.sleep(TAKEDOWN_SECONDS)
            self.takedowns = await asyncio.to_thread(self.read_takedowns)

    def _is_idle(self) -> bool:
        """Whether no host asks for anything: nothing waits, or no page may be fetched before some are registered."""
        return self._budget.is_dry or all(service.resting for service in self.services.values())

    def _tell(self) -> None:
        """Tells those who watch the run what this worker did, once a second."""
        now, statistics = time.monotonic(), self.statistics
        told = (statistics.answers, statistics.bytes, statistics.errors)
        if told != self._told and now - self._told_at >= WATCH_SECONDS:
            self.frontier.report(self.run.crawl_run, self._worker, *(new - old for new, old in zip(told, self._told, strict=True)))
            self._told, self._told_at = told, now

    def _wake(self) -> None:
        for service in self.services.values():
            service.wake()

    def _registered(self, marks: Sequence[Mark]) -> None:
        for mark in marks:
            service = self.services.get(mark.host_id)
            if service is not None:
                service.taken.discard(mark.url_id)
        self._wake()

    async def _end(self) -> None:
        """Waits a moment for what is under way, gives up the rest, registers, gives the leases back."""
        self.stop("closed")
        deadline = time.monotonic() + STOP_SECONDS
        while self._under_way and not self.error and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        self.cancel_downloads()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if not isinstance(self.error, FencedError):
            await self._guarded(self._give_back())
        self.statistics.finish_reason = self.stopping

    async def _give_back(self) -> None:
        self.registrar.rotate()
        await self.registrar.register_full()
        self._told_at = 0.0
        self._tell()
        self._budget.end()
        self.frontier.release({service.lease: service.wait_after() for service in self.services.values()})

    def _count_answer(self, capture: Capture) -> None:
        self.statistics.answers += 1
        self.statistics.bytes += len(capture.body)
        self.statistics.statuses[str(capture.status)] += 1


def _failure(error: BaseException) -> FetchFailedError:
    return error if isinstance(error, FetchFailedError) else FetchFailedError(Reason.CONNECTION, repr(error), again=True)
