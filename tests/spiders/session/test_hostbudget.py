"""The budgets of one host: its pages, its bytes and its time in a run, over all its leases."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.manifest import Manifest
from spiders.run import close, fetch, plan
from storage.database.engine import open_database
from storage.database.frontier_tables import RUN_HOSTS
from tests.spiders.crawling import LOOPBACK, crawl_urls
from tests.spiders.smallserver import Headers, SmallServer, small_server

PAGES = 20
PAGE_BYTES = 10_000
LISTED = "scope: {sitemaps: false, follow_links: false}\n"


@pytest.fixture
def server() -> Iterator[SmallServer]:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        return (404, {}, b"") if "." in path else (200, {}, b"x" * PAGE_BYTES)

    with small_server(respond) as running:
        yield running


@pytest.mark.parametrize(("budget", "value"), [("max_pages_per_host", 7), ("max_bytes_per_host", 7 * PAGE_BYTES - 1)])
def test_the_rest_of_a_host_is_left_over(budget: str, value: float, server: SmallServer, sqlite_settings: Settings) -> None:
    urls = [f"{server.base}/page-{number}" for number in range(PAGES)]
    crawled = crawl_urls(sqlite_settings, urls, f"{LISTED}budgets: {{{budget}: {value}}}", politeness="delay: 0.05")
    check(crawled.manifest, 7, budget)


@pytest.mark.parametrize(("minutes", "fetched", "stopped"), [(59, 0, "max_minutes_per_host"), (70, PAGES, None)])
def test_the_time_of_a_host_counts_from_its_first_lease(
    minutes: int, fetched: int, stopped: str | None, server: SmallServer, sqlite_settings: Settings
) -> None:
    """The host was first leased an hour ago, by a worker that is gone."""
    urls = [f"{server.base}/page-{number}" for number in range(PAGES)]
    polite = f"politeness: {{delay: 0}}\n{LOOPBACK}\nbudgets: {{max_minutes_per_host: {minutes}}}\n"
    run = plan(parse_crawl(f"seeds: {urls}\n{LISTED}{polite}", "test"), "k", sqlite_settings).crawl_run
    database = open_database(sqlite_settings.database_url("frontier"))
    with database.write() as connection:
        connection.execute(update(RUN_HOSTS).values(begun_at=time.time() - 60 * 60))
    database.close()
    fetch(run, "w0", sqlite_settings)
    check(close(run, sqlite_settings), fetched, stopped)


def check(manifest: Manifest, fetched: int, stopped: str | None) -> None:
    counts = manifest.counts
    assert (counts.due, counts.fetched, counts.left_over) == (PAGES, fetched, PAGES - fetched)
    (host,) = manifest.statistics.hosts.values()
    assert host.stopped == stopped
