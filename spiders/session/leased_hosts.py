"""The hosts that a worker has leased: leases more while there is room, renews the leases, and releases them at the end."""

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
from storage.frontier.frontier import LEASE_SECONDS
from storage.frontier.records import FetchResult, Lease

MAX_ACTIVE_HOSTS = 64  # chosen: bounds a worker's memory and open connections, and leaves hosts to other workers
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

    def __bool__(self) -> bool:
        return bool(self._fetchers)

    async def lease_more(self) -> bool:
        """Lease as many hosts as there is room for, and fetch from them. Returns whether there was any."""
        room = MAX_ACTIVE_HOSTS - sum(not fetcher.is_idle for fetcher in self._fetchers.values())
        leases = await self._context.database.run(self._lease, room, self._held()) if room > 0 else []
        for lease in leases:
            self.fetch_from(lease)
        return bool(leases)

    def _lease(self, room: int, held: list[Lease]) -> list[Lease]:
        """Lease hosts, in the database's thread. If the session ends meanwhile, `release` knows of them.

        After a pause of the process or of the database, this worker's own leases may look expired. So they are renewed first.
        """
        context = self._context
        self._renew(held)
        leases = context.frontier.lease_hosts(context.run.crawl_run, context.worker, context.attempt, room)
        self._not_started |= {lease.host_id: lease for lease in leases}
        return leases

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
