"""The hosts that a worker has leased: it leases more while it has room, prolongs its leases in good time, and releases them at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from spiders.session.context import FetchContext
from spiders.session.exchange import ExchangeResult
from spiders.session.fetch import Fetch
from spiders.session.host import HostService
from spiders.session.outbox import Outbox
from spiders.session.tasks import GuardedTasks
from storage.frontier.frontier import LEASE_SECONDS
from storage.frontier.records import Lease, Mark

MAX_ACTIVE_HOSTS = 64
RENEW_SECONDS = LEASE_SECONDS / 4


class LeasedHosts:
    """Each leased host with the task that serves it. `bool()` is whether there is any."""

    def __init__(self, context: FetchContext, outbox: Outbox, tasks: GuardedTasks) -> None:
        self._context = context
        self._outbox = outbox
        self._tasks = tasks
        self._services: dict[int, HostService] = {}
        self._work: dict[HostService, asyncio.Task[None]] = {}
        self._unserved: dict[int, Lease] = {}
        self._renewed = time.monotonic()

    def __bool__(self) -> bool:
        return bool(self._services)

    async def lease_more(self) -> bool:
        """Lease hosts for the room that is left, and serve them; whether there was any."""
        room = MAX_ACTIVE_HOSTS - sum(not service.resting for service in self._services.values())
        leases = await self._context.database.run(self._lease, room, self._held()) if room > 0 else []
        for lease in leases:
            self.serve(lease)
        return bool(leases)

    def _lease(self, room: int, held: list[Lease]) -> list[Lease]:
        """Lease hosts, in the database's thread. Should the session end meanwhile, they are released all the same.

        After a pause, of the whole process or of the database, our own leases may look expired: they are prolonged first.
        """
        context = self._context
        self._renew(held)
        leases = context.frontier.lease_hosts(context.run.crawl_run, context.worker, context.attempt, room)
        self._unserved |= {lease.host_id: lease for lease in leases}
        return leases

    def serve(self, lease: Lease) -> None:
        """Serve a leased host until nothing of it is due."""
        service = HostService(self._context, lease, self._outbox, self._tasks)
        self._unserved.pop(lease.host_id, None)
        self._services[lease.host_id] = service
        self._work[service] = self._tasks.start(self._serve(service))

    async def _serve(self, service: HostService) -> None:
        await service.serve()
        del self._work[service]
        if self._services.get(service.lease.host_id) is service:
            del self._services[service.lease.host_id]

    async def renew_if_due(self) -> None:
        """Prolong the leases in good time. Raises FencedError."""
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            await self._context.database.run(self._renew, self._held())

    def _renew(self, held: list[Lease]) -> None:
        """Prolong leases, where that is due by the time the database's thread comes to it."""
        now = time.monotonic()
        if now - self._renewed > RENEW_SECONDS:
            if held:
                self._context.frontier.renew(held)
            self._renewed = now

    def _held(self) -> list[Lease]:
        """The leases to keep; one that is being released may have its next owner already."""
        return [service.lease for service in self._services.values() if not service.is_leaving]

    def are_resting(self) -> bool:
        """Whether no host has anything to request."""
        return all(service.resting for service in self._services.values())

    def finish(self, fetch: Fetch, result: ExchangeResult) -> None:
        """Give the result of an exchange to the host of its URL."""
        service = self._services.get(fetch.lease.host_id)
        if service is not None:
            service.finish(fetch, result)

    def registered(self, marks: Iterable[Mark]) -> None:
        """Results of URLs are registered."""
        for mark in marks:
            service = self._services.get(mark.host_id)
            if service is not None:
                service.taken.discard(mark.url_id)
        self.wake()

    def wake(self) -> None:
        """URLs were found, or results were registered: have each host look again at what is due."""
        for service in self._services.values():
            service.wake()

    def cancel(self) -> None:
        """Request nothing more."""
        for service in self._services.values():
            task = self._work[service]
            if task is not asyncio.current_task():
                task.cancel()

    async def release(self) -> None:
        """Release all leases, each host with the time for which it is to be left alone."""
        context = self._context
        waits = {service.lease: service.wait_after() for service in self._services.values()}
        await context.database.run(lambda: context.frontier.release({lease: lease.wait for lease in self._unserved.values()} | waits))
