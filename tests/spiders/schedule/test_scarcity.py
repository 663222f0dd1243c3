"""A run with few pages fetches what is new before it visits known articles again, and says what it leaves."""

import logging

import pytest

from schemas.config.settings import Settings
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import small_server

pytestmark = pytest.mark.servers_in_chaos

ALWAYS_DUE = "revisit: {feeds_max: 0, sitemaps_max: 0, hubs_max: 0, articles_min: 0, articles_max: 0}"


@pytest.mark.chaos
def test_new_stories_go_before_known_ones(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    stories = list(range(6))
    left: list[dict[str, int]] = []

    def respond(path: str, times: int) -> tuple[int, dict[str, str], bytes]:
        if path == "/":
            return 200, {}, "".join(f"<a href='/story-about-some-thing-{number}'>x</a>" for number in stories).encode()
        return (200, {}, f"<p>{path}, version {times}.".encode()) if path.startswith("/story") else (404, {}, b"")

    with small_server(respond) as server:

        def crawl(pages: int) -> list[int | str]:
            """The stories and the front page in the order in which they were asked for."""
            before = len(server.asked)
            caplog.clear()
            with caplog.at_level(logging.WARNING, "spiders.run"):
                crawled = crawl_urls(settings, [server.base + "/"], f"{ALWAYS_DUE}\nbudgets: {{max_pages: {pages}}}")
            left.append(crawled.manifest.statistics.not_covered)
            asked = [path for path in server.paths()[before:] if path == "/" or path.startswith("/story")]
            return [int(path.rpartition("-")[2]) if "-" in path else path for path in asked]

        assert set(crawl(100)) == {"/", 0, 1, 2, 3, 4, 5}
        stories += [6, 7, 8]
        assert set(crawl(4)) == {"/", 6, 7, 8}
        assert "left for a later run: 4 known articles" in caplog.text
        assert left == [{}, {"revisits": 4}], "the statistics of a closed run say it too"
        stories += [9, 10]
        found = crawl(20)
        assert "left for" not in caplog.text
        assert set(found) == {"/", *range(11)}
        assert {*found[:3]} == {"/", 9, 10}
        stories += [11]
        rounds = [crawl(4) for _ in range(6)]
        assert rounds[0][:2] == ["/", 11]
        assert {story for one in rounds for story in one} == {"/", *range(12)}, "what waits longest is visited first"
