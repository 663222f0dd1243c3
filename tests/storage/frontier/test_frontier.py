"""The frontier: each URL once, one owner for each host, and a transaction that registers all or nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import pytest
from sqlalchemy import Engine, event, select

from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.errors import ConflictError, FencedError
from schemas.manifest import Manifest, Segment
from schemas.outcomes import FetchOutcome, Reason
from schemas.page import Hints
from schemas.runs import CrawlRun
from storage.database.engine import open_database
from storage.database.frontier_tables import HINTS
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.leasing import LEASE_SECONDS
from storage.frontier.records import Discovery, DueUrl, FetchResult, HostProgress, Lease, RunPhase
from storage.ledger.ledger import open_ledger

CRAWL = Crawl(name="news", seeds=(Seed(url="https://a.example/"),))
START = 1_700_000_000.0
_numbers = count()


class Clock:
    def __init__(self) -> None:
        self.now = START

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
    run = CrawlRun(f"news-{key}-{next(_numbers)}", CRAWL, key, datetime.now(UTC), "1", "hash")
    return frontier.plan(run, [Discovery(url) for url in urls]).crawl_run


def one_lease(frontier: Frontier, run: str, worker: str = "w") -> Lease:
    number, _ = frontier.join(run, worker)
    (lease,) = frontier.lease_hosts(run, worker, number, 10)
    return lease


def fetched(due: DueUrl, due_at: float | None = None) -> FetchResult:
    return FetchResult(due.url_id, due.host_id, FetchOutcome.FETCHED, status=200, fetched_at=START, due_at=due_at, etag='"1"')


def segment(name: str) -> Segment:
    return Segment(segment=name, warc_key=f"warc/{name}", index_key=f"index/{name}", size=100, digest="sha256:0", records=2)


def manifest(frontier: Frontier, run: str) -> Manifest:
    counts, reasons = frontier.begin_close(run)
    moment = datetime.now(UTC)
    return Manifest(
        crawl_run=run,
        crawl="news",
        code_version="1",
        config_hash="h",
        planned_at=moment,
        closed_at=moment,
        finish_reason="finished",
        counts=counts,
        reasons=reasons,
        segments=(),
    )


def test_a_run_from_plan_to_close(frontier: Frontier, settings: Settings) -> None:
    run = plan(frontier, "k", "https://a.example/", "https://b.example:8443/")
    number, held = frontier.join(run, "w")
    assert held == []
    leases = frontier.lease_hosts(run, "w", number, 10)
    assert [lease.host for lease in leases] == ["a.example", "b.example:8443"]
    first = leases[0]
    assert (
        frontier.add(run, "news", [Discovery("https://a.example/1"), Discovery("https://a.example/1"), Discovery("https://a.example/")])
        == 1
    )
    due = frontier.due_urls(run, first, 10)
    assert [url.url for url in due] == ["https://a.example/", "https://a.example/1"]
    marks = [fetched(due[0], START + 60), FetchResult(due[1].url_id, due[1].host_id, FetchOutcome.DENIED, Reason.ROBOTS)]
    frontier.register(run, "w", leases, marks, segment("s1"))
    assert frontier.pending(run, [lease.host_id for lease in leases]) == {first.host_id: 0, leases[1].host_id: 1}
    with pytest.raises(ConflictError, match="still hold hosts"):
        frontier.begin_close(run)
    frontier.release(dict.fromkeys(leases, 0.0))
    closed = frontier.finish_close(run, manifest(frontier, run))
    assert closed.counts.model_dump() == {"due": 3, "fetched": 1, "denied": 1, "failed": 0, "filtered": 0, "left_over": 1}
    assert closed.counts.balanced()
    assert closed.reasons == {"denied:robots": 1}
    assert [found.segment for found in open_ledger(settings).segments(run)] == ["s1"]
    assert frontier.state(run).phase is RunPhase.CLOSED
    with pytest.raises(ConflictError, match="closed"):
        frontier.join(run, "w")


def test_planning_by_the_same_key_changes_nothing(frontier: Frontier) -> None:
    first = plan(frontier, "k", "https://a.example/")
    assert plan(frontier, "k", "https://other.example/") == first
    assert frontier.state(first).open_hosts == 1


def test_links_to_known_pages_are_only_looked_up(frontier: Frontier) -> None:
    """An INSERT that inserts nothing costs a server and a worker several look-ups, and most links of a site lead to known pages."""
    pages = [f"https://a.example/{number}" for number in range(3)]
    run, urls = plan(frontier, "1", *pages), [Discovery(url, depth=1, via=pages[0]) for url in pages]
    inserts: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        inserts.extend([statement] if statement.startswith("INSERT INTO urls") else [])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        assert frontier.add(run, "news", urls) == 0
        assert inserts == []
        assert frontier.add(run, "news", [*urls, Discovery("https://a.example/new")]) == 1
        assert len(inserts) == 1
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_next_run_takes_what_is_due_and_what_was_left_over(frontier: Frontier, clock: Clock) -> None:
    run = plan(frontier, "1", "https://a.example/", "https://a.example/late", "https://a.example/left", "https://a.example/gone")
    lease = one_lease(frontier, run)
    due = {url.url: url for url in frontier.due_urls(run, lease, 10)}
    marks = [
        fetched(due["https://a.example/"], START + 5),
        fetched(due["https://a.example/late"], START + 500),
        fetched(due["https://a.example/gone"], None),
    ]
    frontier.register(run, "w", [lease], marks)
    frontier.release({lease: 0.0})
    frontier.finish_close(run, manifest(frontier, run))
    clock.now += 10
    again = plan(frontier, "2")
    lease = one_lease(frontier, again)
    found = frontier.due_urls(again, lease, 10)
    assert [url.url for url in found] == ["https://a.example/", "https://a.example/left"]
    assert found[0].etag == '"1"'


def test_a_host_has_one_owner_over_all_crawls(frontier: Frontier) -> None:
    run = plan(frontier, "k", "https://a.example/")
    other = frontier.plan(
        CrawlRun("papers-1", CRAWL.model_copy(update={"name": "papers"}), "k", datetime.now(UTC), "1", "h"),
        [Discovery("https://a.example/")],
    ).crawl_run
    lease = one_lease(frontier, run)
    number, _ = frontier.join(other, "w2")
    assert frontier.lease_hosts(other, "w2", number, 10) == []
    frontier.release({lease: 0.0})
    (theirs,) = frontier.lease_hosts(other, "w2", number, 10)
    assert theirs.token > lease.token


def test_an_expired_lease_is_taken_over_and_its_former_owner_registers_nothing(
    frontier: Frontier, clock: Clock, settings: Settings
) -> None:
    run = plan(frontier, "k", "https://a.example/")
    zombie = one_lease(frontier, run, "zombie")
    (due,) = frontier.due_urls(run, zombie, 10)
    clock.now += LEASE_SECONDS + 1
    heir = one_lease(frontier, run, "heir")
    with pytest.raises(FencedError):
        frontier.register(run, "zombie", [zombie], [fetched(due)], segment("s-zombie"))
    with pytest.raises(FencedError):
        frontier.renew([zombie])
    assert open_ledger(settings).segments(run) == []
    frontier.register(run, "heir", [heir], [fetched(due)], segment("s-heir"))
    assert [found.segment for found in open_ledger(settings).segments(run)] == ["s-heir"]


def test_a_renewed_lease_stays(frontier: Frontier, clock: Clock) -> None:
    run = plan(frontier, "k", "https://a.example/")
    lease = one_lease(frontier, run)
    clock.now += LEASE_SECONDS - 1
    frontier.renew([lease])
    clock.now += LEASE_SECONDS - 1
    number, _ = frontier.join(run, "other")
    assert frontier.lease_hosts(run, "other", number, 10) == []


def test_a_worker_that_starts_again_fences_out_its_previous_attempt(frontier: Frontier) -> None:
    run = plan(frontier, "k", "https://a.example/")
    number, _ = frontier.join(run, "w")
    (lease,) = frontier.lease_hosts(run, "w", number, 10)
    frontier.set_delay(lease, 7.0)
    retried, held = frontier.join(run, "w")
    assert held == [Lease(lease.host_id, "a.example", lease.token + 1, 7.0)]  # the previous attempt may have fetched a moment ago
    with pytest.raises(FencedError):
        frontier.lease_hosts(run, "w", number, 10)
    with pytest.raises(FencedError):
        frontier.renew([lease])
    frontier.renew(held)
    assert frontier.lease_hosts(run, "w", retried, 10) == []


def test_a_url_has_at_most_one_result_per_run(frontier: Frontier) -> None:
    run = plan(frontier, "k", "https://a.example/", "https://a.example/2")
    lease = one_lease(frontier, run)
    first, second = frontier.due_urls(run, lease, 10)
    frontier.register(run, "w", [lease], [fetched(first)])
    with pytest.raises(FencedError):
        frontier.register(run, "w", [lease], [fetched(second), fetched(first)])
    assert frontier.pending(run, [lease.host_id]) == {lease.host_id: 1}


def test_a_batch_begins_where_the_last_one_ended(frontier: Frontier) -> None:
    run = plan(frontier, "k", *(f"https://a.example/{number}" for number in range(7)))
    lease = one_lease(frontier, run)
    urls: list[str] = []
    after = (-1, -1)
    while batch := frontier.due_urls(run, lease, 3, after):
        urls += [due.url for due in batch]
        after = (batch[-1].priority, batch[-1].url_id)
    assert sorted(urls) == sorted({f"https://a.example/{number}" for number in range(7)})


def test_the_progress_of_a_host_outlives_its_leases(frontier: Frontier, clock: Clock) -> None:
    run = plan(frontier, "a", "https://a.example/1", "https://a.example/2")
    lease = one_lease(frontier, run)
    began = clock()
    first, second = frontier.due_urls(run, lease, 10)
    frontier.register(run, "w", [lease], [replace(fetched(first), received=700)])
    frontier.release({lease: 0.0})
    clock.now += 100
    again = one_lease(frontier, run)
    frontier.register(run, "w", [again], [replace(fetched(second), received=70)])
    assert frontier.progress(run, again.host_id) == HostProgress(2, 770, began)


def test_the_phases_of_a_run(frontier: Frontier) -> None:
    run = plan(frontier, "k", "https://a.example/")
    assert frontier.state(run).phase is RunPhase.WORKING
    lease = one_lease(frontier, run)
    frontier.register(run, "w", [lease], [fetched(due) for due in frontier.due_urls(run, lease, 10)])
    assert frontier.state(run).phase is RunPhase.WORKING  # leased: its pages may still find more
    frontier.release({lease: 0.0})
    assert frontier.state(run).phase is RunPhase.DRAINED
    frontier.stop_run(run, "max_pages")
    frontier.stop_run(run, "later")
    assert (frontier.state(run).phase, frontier.state(run).stopping) == (RunPhase.STOPPING, "max_pages")


def test_a_stopped_host_is_left_over(frontier: Frontier) -> None:
    run = plan(frontier, "k", "https://a.example/", "https://b.example/")
    number, _ = frontier.join(run, "w")
    stopped, other = frontier.lease_hosts(run, "w", number, 10)
    frontier.stop_host(run, stopped.host_id, "max_pages_per_host")
    assert frontier.pending(run, [stopped.host_id, other.host_id]) == {stopped.host_id: 0, other.host_id: 1}
    frontier.release({stopped: 0.0, other: 0.0})
    assert [lease.host for lease in frontier.lease_hosts(run, "w", number, 10)] == ["b.example"]


def hint(modified_at: float) -> Discovery:
    return Discovery("https://a.example/1", via="https://a.example/map", hints=Hints(source="sitemap"), modified_at=modified_at)


def test_a_hinted_url_joins_the_run_once_and_is_due_again_when_left_over(frontier: Frontier, clock: Clock, settings: Settings) -> None:
    run = plan(frontier, "1", "https://a.example/1")
    lease = one_lease(frontier, run)
    (due,) = frontier.due_urls(run, lease, 10)
    frontier.register(run, "w", [lease], [replace(fetched(due, due_at=START + 10**6), revisit="[0, 1]")])
    clock.now += 60
    assert frontier.add_by_source(run, "news", [hint(clock.now)]).total() == 0
    assert frontier.pending(run, [lease.host_id]) == {lease.host_id: 0}  # fetched in this very run
    frontier.release({lease: 0.0})
    frontier.finish_close(run, manifest(frontier, run))

    second = plan(frontier, "2")
    frontier.add_by_source(second, "news", [hint(clock.now)], hints_after=3600)
    assert frontier.state(second).open_hosts == 0  # too soon after the last fetch
    for _ in range(2):
        frontier.add_by_source(second, "news", [hint(clock.now)])
    counts, _ = frontier.begin_close(second)
    assert (counts.due, counts.left_over) == (1, 1)
    frontier.finish_close(second, manifest(frontier, second))

    third = plan(frontier, "3")
    lease = one_lease(frontier, third)
    (due,) = frontier.due_urls(third, lease, 10)
    assert due.hinted_by == "sitemap"
    assert due.hint_trust["sitemap"].pending == 1
    frontier.register(third, "w", [lease], [replace(fetched(due, START + 10**6), hinted_by=due.hinted_by, changed=True)])
    with open_database(settings.database_url("frontier")).read() as connection:
        assert connection.execute(select(HINTS.c.confirmed, HINTS.c.refuted, HINTS.c.pending)).one() == (1, 0, 0)


def test_sources_and_hubs_come_with_the_primary_sources_of_their_host(frontier: Frontier, clock: Clock) -> None:
    hub, feed, story = (f"https://a.example/{name}" for name in ("", "feed.xml", "story-about-some-thing"))
    states = {hub: "[1, 1]", feed: "[1, 2]", story: "[0, 1]"}
    run = plan(frontier, "1", *states)
    lease = one_lease(frontier, run)
    new = frontier.due_urls(run, lease, 10)
    results = [replace(fetched(due, START), revisit=states[due.url], is_primary_source=due.url == feed) for due in new]
    frontier.register(run, "w", [lease], results)
    frontier.release({lease: 0.0})
    clock.now += 100
    later = plan(frontier, "2")
    known = frontier.due_urls(later, one_lease(frontier, later), 10)
    assert {due.url: due.other_primary_sources for due in known} == {hub: ("[1, 2]",), feed: (), story: ()}
    assert not any(due.other_primary_sources for due in new)
