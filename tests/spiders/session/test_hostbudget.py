"""The budgets of one host: its pages, its bytes and its time in a run, over all its leases."""

from collections.abc import Iterator

import pytest

from schemas.config.settings import Settings
from tests.spiders.crawling import crawl_urls
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


@pytest.mark.parametrize(
    ("budget", "value", "least", "most"),
    [("max_pages_per_host", 7, 7, 7), ("max_bytes_per_host", 7 * PAGE_BYTES - 1, 7, 7), ("max_minutes_per_host", 1.5 / 60, 2, 8)],
)
def test_the_rest_of_a_host_is_left_over(
    budget: str, value: float, least: int, most: int, server: SmallServer, sqlite_settings: Settings
) -> None:
    urls = [f"{server.base}/page-{number}" for number in range(PAGES)]
    crawled = crawl_urls(sqlite_settings, urls, f"{LISTED}budgets: {{{budget}: {value}}}", politeness="delay: 0.2")
    counts = crawled.manifest.counts
    assert least <= counts.fetched <= most
    assert (counts.due, counts.left_over) == (PAGES, PAGES - counts.fetched)
    (host,) = crawled.manifest.statistics.hosts.values()
    assert host.stopped == budget
