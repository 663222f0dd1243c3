"""Which URLs a run takes if its budgets do not cover all due URLs."""

import os
import signal
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, event, literal, update

from schemas.config.crawl import Budgets, Crawl, Politeness, Revisit, Seed
from schemas.config.settings import Settings
from schemas.manifest import Manifest
from schemas.outcomes import FetchOutcome
from schemas.runs import CrawlRun
from storage.database import chunks
from storage.database.engine import open_database
from storage.database.frontier_tables import URLS
from storage.frontier import planning
from storage.frontier.due_plan import count_due_urls, fitting_revisits, host_pages
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.records import BudgetShortfall, Discovery, DueUrl, EarlierCapture, FetchResult
from tests.forks import fork_context

START = 1_700_000_000.0
KNOWN = [f"https://{host}.example/known-{number}" for host in "ab" for number in range(5)]
HUBS = ["https://a.example/", "https://b.example/"]
SEEDS = (Seed(url=HUBS[0]),)


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


def plan(frontier: Frontier, key: str, budgets: Budgets, new: list[str], wanted: list[str] | None = None, crawl: str = "news") -> CrawlRun:
    configured = Crawl(name=crawl, budgets=budgets, politeness=Politeness(delay=0), revisit=Revisit(price=1), seeds=SEEDS)
    run = CrawlRun(f"{crawl}-{key}", configured, key, datetime.fromtimestamp(frontier.now(), UTC), "1", "hash")
    return frontier.plan(run, [Discovery(url, priority=20) for url in new], [Discovery(url, priority=0) for url in wanted or ()])


def waiting(frontier: Frontier, run: CrawlRun) -> list[DueUrl]:
    """The URLs of a run, by host, in the order in which they would be fetched."""
    number, _ = frontier.join(run.crawl_run, "w")
    leases = sorted(frontier.lease_hosts(run.crawl_run, "w", number, 10), key=lambda lease: lease.host)
    found = [due for lease in leases for due in frontier.due_urls(run.crawl_run, lease, 100)]
    frontier.release(dict.fromkeys(leases, 0.0))
    return found


def fetch_known(frontier: Frontier, clock: Clock) -> None:
    """A first run fetches two hubs and ten articles. All are due again at once, the later ones first."""
    run = plan(frontier, "first", Budgets(), [*HUBS, *KNOWN])
    number, _ = frontier.join(run.crawl_run, "w")
    leases = frontier.lease_hosts(run.crawl_run, "w", number, 10)
    urls = [due for lease in leases for due in frontier.due_urls(run.crawl_run, lease, 100)]
    capture = EarlierCapture("a.warc.gz", 0, "sha1:A", START)
    marks = [
        FetchResult(due.url_id, due.host_id, FetchOutcome.FETCHED, fetched_at=START, due_at=START + 100 - due.url_id, earlier=capture)
        for due in urls
    ]
    marks = [replace(mark, revisit="[1, 1]" if due.url in HUBS else "[0, 1]") for mark, due in zip(marks, urls, strict=True)]
    frontier.register(run.crawl_run, "w", leases, marks)
    frontier.release(dict.fromkeys(leases, 0.0))
    close(frontier, run)
    clock.now += 1000


def close(frontier: Frontier, run: CrawlRun) -> None:
    counts, reasons = frontier.begin_close(run.crawl_run)
    manifest = Manifest(
        crawl_run=run.crawl_run,
        crawl=run.crawl.name,
        code_version="1",
        config_hash="hash",
        planned_at=run.planned_at,
        closed_at=run.planned_at,
        finish_reason="finished",
        counts=counts,
        reasons=reasons,
        segments=(),
    )
    frontier.finish_close(run.crawl_run, manifest)


def names(urls: list[DueUrl]) -> list[str]:
    return [due.url.removeprefix("https://") for due in urls]


def test_known_articles_take_what_new_pages_and_sources_leave_of_the_budget(frontier: Frontier, clock: Clock) -> None:
    """Of 9 pages, 2 are for new pages, 2 for hubs and 2 for what these should bring. The 3 known articles that waited longest fit."""
    fetch_known(frontier, clock)
    run = plan(frontier, "second", Budgets(max_pages=9), ["https://a.example/new", "https://b.example/new"])
    urls = names(waiting(frontier, run))
    assert sum("known" in url for url in urls) == 3
    assert frontier.budget_shortfall(run.crawl_run) == BudgetShortfall(new=0, sources=0, revisits=7)
    for host in "ab":
        mine = [url for url in urls if url.startswith(host)]
        assert mine == sorted(mine, key=lambda url: "known" in url), "known articles come last"


def test_if_new_pages_alone_are_too_many_the_plan_says_so(frontier: Frontier, clock: Clock) -> None:
    fetch_known(frontier, clock)
    run = plan(frontier, "second", Budgets(max_pages=5), [f"https://a.example/new-{number}" for number in range(8)])
    assert not any("known" in url for url in names(waiting(frontier, run)))
    assert frontier.budget_shortfall(run.crawl_run) == BudgetShortfall(new=5, sources=0, revisits=10)


def test_the_budget_of_a_host_counts_as_well(frontier: Frontier, clock: Clock) -> None:
    """Of 4 pages of a host, 1 is for the hub and 1 for the page that it should bring; on the other host, 1 more is for a new page."""
    fetch_known(frontier, clock)
    run = plan(frontier, "second", Budgets(max_pages_per_host=4), ["https://b.example/new"])
    known = [url for url in names(waiting(frontier, run)) if "known" in url]
    assert [sum(url.startswith(host) for url in known) for host in "ab"] == [2, 1]
    assert frontier.budget_shortfall(run.crawl_run) == BudgetShortfall(new=0, sources=0, revisits=7)


def test_what_a_person_wants_now_is_not_deferred(frontier: Frontier, clock: Clock) -> None:
    fetch_known(frontier, clock)
    run = plan(frontier, "second", Budgets(max_pages=2), ["https://a.example/new"], [KNOWN[3]])
    urls = names(waiting(frontier, run))
    assert [url for url in urls if "known" in url] == ["a.example/known-3"]
    assert urls.index("a.example/known-3") < urls.index("a.example/new")


@pytest.mark.parametrize("budgets", [Budgets(), Budgets(max_pages=12, max_pages_per_host=6)])
def test_if_the_budget_is_enough_all_due_urls_are_taken(frontier: Frontier, clock: Clock, budgets: Budgets) -> None:
    """If all due URLs fit, no pages are reserved for what the hubs should bring."""
    fetch_known(frontier, clock)
    run = plan(frontier, "second", budgets, [])
    assert len(waiting(frontier, run)) == 12
    assert frontier.budget_shortfall(run.crawl_run) == BudgetShortfall(0, 0, 0)


def test_a_delay_bounds_what_a_host_can_give() -> None:
    crawl = Crawl(name="news", budgets=Budgets(max_minutes_per_host=10), politeness=Politeness(delay=2), seeds=SEEDS)
    assert host_pages(crawl, 0) == 300
    assert host_pages(crawl, 60) == 10
    assert host_pages(crawl.model_copy(update={"politeness": Politeness(delay=0)}), 0) == crawl.budgets.max_pages_per_host


@pytest.mark.servers_in_chaos
def test_interrupted_planning_takes_no_more_known_articles_when_it_is_continued(
    frontier: Frontier, settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_known(frontier, clock)
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    monkeypatch.setattr(planning, "GIVEN_ROWS", 2)
    new = ["https://a.example/new", "https://b.example/new"]
    deaths = 0
    while died(settings, clock, deaths + 1, new):
        deaths += 1
    assert deaths >= 5, "between chunks of what is due, and of the known articles among it"
    run = plan(frontier, "second", Budgets(max_pages=9), new)
    assert sum("known" in url for url in names(waiting(frontier, run))) == 3
    assert frontier.budget_shortfall(run.crawl_run) == BudgetShortfall(new=0, sources=0, revisits=7)


def died(settings: Settings, clock: Clock, number: int, new: list[str]) -> bool:
    """Plan the second run in a process that is killed at its first, second, ... point between chunks; False if it has no such point."""
    process = fork_context().Process(target=_dying, args=(settings, clock, number, new))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def _dying(settings: Settings, clock: Clock, number: int, new: list[str]) -> None:
    os.environ["CRAWLHOUSE_FAILPOINT"] = f"between-chunks:{number}"
    chunks.CHUNK_ROWS = planning.GIVEN_ROWS = 2
    plan(open_frontier(settings, clock), "second", Budgets(max_pages=9), new)


@pytest.mark.parametrize("max_pages", [100_000, 700])
def test_planning_costs_the_same_for_each_due_url_however_many_are_due(
    settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch, max_pages: int
) -> None:
    """Four times the due URLs, in four times the chunks, cost SQLite about four times the steps; scans in each chunk would cost sixteen."""
    if "postgresql" in str(settings.database):
        pytest.skip("steps are counted by SQLite")
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 20)
    monkeypatch.setattr(chunks, "PAUSE_SECONDS", 0.0)
    few, many = (steps_of_planning(settings, clock, name, rows, max_pages) for name, rows in (("few", 500), ("many", 2000)))
    assert many < 6 * few


def steps_of_planning(settings: Settings, clock: Clock, crawl: str, rows: int, max_pages: int) -> int:
    """How many hundred steps SQLite needs to plan a run with so many due known articles and a quarter as many new pages."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    def watch(connection: Any, record: object) -> None:  # Any: SQLite's connection
        connection.set_progress_handler(count, 100)

    known = [f"https://{crawl}.example/known-{number}" for number in range(rows)]
    new = [f"https://{crawl}.example/new-{number}" for number in range(rows // 4)]
    frontier = open_frontier(settings, clock)
    close(frontier, plan(frontier, "first", Budgets(), known, crawl=crawl))
    frontier.close()
    with open_database(settings.database_url("frontier")).write() as connection:
        values = {"captured_at": START, "revisit": "[0, 1]", "due_at": START - literal(1.0) * URLS.c.url_id}
        connection.execute(update(URLS).where(URLS.c.crawl == crawl).values(values))
    clock.now += 1000
    event.listen(Engine, "connect", watch)
    try:
        frontier = open_frontier(settings, clock)
        plan(frontier, "second", Budgets(max_pages=max_pages), new, crawl=crawl)
        frontier.close()
    finally:
        event.remove(Engine, "connect", watch)
    return steps


MANY = 20_000
MANY_HOSTS = f"""
INSERT INTO hosts (host) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY}) SELECT i || '.example' FROM n
"""
MANY_ARTICLES = """
INSERT INTO urls (digest, crawl, host_id, priority, url, kind, depth, redirects, first_seen, due_at, captured_at, revisit)
SELECT randomblob(16), 'news', host_id, 0, host || '/known', 'page', 0, 0, 0, 1, 1, '[0, 1]' FROM hosts
"""


@pytest.mark.parametrize(("max_pages", "chosen"), [(MANY, MANY), (MANY - 1, MANY - 1)])
def test_what_planning_remembers_does_not_grow_with_the_hosts(sqlite_settings: Settings, max_pages: int, chosen: int) -> None:
    """It adds up the hosts, and has 8 bytes of a chosen article: with a dictionary of the hosts it were several times as much."""
    open_frontier(sqlite_settings).close()
    crawl = Crawl(name="news", budgets=Budgets(max_pages=max_pages), politeness=Politeness(delay=0), seeds=SEEDS)
    database = open_database(sqlite_settings.database_url("frontier"))
    with database.write() as connection:
        for statement in (MANY_HOSTS, MANY_ARTICLES):
            connection.exec_driver_sql(statement)
    with database.read() as connection:
        count_due_urls(connection, crawl, 1, 0.0)  # what SQLAlchemy remembers of a statement is not counted
        tracemalloc.start()
        try:
            counts = count_due_urls(connection, crawl, 1, START)
            ids = fitting_revisits(connection, crawl, counts, START)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    database.close()
    assert (counts.due, counts.all_fit(), len(ids)) == (MANY, max_pages == MANY, chosen)
    assert most < 2_000_000
