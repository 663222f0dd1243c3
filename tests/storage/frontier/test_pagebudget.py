"""The page budget of a run: never more pages than it allows, also if workers die that have reserved some."""

from collections.abc import Iterator

import pytest

from schemas.config.settings import Settings
from schemas.errors import FencedError
from schemas.outcomes import FetchOutcome
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.leasing import LEASE_SECONDS
from storage.frontier.records import Discovery, FetchResult, Lease
from tests.storage.frontier.test_frontier import Clock, plan

LIMIT = 20


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def frontier(settings: Settings, clock: Clock) -> Iterator[Frontier]:
    opened = open_frontier(settings, clock)
    yield opened
    opened.close()


def begin(frontier: Frontier) -> tuple[str, Lease]:
    run = plan(frontier, "k")
    frontier.join(run, "a")
    frontier.join(run, "b")
    frontier.add(run, "news", [Discovery(f"https://a.example/{number}") for number in range(50)])
    (lease,) = frontier.lease_hosts(run, "a", 1, 1)
    return run, lease


def marks(frontier: Frontier, run: str, lease: Lease, count: int) -> list[FetchResult]:
    return [FetchResult(due.url_id, due.host_id, FetchOutcome.FETCHED) for due in frontier.due_urls(run, lease, count)]


def take(frontier: Frontier, run: str, worker: str, number: int = 1) -> int:
    """Reserve all pages that are left."""
    taken = 0
    while granted := frontier.reserve_pages(run, worker, number, LIMIT).granted:
        taken += granted
    return taken


def test_no_more_pages_are_reserved_than_the_budget(frontier: Frontier) -> None:
    run, lease = begin(frontier)
    first = frontier.reserve_pages(run, "a", 1, LIMIT).granted
    assert 0 < first < LIMIT
    assert take(frontier, run, "b") == LIMIT - first
    frontier.register(run, "a", [lease], marks(frontier, run, lease, first))
    grant = frontier.reserve_pages(run, "a", 1, LIMIT)
    assert (grant.granted, grant.pages) == (0, first)
    frontier.release_pages(run, "b", 1, 3)
    assert take(frontier, run, "a") == 3


def test_pages_of_a_dead_worker_are_released_when_it_starts_again(frontier: Frontier) -> None:
    run, lease = begin(frontier)
    assert take(frontier, run, "a") == LIMIT
    number, held = frontier.join(run, "a")
    frontier.register(run, "a", held, marks(frontier, run, lease, 5))  # its spool, repaired
    frontier.release_pages(run, "a", number)
    assert take(frontier, run, "a", number) == LIMIT - 5
    with pytest.raises(FencedError):
        frontier.reserve_pages(run, "a", 1, LIMIT)


def test_pages_of_a_silent_worker_are_taken_away_and_it_is_fenced(frontier: Frontier, clock: Clock) -> None:
    run, lease = begin(frontier)
    assert take(frontier, run, "a") == LIMIT
    clock.now += LEASE_SECONDS - 1
    assert take(frontier, run, "b") == 0
    clock.now += 2
    assert take(frontier, run, "b") == LIMIT
    with pytest.raises(FencedError):
        frontier.register(run, "a", [lease], marks(frontier, run, lease, 1))
    assert frontier.reserve_pages(run, "b", 1, LIMIT).pages == 0


def test_the_counts_of_workers_are_added(frontier: Frontier) -> None:
    run, _ = begin(frontier)
    frontier.report(run, "a", 3, 1000, 1)
    frontier.report(run, "b", 2, 500, 0)
    frontier.report(run, "a", 1, 1, 1)
    state = frontier.state(run)
    assert (state.responses, state.received, state.errors, state.pages) == (6, 1501, 2, 0)
