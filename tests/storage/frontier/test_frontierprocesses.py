"""Four processes on one frontier: no host ever has two owners, and what was fetched under a lost lease is never registered."""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.errors import ConflictError, FencedError
from schemas.manifest import FetchCounts
from schemas.outcomes import FetchOutcome
from schemas.runs import CrawlRun
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.leasing import LEASE_SECONDS
from storage.frontier.records import Discovery, FetchResult, Lease, RunPhase
from tests.forks import fork_context

pytestmark = pytest.mark.servers_in_chaos

HOSTS, URLS_PER_HOST, PROCESSES = 24, 6, 4
SHORT = LEASE_SECONDS / 2.0  # how many of the frontier's seconds pass in one of ours: a lease ends within two
CRAWL = Crawl(name="news", seeds=(Seed(url="https://host-0.example/"),))


@dataclass(frozen=True, slots=True)
class Event:
    """A lease taken just before `at`, or a registration that began at `at` and `succeeded` or was refused."""

    host: int
    token: int
    worker: str
    at: float
    is_lease: bool
    succeeded: bool = True


def fast_clock() -> float:
    return time.time() * SHORT


def _work(settings: Settings, run: str, worker: str, events: multiprocessing.Queue[Event | None]) -> None:
    chance = random.Random(worker)
    frontier = open_frontier(settings, fast_clock)
    number, _ = frontier.join(run, worker)
    while frontier.state(run).phase is not RunPhase.DRAINED:
        leases = frontier.lease_hosts(run, worker, number, 3)
        got = time.time()
        for lease in leases:
            events.put(Event(lease.host_id, lease.token, worker, got, is_lease=True))
        for lease in leases:
            events.put(_serve(frontier, run, worker, lease, stalls=chance.random() < 0.2))
        time.sleep(0.02)
    frontier.close()
    events.put(None)


def _serve(frontier: Frontier, run: str, worker: str, lease: Lease, *, stalls: bool) -> Event:
    due = frontier.due_urls(run, lease, 2)
    time.sleep(2.5 if stalls else 0.01)  # a stalled worker outlives its lease
    began = time.time()
    try:
        frontier.register(run, worker, [lease], [FetchResult(url.url_id, url.host_id, FetchOutcome.FETCHED, status=200) for url in due])
    except FencedError:
        return Event(lease.host_id, lease.token, worker, began, is_lease=False, succeeded=False)
    frontier.release({lease: 0.0})
    return Event(lease.host_id, lease.token, worker, began, is_lease=False)


@pytest.mark.chaos
def test_no_host_is_owned_twice_and_every_url_is_registered_once(settings: Settings) -> None:
    frontier = open_frontier(settings, fast_clock)
    seeds = [Discovery(f"https://host-{host}.example/{page}") for host in range(HOSTS) for page in range(URLS_PER_HOST)]
    run = frontier.plan(CrawlRun("news-1", CRAWL, "1", datetime.now(UTC), "1", "hash"), seeds).crawl_run
    events = _events_of_processes(settings, run)
    leases = [event for event in events if event.is_lease]
    assert len(leases) == len({(lease.host, lease.token) for lease in leases})  # a token of its own for each
    assert {lease.worker for lease in leases} == {f"w{number}" for number in range(PROCESSES)}
    registrations = [event for event in events if not event.is_lease]
    assert any(not event.succeeded for event in registrations)  # some lease was taken over, and its old owner fenced out
    for event in registrations:
        newer = [lease for lease in leases if lease.host == event.host and lease.token > event.token and lease.at < event.at]
        assert not (event.succeeded and newer)
    counts, _ = _close(frontier, run)
    assert (counts.due, counts.fetched) == (HOSTS * URLS_PER_HOST, HOSTS * URLS_PER_HOST)
    frontier.close()


def _events_of_processes(settings: Settings, run: str) -> list[Event]:
    context = fork_context()
    queue: multiprocessing.Queue[Event | None] = context.Queue()
    workers = [context.Process(target=_work, args=(settings, run, f"w{number}", queue)) for number in range(PROCESSES)]
    for worker in workers:
        worker.start()
    events, ended = [], 0
    while ended < PROCESSES:
        found = queue.get(timeout=120)
        events += [found] if found else []
        ended += found is None
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    return events


def _close(frontier: Frontier, run: str) -> tuple[FetchCounts, dict[str, int]]:
    while True:
        try:
            return frontier.begin_close(run)
        except ConflictError:
            time.sleep(0.2)
