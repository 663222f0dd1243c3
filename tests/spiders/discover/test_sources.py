"""A source is credited with what the frontier did not know, whichever worker or run comes by."""

import pytest
from sqlalchemy import select

from schemas.config.settings import Settings
from spiders.schedule.state import RevisitState
from storage.database.engine import open_database
from storage.database.frontier_tables import URLS
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import small_server

pytestmark = pytest.mark.servers_in_chaos

ALWAYS = "revisit: {feeds_max: 0, sitemaps_max: 0, hubs_max: 0, articles_min: 0, articles_max: 0}"


def new_items(settings: Settings) -> float:
    """The new things that all sources together are credited with."""
    database = open_database(settings.database_url("frontier"))
    with database.read() as connection:
        states = [RevisitState.from_text(text) for text in connection.scalars(select(URLS.c.revisit).where(URLS.c.revisit.is_not(None)))]
    database.close()
    return sum(state.items for state in states if state.source)


def test_two_hubs_with_the_same_news_share_one_credit(settings: Settings) -> None:
    articles = 5

    def respond(path: str, times: int) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/story") or path in {"/robots.txt", "/.well-known/tdmrep.json"}:
            return (200 if path.startswith("/story") else 404), {}, b"<p>A story."
        stories = "".join(f"<a href='/story-about-some-thing-{number}'>x</a>" for number in range(articles))
        return 200, {}, f"<p>{path}<a href='/one'>1</a><a href='/two'>2</a>{stories}".encode()

    with small_server(respond) as server:
        crawl_urls(settings, [server.base + "/"], ALWAYS)
        crawl_urls(settings, [server.base + "/"], ALWAYS)
        guessed = new_items(settings)  # of the first visits, whose links are a backlog
        articles += 1
        crawl_urls(settings, [server.base + "/"], ALWAYS)
        assert round(new_items(settings) - guessed, 2) == 1
