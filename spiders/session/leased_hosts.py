"""The hosts that a worker has leased: leases more up to its share, returns those beyond it, renews the leases, releases them at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from spiders.session.context import FetchContext
from spiders.session.exchange import ExchangeResult
from spiders.session.host import HostFetcher
from spiders.session.request_queue import RequestQueue
from spiders.session.tasks import GuardedTasks
from spiders.session.url_in_progress import UrlInProgress
from storage.frontier.leasing import LEASE_SECONDS
from storage.frontier.records import FetchResult, Lease

REPORT_SECONDS = LEASE_SECONDS / 12  # chosen: the other workers know that this one is alive long before they count it as gone
RENEW_SECONDS = LEASE_SECONDS / 4  # three renewals may fail or come late before a lease expires


class LeasedHosts:
    """Each leased host with the task that fetches from it. True if there is any."""

    def __init__(self, context: FetchContext, request_queue: RequestQueue, tasks: GuardedTasks) -> None:
        self._context = context
        self._request_queue = request_queue
        self._tasks = tasks
        self._fetchers: dict[int, HostFetcher] = {}
        self._work: dict[HostFetcher, asyncio.Task[None]] = {}
        self._not_started: dict[int, Lease] = {}
        self._renewed = time.monotonic()
        self._reported, self._reported_at = -1, 0.0

    def __bool__(self) -> bool:
        return bool(self._fetchers)

    async def lease_more(self) -> bool:
        """Lease hosts up to this worker's share and fetch from them; return hosts beyond it. Returns whether any was leased."""
        leases, excess = await self._context.database.run(self._lease, self._count_active(), self._held())
        for lease in leases:
            self.fetch_from(lease)
        self._return_hosts(excess - sum(fetcher.must_leave for fetcher in self._fetchers.values()))
        return bool(leases)

    def _count_active(self) -> int:
        """The hosts that are requested. Those to be returned still count, so that they are not missed twice."""
        return sum(fetcher.must_leave or not fetcher.is_idle for fetcher in self._fetchers.values())

    def _return_hosts(self, count: int) -> None:
        """Request nothing more from `count` hosts. Each is released as soon as all that was fetched from it is registered."""
        if count > 0:
            kept = [fetcher for fetcher in self._fetchers.values() if not fetcher.must_leave and not fetcher.is_idle]
            for fetcher in sorted(kept, key=lambda fetcher: fetcher.has_unregistered())[:count]:
                fetcher.leave()

    def _lease(self, active: int, held: list[Lease]) -> tuple[list[Lease], int]:
        """Lease hosts, in the database's thread. Returns them, and how many hosts are beyond this worker's share.

        If the session ends meanwhile, `release` knows of them. After a pause of the process or of the database, this worker's own leases
        may look expired. So they are renewed first.
        """
        context = self._context
        self._renew(held)
        share = context.frontier.host_share(context.run.crawl_run, context.worker, active)
        leases: list[Lease] = []
        if share.room:
            leases = context.frontier.lease_hosts(context.run.crawl_run, context.worker, context.attempt, share.room, active)
        elif active != self._reported or time.monotonic() - self._reported_at > REPORT_SECONDS:
            context.frontier.report_hosts(context.run.crawl_run, context.worker, context.attempt, active)
        else:
            return [], share.excess
        self._reported, self._reported_at = active + len(leases), time.monotonic()
        self._not_started |= {lease.host_id: lease for lease in leases}
        return leases, share.excess

    def fetch_from(self, lease: Lease) -> None:
        """Fetch from a leased host until no URL of it is due."""
        fetcher = HostFetcher(self._context, lease, self._request_queue, self._tasks)
        self._not_started.pop(lease.host_id, None)
        self._fetchers[lease.host_id] = fetcher
        self._work[fetcher] = self._tasks.start(self._run(fetcher))

    async def _run(self, fetcher: HostFetcher) -> None:
        await fetcher.run()
        del self._work[fetcher]
        if self._fetchers.get(fetcher.lease.host_id) is fetcher:
            del self._fetchers[fetcher.lease.host_id]

    async def renew_if_due(self) -> None:
        """Renew the leases every RENEW_SECONDS. Raises FencedError."""
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            await self._context.database.run(self._renew, self._held())

    def _renew(self, held: list[Lease]) -> None:
        """Renew leases, if that is still due when the database's thread gets to it."""
        now = time.monotonic()
        if now - self._renewed > RENEW_SECONDS:
            if held:
                self._context.frontier.renew(held)
            self._renewed = now

    def _held(self) -> list[Lease]:
        """The leases to keep. One that is being released may already have its next owner."""
        return [fetcher.lease for fetcher in self._fetchers.values() if not fetcher.is_leaving]

    def are_idle(self) -> bool:
        """Whether no host has anything to request now."""
        return all(fetcher.is_idle for fetcher in self._fetchers.values())

    def finish(self, fetch: UrlInProgress, result: ExchangeResult) -> None:
        """Give the result of an exchange to the host of its URL."""
        fetcher = self._fetchers.get(fetch.lease.host_id)
        if fetcher is not None:
            fetcher.finish(fetch, result)

    def registered(self, results: Iterable[FetchResult]) -> None:
        """Results of URLs are registered."""
        for result in results:
            fetcher = self._fetchers.get(result.host_id)
            if fetcher is not None:
                fetcher.in_progress.discard(result.url_id)
        self.wake()

    def wake(self) -> None:
        """URLs were found, or results were registered: have each host look again at what is due."""
        for fetcher in self._fetchers.values():
            fetcher.wake()

    def wait_for_registration(self) -> bool:
        """Whether hosts are to be returned, nothing of them is under way, and they only wait for the open batch."""
        leaving = [fetcher for fetcher in self._fetchers.values() if fetcher.must_leave]
        is_open = any(self._context.registrar.has_open_of(fetcher.lease) for fetcher in leaving)
        return is_open and all(fetcher.is_idle or fetcher.is_leaving for fetcher in leaving)

    def cancel(self) -> None:
        """Request nothing more."""
        for fetcher in self._fetchers.values():
            task = self._work[fetcher]
            if task is not asyncio.current_task():
                task.cancel()

    async def release(self) -> None:
        """Release all leases, each with the seconds until its host may be requested again."""
        context = self._context
        waits = {fetcher.lease: fetcher.wait_after() for fetcher in self._fetchers.values()}
        await context.database.run(lambda: context.frontier.release({lease: lease.wait for lease in self._not_started.values()} | waits))
