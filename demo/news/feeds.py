"""Feeds, sitemaps and robots.txt of a site."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape

from demo.clock import time_at
from demo.news.newsroom import Edition
from demo.news.story import Story
from demo.sites import Site

ENTRIES_PER_FEED = 30
NEWS_AGE = timedelta(days=2)  # how far back a news sitemap reaches
_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'


def robots(site: Site) -> bytes:
    """robots.txt: a forbidden area, and the sitemaps."""
    area = "/private/" if site.index == 0 else "/intern/"
    lines = [f"# {site.name}", "User-agent: *", f"Disallow: {area}", "Disallow: /odd/denied", "Disallow: /*?print=", "Allow: /", ""]
    lines += [f"Sitemap: {site.base}/sitemap.xml", f"Sitemap: {site.base}/news-sitemap.xml"]
    return ("\n".join(lines) + "\n").encode()


def rss(site: Site, stories: Iterable[Story], title: str) -> bytes:
    """An RSS 2.0 feed of the newest stories."""
    items = "".join(_item(site, story) for story in list(stories)[:ENTRIES_PER_FEED])
    channel = f"<title>{escape(title)}</title><link>{site.base}/</link><description>{escape(site.slogan)}</description>"
    return f'{_XML}<rss version="2.0"><channel>{channel}\n{items}</channel></rss>\n'.encode()


def _item(site: Site, story: Story) -> str:
    url = site.base + site.article_path(story)
    return (
        f"<item><title>{escape(story.title)}</title><link>{url}</link><guid>{url}</guid>"
        f"<pubDate>{format_datetime(story.published_at, usegmt=True)}</pubDate>"
        f"<description>{escape(story.standfirst)}</description></item>\n"
    )


def atom(site: Site, stories: Iterable[Story], title: str, path: str) -> bytes:
    """An Atom feed of the newest stories."""
    newest = list(stories)[:ENTRIES_PER_FEED]
    updated = max((story.modified_at for story in newest), default=time_at(0)).isoformat()
    entries = "".join(_entry(site, story) for story in newest)
    identity = f'<id>{site.base}{path}</id><link rel="self" href="{site.base}{path}"/>'
    head = f"<title>{escape(title)}</title>{identity}<updated>{updated}</updated>"
    return f'{_XML}<feed xmlns="http://www.w3.org/2005/Atom">{head}\n{entries}</feed>\n'.encode()


def _entry(site: Site, story: Story) -> str:
    url = site.base + site.article_path(story)
    authors = "".join(f"<author><name>{escape(name)}</name></author>" for name in story.authors)
    return (
        f'<entry><title>{escape(story.title)}</title><link href="{url}"/><id>{url}</id>'
        f"<published>{story.published_at.isoformat()}</published>"
        f"<updated>{story.modified_at.isoformat()}</updated>{authors}<summary>{escape(story.standfirst)}</summary></entry>\n"
    )


def sitemap_index(site: Site, edition: Edition) -> bytes:
    """The index: a plain child, a gzip child with the articles, the news sitemap."""
    now = time_at(edition.clock).isoformat()
    names = ("sitemap-sections.xml", "sitemap-articles.xml.gz", "news-sitemap.xml")
    children = "".join(f"<sitemap><loc>{site.base}/{name}</loc><lastmod>{now}</lastmod></sitemap>\n" for name in names)
    return f"{_XML}<sitemapindex {_SITEMAP}>\n{children}</sitemapindex>\n".encode()


def sitemap(locations: Iterable[tuple[str, str]]) -> bytes:
    """A sitemap of (URL, lastmod) pairs."""
    urls = "".join(f"<url><loc>{escape(url)}</loc><lastmod>{lastmod}</lastmod></url>\n" for url, lastmod in locations)
    return f"{_XML}<urlset {_SITEMAP}>\n{urls}</urlset>\n".encode()


def news_sitemap(site: Site, edition: Edition) -> bytes:
    """The stories of the last two days of the site's time, with titles and dates."""
    oldest = time_at(edition.clock) - NEWS_AGE
    urls = "".join(_news_url(site, story) for story in edition.of(site.index) if story.published_at >= oldest)
    return f"{_XML}<urlset {_SITEMAP} {_NEWS}>\n{urls}</urlset>\n".encode()


def _news_url(site: Site, story: Story) -> str:
    publication = (
        f"<news:publication><news:name>{escape(site.name)}</news:name><news:language>{story.language}</news:language></news:publication>"
    )
    date = f"<news:publication_date>{story.published_at.isoformat()}</news:publication_date>"
    url = site.base + site.article_path(story)
    return f"<url><loc>{url}</loc><news:news>{publication}{date}<news:title>{escape(story.title)}</news:title></news:news></url>\n"
