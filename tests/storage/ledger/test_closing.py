"""A run that is being closed takes nothing more, so its counts and its manifest stay true."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from sqlalchemy import select, update

from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.errors import RunClosedError
from schemas.manifest import FetchCounts, Manifest, Segment
from schemas.outcomes import FetchOutcome
from schemas.runs import CrawlRun
from storage.database.engine import open_database
from storage.database.frontier_tables import URLS
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.leasing import LEASE_SECONDS
from storage.frontier.manifests import run_outcomes
from storage.frontier.records import Discovery, DueUrl, FetchResult, Lease
from storage.ledger.ledger import open_ledger

CRAWL = Crawl(name="news", seeds=(Seed(url="https://a.example/"),))
PAGES = 40


class Clock:
    now = 1_700_000_000.0

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


def plan(frontier: Frontier, key: str, *urls: str) -> str:
    run = CrawlRun(f"news-{key}", CRAWL, key, datetime.now(UTC), "1", "hash")
    return frontier.plan(run, [Discovery(url) for url in urls]).crawl_run


def lease_of(frontier: Frontier, run: str, worker: str = "w") -> Lease:
    number, _ = frontier.join(run, worker)
    return frontier.lease_hosts(run, worker, number, 1)[0]


def fetched(due: DueUrl) -> FetchResult:
    return FetchResult(due.url_id, due.host_id, FetchOutcome.FETCHED, status=200)


def segment(name: str) -> Segment:
    return Segment(segment=name, warc_key=f"warc/{name}", index_key=f"index/{name}", size=100, digest="sha256:0", records=1)


def manifest(run: str, counts: FetchCounts, segments: list[Segment]) -> Manifest:
    now = datetime.now(UTC)
    return Manifest(
        crawl_run=run, crawl="news", code_version="1", config_hash="h", planned_at=now, closed_at=now, finish_reason="finished",
        counts=counts, reasons={}, segments=tuple(segments),
    )  # fmt: skip


def waiting(settings: Settings) -> list[int]:
    """The runs in which URLs wait."""
    with open_database(settings.database_url("frontier")).read() as connection:
        return list(connection.scalars(select(URLS.c.run_no).where(URLS.c.run_no.is_not(None)).distinct()))


def test_a_run_that_begins_to_close_takes_nothing_more(frontier: Frontier, clock: Clock, settings: Settings) -> None:
    """A worker sleeps until its lease has ended. It wakes while the run is being closed, and again when it is closed."""
    run = plan(frontier, "k", "https://a.example/", "https://a.example/2")
    lease = lease_of(frontier, run)
    first, _ = frontier.due_urls(run, lease, 10)
    clock.now += LEASE_SECONDS + 1
    counts, _ = frontier.begin_close(run)
    ledger = open_ledger(settings)

    def refuses_all() -> None:
        for marks, found in (([fetched(first)], segment("s1")), ([], segment("s2")), ([], None)):
            with pytest.raises(RunClosedError, match="due in the next run"):
                frontier.register(run, "w", [lease], marks, found)
        with pytest.raises(RunClosedError):
            frontier.add(run, "news", [Discovery("https://a.example/new"), Discovery("https://b.example/")])
        with pytest.raises(RunClosedError):
            frontier.join(run, "w")
        assert ledger.segments(run) == []

    refuses_all()
    assert frontier.begin_close(run)[0] == counts
    frontier.finish_close(run, manifest(run, counts, ledger.segments(run)))
    refuses_all()
    assert waiting(settings) == []
    with pytest.raises(RunClosedError, match="closed already"):
        frontier.begin_close(run)

    again = plan(frontier, "next")
    assert frontier.state(again).open_hosts == 1
    assert {due.url for due in frontier.due_urls(again, lease_of(frontier, again), 10)} == {"https://a.example/", "https://a.example/2"}
    refuses_all()  # also now that others have its host and its URLs


def test_what_is_registered_while_a_run_begins_to_close_is_counted_and_listed(frontier: Frontier, clock: Clock, settings: Settings) -> None:
    """Workers with leases that look expired go on registering and finding URLs. Each is in manifest and counts, or is refused."""
    hosts = [f"https://host-{number}.example" for number in range(3)]
    run = plan(frontier, "k", *(f"{host}/{page}" for host in hosts for page in range(PAGES)))
    number, _ = frontier.join(run, "w")
    leases = frontier.lease_hosts(run, "w", number, len(hosts))
    clock.now += LEASE_SECONDS + 1
    began, refused = threading.Barrier(len(hosts) + 1), []

    def work(lease: Lease) -> None:
        mine = open_frontier(settings, Clock())  # its own clock stands still: it cannot tell that its lease has ended
        urls = mine.due_urls(run, lease, PAGES)
        began.wait()
        try:
            for number in count():
                mine.add(run, "news", [Discovery(f"https://{lease.host}/found/{number}")])
                mine.register(run, "w", [lease], [fetched(due) for due in urls[number : number + 1]], segment(f"s-{lease.host}-{number}"))
                time.sleep(0.005)  # SQLite gives its lock to whoever looks first
        except RunClosedError as error:
            refused.append(error)
        mine.close()

    threads = [threading.Thread(target=work, args=(lease,)) for lease in leases]
    for thread in threads:
        thread.start()
    began.wait()
    ledger = open_ledger(settings)
    while len(ledger.segments(run)) < len(hosts):
        pass
    counts, _ = frontier.begin_close(run)
    listed = ledger.segments(run)
    frontier.finish_close(run, manifest(run, counts, listed))
    for thread in threads:
        thread.join()
    assert counts.balanced()
    assert counts.fetched <= len(listed)
    assert ledger.segments(run) == listed
    assert run_outcomes(ledger.database, run, ())[0] == counts
    assert waiting(settings) == []
    assert len(refused) == len(hosts)


def test_the_first_manifest_stays_whoever_closes_at_the_same_time(frontier: Frontier, settings: Settings) -> None:
    run = plan(frontier, "k", "https://a.example/")
    counts, _ = frontier.begin_close(run)
    made = [manifest(run, counts, []) for _ in range(4)]
    began, kept = threading.Barrier(len(made)), []

    def finish(one: Manifest) -> None:
        mine = open_frontier(settings)
        began.wait()
        kept.append(mine.finish_close(run, one))
        mine.close()

    threads = [threading.Thread(target=finish, args=(one,)) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = open_ledger(settings)
    first = ledger.manifest(run)
    assert kept == [first] * len(made)
    assert ledger.manifest(run) is first  # it is not parsed again
    changed = first.model_copy(update={"reasons": {"timeout": 1}})
    ledger.replace_manifest(changed)
    assert ledger.manifest(run) == changed


def test_what_waits_in_a_closed_run_joins_the_next_one(frontier: Frontier, settings: Settings) -> None:
    """A close was interrupted before it released the left-over URLs, or an earlier release added a URL to a closed run."""
    run = plan(frontier, "k", "https://a.example/", "https://b.example/")
    counts, _ = frontier.begin_close(run)
    frontier.finish_close(run, manifest(run, counts, []))
    database = open_database(settings.database_url("frontier"))
    with database.write() as connection:
        connection.execute(update(URLS).values(run_no=1))
    assert frontier.state(plan(frontier, "next")).open_hosts == 2
    database.close()
