"""Hosts are shared out evenly over the live workers of a run, on SQLite and on PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.errors import FencedError
from schemas.runs import CrawlRun
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.leasing import LEASE_SECONDS, MAX_ACTIVE_HOSTS, divide
from storage.frontier.records import Discovery, HostShare, Lease

CRAWL = Crawl(name="news", seeds=(Seed(url="https://a.example/"),))
HOSTS = 9


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def frontier(settings: Settings, clock: Clock) -> Iterator[Frontier]:
    frontier = open_frontier(settings, clock)
    yield frontier
    frontier.close()


def planned(frontier: Frontier, key: str = "1", hosts: int = HOSTS) -> str:
    run = CrawlRun(f"news-{key}", CRAWL, key, datetime.now(UTC), "1", "hash")
    return frontier.plan(run, [Discovery(f"https://{number}.example/{key}") for number in range(hosts)]).crawl_run


def lease(frontier: Frontier, run: str, worker: str, active: int = 0) -> list[Lease]:
    return frontier.lease_hosts(run, worker, frontier.workers(run)[worker], 100, active)


def test_a_lone_worker_has_all_hosts_and_two_have_half_each(frontier: Frontier) -> None:
    run = planned(frontier)
    frontier.join(run, "a")
    assert frontier.host_share(run, "a", 0) == HostShare(MAX_ACTIVE_HOSTS, 0)
    frontier.join(run, "b")
    first, second = lease(frontier, run, "a"), lease(frontier, run, "b")
    assert (len(first), len(second)) == (5, 4)  # a share is rounded up for whoever asks first
    assert lease(frontier, run, "a", 5) == lease(frontier, run, "b", 4) == []
    assert frontier.host_share(run, "a", 5).excess == 0


def test_who_joins_late_is_given_its_share_by_the_others(frontier: Frontier) -> None:
    run = planned(frontier)
    frontier.join(run, "a")
    leases = lease(frontier, run, "a")
    assert len(leases) == HOSTS
    frontier.join(run, "b")
    assert frontier.host_share(run, "a", HOSTS).excess == 4
    assert lease(frontier, run, "b") == []
    frontier.release(dict.fromkeys(leases[:4], 0.0))
    frontier.report_hosts(run, "a", 1, 5)
    assert frontier.host_share(run, "a", 5) == HostShare(0, 0)
    assert [one.host for one in lease(frontier, run, "b")] == [one.host for one in leases[:4]]


def test_hosts_that_wait_for_their_next_turn_are_not_asked_for_again(frontier: Frontier, clock: Clock) -> None:
    run = planned(frontier)
    frontier.join(run, "a")
    leases = lease(frontier, run, "a")
    frontier.join(run, "b")
    frontier.release(dict.fromkeys(leases[:4], 30.0))
    frontier.report_hosts(run, "a", 1, 5)
    assert frontier.host_share(run, "a", 5) == HostShare(0, 0)
    assert lease(frontier, run, "b") == []  # their next turn has not come
    clock.now += 30.0
    assert len(lease(frontier, run, "b")) == 4


def test_one_host_has_one_worker_and_a_worker_that_ended_or_died_has_no_share(frontier: Frontier, clock: Clock) -> None:
    run = planned(frontier, hosts=1)
    frontier.join(run, "a")
    (only,) = lease(frontier, run, "a")
    frontier.join(run, "b")
    assert frontier.host_share(run, "b", 0) == HostShare(0, 0)
    assert frontier.host_share(run, "a", 1) == HostShare(0, 0)
    frontier.release({only: 0.0})
    frontier.leave(run, "a", 1)
    assert frontier.host_share(run, "b", 0) == HostShare(MAX_ACTIVE_HOSTS, 0)
    frontier.join(run, "c")
    assert frontier.host_share(run, "b", 0).room == 1
    clock.now += LEASE_SECONDS + 1
    frontier.report_hosts(run, "b", 1, 0)
    assert frontier.host_share(run, "b", 0) == HostShare(MAX_ACTIVE_HOSTS, 0)


def test_a_worker_that_was_started_again_reports_nothing(frontier: Frontier) -> None:
    run = planned(frontier)
    frontier.join(run, "a")
    frontier.leave(run, "a", 1)
    frontier.join(run, "a")
    with pytest.raises(FencedError):
        frontier.report_hosts(run, "a", 1, 3)
    frontier.leave(run, "a", 1)  # of the previous attempt: the second one stays alive
    frontier.join(run, "b")
    assert frontier.host_share(run, "b", 0).room == 5  # without it, b could have all 9


def test_back_off_travels_with_the_host_within_a_run(frontier: Frontier) -> None:
    run, later = planned(frontier, hosts=1), planned(frontier, "2", hosts=1)
    frontier.join(run, "a")
    (mine,) = lease(frontier, run, "a")
    assert (mine.busy, mine.failures) == (0, 0)
    frontier.set_back_off(mine, 3, 2)
    frontier.release({mine: 0.0})
    frontier.leave(run, "a", 1)
    frontier.join(run, "b")
    (theirs,) = lease(frontier, run, "b")
    assert (theirs.busy, theirs.failures) == (3, 2)
    frontier.set_back_off(mine, 0, 0)  # its lease is over
    _, (again,) = frontier.join(run, "b")
    assert (again.busy, again.failures) == (3, 2)
    frontier.release({again: 0.0})
    frontier.join(later, "c")
    (fresh,) = lease(frontier, later, "c")
    assert (fresh.busy, fresh.failures) == (0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_shares_become_even_whoever_had_them(seed: int) -> None:
    dice = random.Random(seed)
    workers = dice.randint(1, 9)
    held = [dice.choice([0, 1, dice.randint(0, MAX_ACTIVE_HOSTS)]) for _ in range(workers)]
    free = dice.choice([0, dice.randint(0, 200)])
    for _ in range(10):
        for number in dice.sample(range(workers), workers):
            share = divide(free, held[number], held[:number] + held[number + 1 :])
            change = min(share.room, free) - share.excess
            held[number], free = held[number] + change, free - change
    most = min(MAX_ACTIVE_HOSTS, -(-(sum(held) + free) // workers))
    assert max(held) <= max(most, 1)
    assert min(held) >= min(most - 1, MAX_ACTIVE_HOSTS)
    assert free == 0 or min(held) == MAX_ACTIVE_HOSTS
