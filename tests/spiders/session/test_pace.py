"""A host's pace: delays, back-off, and what a server's own record says of a worker's pace."""

import itertools
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from schemas.capture import Capture
from schemas.config.settings import Settings
from spiders.session.pace import MAX_BACK_OFF_SECONDS, MAX_CONSECUTIVE_BUSY, MAX_SLOWNESS, HostPace
from spiders.session.url_results import retry_after
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import Headers, SmallServer, small_server

PAGE = b"<!DOCTYPE html><title>t</title><p>text"
CLOCK_SECONDS = 0.005


def test_the_longer_delay_holds() -> None:
    pace = HostPace(2.0, 5.0, 100.0)
    assert pace.next_turn == 105.0
    pace.slow_down(1.0)
    assert pace.delay == 2.0
    pace.slow_down(7.0)
    pace.request_started(105.0)
    pace.request_ended(106.0, 1.0)
    assert pace.next_turn == 113.0


def test_a_slow_host_is_left_alone_as_long_as_it_needed() -> None:
    pace = HostPace(1.0, 0.0, 0.0)
    pace.request_ended(10.0, 4.0)
    assert pace.next_turn == 14.0
    pace.request_ended(20.0, 1_000.0)
    assert pace.next_turn == 20.0 + MAX_SLOWNESS


def test_back_off_grows_while_a_host_is_busy() -> None:
    pace = HostPace(0.0, 0.0, 0.0)
    waits = []
    for number in range(MAX_CONSECUTIVE_BUSY):
        assert not pace.is_too_busy()
        now = 1_000.0 * (number + 1)
        pace.response_received(now, 503, 0.0)
        waits.append(pace.next_turn - now)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
    assert pace.is_too_busy()
    pace.response_received(20_000.0, 200, 0.0)
    assert not pace.is_too_busy()


def test_what_a_host_asks_for_holds() -> None:
    pace = HostPace(0.0, 0.0, 0.0)
    pace.response_received(10.0, 429, 60.0)
    assert pace.next_turn == 70.0
    assert not pace.is_too_busy()
    pace.response_received(100.0, 503, MAX_BACK_OFF_SECONDS + 1)
    assert pace.is_too_busy()


def gaps(server: SmallServer) -> list[float]:
    """Seconds from the end of each answer to the next request, robots.txt and all."""
    asked = sorted(server.asked, key=lambda one: one.begin)
    return [later.begin - earlier.end for earlier, later in itertools.pairwise(asked)]


def test_crawl_delay_holds_between_answer_and_request(sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        if path == "/robots.txt":
            return 200, {"Content-Type": "text/plain"}, b"User-agent: *\nCrawl-delay: 0.6\n"
        return 404 if "." in path else 200, {}, PAGE

    with small_server(respond) as server:
        crawled = crawl_urls(sqlite_settings, [f"{server.base}/p-{n}" for n in range(5)], politeness="delay: 0.1")
        assert crawled.manifest.counts.fetched == 5
        assert min(gaps(server)) >= 0.6 - CLOCK_SECONDS


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_whole_host_waits_for_retry_after(form: str, sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        if path != "/busy" or times:
            return 404 if "." in path else 200, {}, PAGE
        until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)  # a date has whole seconds: at least two
        return 503 if form == "seconds" else 429, {"Retry-After": "2" if form == "seconds" else format_datetime(until, usegmt=True)}, b""

    with small_server(respond) as server:
        urls = [f"{server.base}/{name}" for name in ("busy", "one-1", "two-2")]
        crawled = crawl_urls(sqlite_settings, urls)
        assert set(crawled.outcomes.values()) == {"fetched"}
        asked = sorted(server.asked, key=lambda one: one.begin)
        first = next(place for place, one in enumerate(asked) if one.path == "/busy")
        assert asked[first + 1].begin - asked[first].end >= 2.0 - CLOCK_SECONDS
        assert server.paths().count("/busy") == 2


@pytest.mark.parametrize("text", ["\xb2", "-5", "1.5", "soon", "Fri, 31 Dec 99999999999 23:59:59 GMT", "Fri, 99 Foo 2020 99:99:99 GMT", ""])
def test_a_retry_after_that_is_none_asks_for_nothing(text: str) -> None:
    assert retry_after(busy(text), 0.0) == 0.0


@pytest.mark.parametrize("text", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_nobody_is_left_alone_for_longer_than_a_day(text: str) -> None:
    assert retry_after(busy(text), 0.0) == 24 * 3600


def busy(asked: str) -> Capture:
    return Capture("http://a.example/", datetime.now(UTC), 503, "", "HTTP/1.1", (), ((b"Retry-After", asked.encode("latin-1")),), b"")


def test_a_busy_answer_about_the_whole_host_is_heeded_too(sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        if path == "/.well-known/tdmrep.json":
            return 503, {"Retry-After": "2"}, b""
        return 404 if "." in path else 200, {}, PAGE

    with small_server(respond) as server:
        crawl_urls(sqlite_settings, [server.base + "/page"])
        assert server.paths() == ["/robots.txt", "/.well-known/tdmrep.json", "/page"]
        assert gaps(server)[1] >= 2.0 - CLOCK_SECONDS


def test_a_host_that_is_busy_for_long_is_left_for_another_run(sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        return (404, {}, b"") if "." in path else (503, {"Retry-After": "4000"}, b"")

    with small_server(respond) as server:
        crawled = crawl_urls(sqlite_settings, [f"{server.base}/p-{n}" for n in range(5)])
        assert len([path for path in server.paths() if "." not in path]) == 1
    assert crawled.manifest.counts.failed == 1
    assert crawled.manifest.counts.left_over == 4


def test_back_off_goes_on_with_the_next_owner() -> None:
    taken_over = HostPace(1.0, 1.0, 0.0, busy=4)  # its owner crashed: it waits as long as after the fourth busy response
    assert taken_over.next_turn == 8.0
    handed_over = HostPace(1.0, 0.0, 0.0, busy=MAX_CONSECUTIVE_BUSY - 1)  # the time until its turn passed before the lease
    assert handed_over.next_turn == 0.0
    handed_over.response_received(0.0, 503, 0.0)
    assert handed_over.is_too_busy()
