"""A source's word that a page was modified: followed within the run, counted when it lies, and not believed for long."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from schemas.config.settings import Settings
from storage.database.engine import open_database
from storage.database.frontier_tables import HINTS, URLS
from storage.frontier.hint_trust import FIRST_HINTS
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import SmallServer, small_server

pytestmark = pytest.mark.servers_in_chaos

RARELY = "scope: {{follow_links: false, feeds: {feeds}}}\nrevisit: {{sitemaps_max: 0, feeds_max: 0, hubs_max: 0, articles_min: 0}}"
PAGES = 12
URLSET = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{}</urlset>"
ATOM = "<feed xmlns='http://www.w3.org/2005/Atom'><title>News</title>{}</feed>"


class Newsroom:
    """Twelve pages in one list; `edited` ones say something new, and the list claims `modified` for each page."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.edited: set[int] = set()
        self.modified: Callable[[int], datetime | None] = lambda number: None
        self.server: SmallServer

    def respond(self, path: str, times: int) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/story"):
            number = int(path.rpartition("-")[2])
            return 200, {}, f"<p>Story {number}{', edited' if number in self.edited else ''}.".encode()
        return (200, {"Content-Type": "text/xml"}, self._listing().encode()) if path == "/list.xml" else (404, {}, b"")

    def _listing(self) -> str:
        if self.kind == "sitemap":
            return URLSET.format("".join(f"<url><loc>{self.url(n)}</loc>{self._date('lastmod', n)}</url>" for n in range(PAGES)))
        entry = "<entry><title>x</title><link href='{}'/><published>2026-01-01T00:00:00Z</published>{}</entry>"
        return ATOM.format("".join(entry.format(self.url(number), self._date("updated", number)) for number in range(PAGES)))

    def _date(self, name: str, number: int) -> str:
        moment = self.modified(number)
        return f"<{name}>{moment.isoformat()}</{name}>" if moment else ""

    def url(self, number: int) -> str:
        return f"{self.server.base}/story-about-some-thing-{number}"

    def crawl(self, settings: Settings) -> list[int]:
        """Runs the crawl; the numbers of the stories that were asked for."""
        before = len(self.server.asked)
        yaml = RARELY.format(feeds=str(self.kind == "feed").lower())
        crawl_urls(settings, [self.server.base + "/list.xml"], yaml)
        return sorted(int(one.path.rpartition("-")[2]) for one in self.server.asked[before:] if one.path.startswith("/story"))


def trust(settings: Settings) -> tuple[str, float, float, int]:
    database = open_database(settings.database_url("frontier"))
    with database.read() as connection:
        row = connection.execute(select(HINTS)).one()
        assert not list(connection.scalars(select(URLS.c.url).where(URLS.c.hinted_by.is_not(None))))
    database.close()
    return row.source, row.confirmed, row.refuted, row.pending


@pytest.mark.parametrize("kind", ["sitemap", pytest.param("feed", marks=pytest.mark.chaos)])
def test_an_honest_hint_brings_the_page_back_in_the_same_run(settings: Settings, kind: str) -> None:
    room = Newsroom(kind)
    with small_server(room.respond) as room.server:
        assert room.crawl(settings) == list(range(PAGES))
        assert room.crawl(settings) == []
        edited_at = datetime.now(UTC)
        room.edited = {3, 7}
        room.modified = lambda number: edited_at if number in room.edited else edited_at - timedelta(days=1)
        assert room.crawl(settings) == [3, 7]
        source, kept, lied, waiting = trust(settings)
        assert (source, round(kept, 2), lied, waiting) == (kind, 1.95, 0, 0)
        assert room.crawl(settings) == []


def test_a_source_that_lies_is_soon_ignored(settings: Settings) -> None:
    room = Newsroom("sitemap")
    with small_server(room.respond) as room.server:
        room.crawl(settings)
        room.modified = lambda number: datetime.now(UTC)
        assert len(room.crawl(settings)) == FIRST_HINTS
        assert room.crawl(settings) == []
        source, kept, lied, waiting = trust(settings)
    assert (source, kept, waiting) == ("sitemap", 0, 0)
    assert lied > 4


def test_a_date_in_the_future_is_no_hint(settings: Settings) -> None:
    room = Newsroom("sitemap")
    with small_server(room.respond) as room.server:
        room.crawl(settings)
        room.modified = lambda number: datetime.now(UTC) + timedelta(days=2)
        assert room.crawl(settings) == []
