"""URLs that are taken down do not come back by what other pages say of them: links, feeds, sitemaps, redirects."""

from __future__ import annotations

from sqlalchemy import select

from schemas.config.settings import Settings
from storage.database.engine import open_database
from storage.database.frontier_tables import URLS
from storage.lake.takedown import add_takedowns
from storage.objects.open import open_store
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import Headers, small_server

FEED = "<rss version='2.0'><channel><item><title>{title}</title><link>{link}</link></item></channel></rss>"
SITEMAP = (
    "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>{0}/gone</loc></url><url><loc>{0}/other</loc></url></urlset>"
)


def test_found_urls_that_are_taken_down_do_not_enter_the_frontier(sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        base = server.base
        html = {"Content-Type": "text/html"}
        pages = {
            "/": (200, html, b"<p><a href=/gone>gone</a> <a href=/first>first</a>"),
            "/feed": (200, {"Content-Type": "application/rss+xml"}, FEED.format(title="Quuxmarker", link=f"{base}/gone").encode()),
            "/sitemap.xml": (200, {"Content-Type": "application/xml"}, SITEMAP.format(base).encode()),
            "/robots.txt": (200, {"Content-Type": "text/plain"}, f"User-agent: *\nAllow: /\nSitemap: {base}/sitemap.xml".encode()),
            "/moved": (301, {"Location": "/gone", **html}, b""),
            "/first": (302, {"Location": "/moved", **html}, b""),
        }
        return pages.get(path, (200, html, b"<p>page"))

    with small_server(respond) as server:
        add_takedowns(sqlite_settings, open_store(sqlite_settings), [f"{server.base}/gone"])
        crawled = crawl_urls(sqlite_settings, [f"{server.base}/", f"{server.base}/feed"])
        assert "/gone" not in server.paths()
        base = server.base
    taken_down = "denied:takedown"
    assert {url: outcome for url, outcome in crawled.outcomes.items() if outcome != "fetched"} == {
        f"{base}/moved": taken_down,
        f"{base}/first": taken_down,
    }
    assert crawled.outcomes[f"{base}/other"] == "fetched"
    assert f"{base}/gone" not in crawled.outcomes
    assert f"{base}/moved" not in crawled.archived()
    assert [row.fetch_redirect for row in crawled.rows if row.fetch_redirect and row.fetch_redirect.endswith("/gone")] == []
    assert crawled.manifest.statistics.refused_requests == {"takedown": 1}, "each URL is counted once"
    database = open_database(sqlite_settings.database_url("frontier"))
    with database.read() as connection:
        assert "Quuxmarker" not in repr(connection.execute(select(URLS)).fetchall())
    database.close()
