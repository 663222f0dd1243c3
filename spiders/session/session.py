"""A worker's session in a crawl run: which hosts it serves, which URLs are under way, and when it ends.

Everything runs in one event loop. `requests()` gives the URLs to fetch; each comes back to `settling`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager

from schemas.capture import Capture
from schemas.errors import CrawlhouseError, FencedError
from schemas.outcomes import FetchOutcome
from schemas.runs import CrawlRun
from spiders.messages.rules import reading_rules
from spiders.reading.deaths import Deaths
from spiders.reading.readers import AnswerReaders
from spiders.session.exchange import Settling
from spiders.session.fetch import Fetch
from spiders.session.host import HostService
from spiders.session.page_budget import DRY_SECONDS, PageBudget
from spiders.spool.registrar import Registrar
from spiders.spool.statistics import WorkerStatistics
from spiders.urls.scope import CrawlScope
from spiders.urls.traps import TrapWatch
from storage.frontier.frontier import LEASE_SECONDS, Frontier
from storage.frontier.records import FetchResult, Lease, RunPhase
from storage.lake.takedown import Takedowns

MAX_ACTIVE_HOSTS = 64
RENEW_SECONDS = LEASE_SECONDS / 4
TICK_SECONDS = 0.2
WATCH_SECONDS = 1.0
IDLE_SECONDS = 0.25
STOP_SECONDS = 4.0
TAKEDOWN_SECONDS = 30.0


class FetchSession:
    """One worker in one run; `number` is its attempt."""

    def __init__(
        self, run: CrawlRun, worker: str, number: int, frontier: Frontier, registrar: Registrar, statistics: WorkerStatistics
    ) -> None:
        self.run = run
        self.crawl = run.crawl
        self.frontier = frontier  # its methods are called through `sql`
        self.sql = registrar.database.run
        self.registrar = registrar
        self.statistics = statistics
        self.scope = CrawlScope(run.crawl)
        self.rules = reading_rules(run.crawl, self.scope)
        self.readers: AnswerReaders  # set by the worker, as the next one
        self.deaths: Deaths
        self.traps = TrapWatch(run.crawl.budgets.max_pages_per_host)
        self.takedowns = Takedowns()
        self.read_takedowns: Callable[[], Takedowns] = Takedowns  # set by the worker: the list as it stands
        self.services: dict[int, HostService] = {}
        self.settling = Settling(self)
        self.stopping = ""
        self.is_starting = False  # whether a user's spider has not said yet where it starts
        self.error: CrawlhouseError | None = None
        self.download: Callable[[str], Awaitable[Capture]]  # set by the spider: one exchange about robots.txt
        self.cancel_downloads: Callable[[], None] = lambda: None
        self.is_quota_reached: Callable[[], bool] = lambda: False
        self._worker = worker
        self._number = number
        self._unserved: dict[int, Lease] = {}
        self._registration: asyncio.Task[None] | None = None
        self._queue: asyncio.Queue[Fetch | None] = asyncio.Queue()
        self._under_way: set[Fetch] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._budget = PageBudget(frontier, run.crawl_run, worker, number, run.crawl.budgets.max_pages, registrar.database)
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
        with self.failing():
            await loop

    @contextmanager
    def failing(self) -> Iterator[None]:
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

    async def has_budget(self) -> bool:
        """Takes a page of the run's budget, waiting for what others may give back; when all of it is fetched, the whole run is stopped."""
        while not self.stopping:
            if not self.registrar.is_full() and await self._budget.take():
                return True
            if self._budget.is_spent:
                self.end_run("budget:max_pages")
            else:
                await asyncio.sleep(DRY_SECONDS)
        return False

    def return_budget(self) -> None:
        """Gives a page of the budget back that is not fetched after all."""
        self._budget.put_back()

    def let_go(self, fetch: Fetch) -> None:
        """Takes an exchange as over, without a word on its URL: it stays due."""
        self._under_way.discard(fetch)

    def settled(self, fetch: Fetch, mark: FetchResult | None, wait: float | None, latency: float) -> None:
        """Takes an exchange as over after `latency` seconds: its URL is marked, or asked for again after `wait` seconds."""
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
            if await self.sql(self.is_quota_reached):
                self.end_run("quota")
                break
            room = MAX_ACTIVE_HOSTS - sum(not service.resting for service in self.services.values())
            leases = []
            if room > 0:
                leases = await self.sql(self._lease, room, self._held())
            for lease in leases:
                self._serve(lease)
            if not leases:
                await self._watch_run()
                await asyncio.sleep(WATCH_SECONDS if self.services else IDLE_SECONDS)

    def _lease(self, room: int, held: list[Lease]) -> list[Lease]:
        """Leases hosts, in the database's thread; should the session end meanwhile, they are given back all the same.

        After a pause, of the whole process or of the database, our own leases may look expired: they are prolonged first.
        """
        self._renew(held)
        leases = self.frontier.lease_hosts(self.run.crawl_run, self._worker, self._number, room)
        self._unserved |= {lease.host_id: lease for lease in leases}
        return leases

    async def _watch_run(self) -> None:
        state = await self.sql(self.frontier.state, self.run.crawl_run)
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
        self.start(self._stop_run(reason))
        self.stop(reason)

    async def _stop_run(self, reason: str) -> None:
        await self.sql(self.frontier.stop_run, self.run.crawl_run, reason)

    def _serve(self, lease: Lease) -> None:
        service = HostService(self, lease)
        self._unserved.pop(lease.host_id, None)
        self.services[lease.host_id] = service
        service.task = self.start(service.serve())

    async def _tick(self) -> None:
        """Flushes, rotates, registers and renews."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            waits = not self._under_way and self._is_idle()
            await self.registrar.flush_if_due(hurry=waits)
            waits = waits and self._is_idle()
            if self.registrar.is_old() or (waits and self.registrar.has_news()):
                self.registrar.rotate()
            await self._register(waits)
            if waits:
                await self._budget.give_back()
            await self._tell()
            await self._renew_if_due()

    async def _register(self, waits: bool) -> None:
        """Registers what is set aside, beside the ticks: an upload may outlast a lease. Without anything to do, waits for its end."""
        if self.registrar.has_full() and (self._registration is None or self._registration.done()):
            self._registration = self.start(self.registrar.register_full())
        if waits and self._registration is not None:
            await asyncio.wait([self._registration])

    async def _renew_if_due(self) -> None:
        """Prolongs the leases in good time. Raises FencedError."""
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            await self.sql(self._renew, self._held())

    def _renew(self, held: list[Lease]) -> None:
        """Prolongs leases, where that is due by the time the database's thread comes to it."""
        now = time.monotonic()
        if now - self._renewed > RENEW_SECONDS:
            if held:
                self.frontier.renew(held)
            self._renewed = now

    def _held(self) -> list[Lease]:
        """The leases to keep; one that is being given back may have its next owner already."""
        return [service.lease for service in self.services.values() if not service.is_leaving]

    async def _follow_takedowns(self) -> None:
        """Keeps to the takedown list as it changes."""
        while True:
            await asyncio.sleep(TAKEDOWN_SECONDS)
            self.takedowns = await asyncio.to_thread(self.read_takedowns)

    def _is_idle(self) -> bool:
        """Whether no host asks for anything: nothing waits, or no page may be fetched before some are registered."""
        return self._budget.is_dry or all(service.resting for service in self.services.values())

    async def _tell(self) -> None:
        """Tells those who watch the run what this worker did, once a second."""
        now, statistics = time.monotonic(), self.statistics
        told = (statistics.responses, statistics.bytes, statistics.errors)
        if told != self._told and now - self._told_at >= WATCH_SECONDS:
            answers, received, errors = (new - old for new, old in zip(told, self._told, strict=True))
            self._told, self._told_at = told, now
            await self.sql(self.frontier.report, self.run.crawl_run, self._worker, answers, received, errors)

    def _wake(self) -> None:
        self.readers.resume()
        for service in self.services.values():
            service.wake()

    def _registered(self, marks: Sequence[FetchResult]) -> None:
        self.deaths.settled(mark.url_id for mark in marks)
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
        self.readers.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if isinstance(self.error, FencedError):
            await self._guarded(self._release())  # what is still ours
        else:
            await self._guarded(self._give_back())
        self.statistics.finish_reason = self.stopping

    async def _give_back(self) -> None:
        self.registrar.rotate()
        await self.registrar.register_full()
        self._told_at = 0.0
        await self._tell()
        await self._budget.end()
        await self._release()

    async def _release(self) -> None:
        waits = {service.lease: service.wait_after() for service in self.services.values()}
        await self.sql(lambda: self.frontier.release({lease: lease.wait for lease in self._unserved.values()} | waits))
