"""How long robots.txt is believed, and how often a site is asked for it, by a worker's process."""

import time
from itertools import pairwise

from schemas.config.settings import Settings
from spiders.permission.robots import robots_from_response
from storage.frontier.frontier import open_frontier
from storage.frontier.robots_cache import CachedRobots
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import Headers, small_server

PAGE = b"<!doctype html><title>A page</title><p>A page."
LIFE_SECONDS = 5.0  # longer than a worker needs to start


def remember(settings: Settings, robots: CachedRobots) -> None:
    frontier = open_frontier(settings)
    frontier.cache_robots(robots)
    frontier.close()


def test_rules_that_are_too_old_are_read_again_while_the_host_is_served(sqlite_settings: Settings) -> None:
    """The second page is judged while the first is under way, the third when the remembered file has run out."""
    until = time.time() + LIFE_SECONDS

    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        time.sleep(max(until + 0.1 - time.time(), 0))
        return (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /") if path == "/robots.txt" else (200, {}, PAGE)

    with small_server(respond) as server:
        remember(sqlite_settings, CachedRobots(server.base, 200, b"", until))
        urls = [f"{server.base}/p-{number}" for number in range(4)]
        crawled = crawl_urls(sqlite_settings, urls, politeness="delay: 0, opt_outs: record")
        assert sorted(crawled.outcomes.values()) == ["denied:robots", "denied:robots", "fetched", "fetched"]
        assert server.paths().count("/robots.txt") == 1


def test_a_robots_file_that_is_not_to_be_had_now_is_asked_for_again_in_the_run(sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        if path != "/robots.txt":
            return 200, {}, PAGE
        return (200, {"Content-Type": "text/plain"}, b"User-agent: *\nDisallow: /b") if times > 1 else (429, {"Retry-After": "2"}, b"")

    with small_server(respond) as server:
        remember(sqlite_settings, robots_from_response(server.base, 429, b"", None))  # what another was told is no answer to us
        crawled = crawl_urls(sqlite_settings, [server.base + "/a", server.base + "/b"], politeness="delay: 0, opt_outs: record")
        assert crawled.outcomes == {server.base + "/a": "fetched", server.base + "/b": "denied:robots"}
        assert server.paths() == ["/robots.txt"] * 3 + ["/a"]
        asked = sorted(server.asked, key=lambda one: one.begin)
        assert min(later.begin - sooner.end for sooner, later in pairwise(asked[:3])) >= 1.95


def test_a_host_too_busy_for_its_robots_file_is_left_for_another_run(sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        if path == "/robots.txt":
            return 429, {"Retry-After": "301"}, b""
        return 200, {}, PAGE

    with small_server(respond) as server:
        urls = [f"{server.base}/p-{number}" for number in range(3)]
        first = crawl_urls(sqlite_settings, urls)
        assert server.paths() == ["/robots.txt"]
        assert first.manifest.counts.left_over == first.manifest.counts.due == 3
        assert first.manifest.reasons == {}
