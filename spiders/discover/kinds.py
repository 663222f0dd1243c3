"""Tells pages, feeds and sitemaps apart, by the first bytes of a body. Headers and names of files are often wrong."""

from __future__ import annotations

from schemas.capture import UrlKind
from spiders.discover.json_feeds import is_json_feed
from spiders.discover.list_text import list_root
from spiders.discover.text_sitemaps import is_text_sitemap
from spiders.download.text_charset import file_text

HEAD_BYTES = 128 * 1024  # a root element comes earlier, even behind a licence and pages of warnings
KINDS = {
    "urlset": UrlKind.SITEMAP,
    "sitemapindex": UrlKind.SITEMAP,
    "rss": UrlKind.FEED,
    "feed": UrlKind.FEED,
    "rdf": UrlKind.FEED,
}


def sniff_kind(body: bytes, requested: UrlKind) -> UrlKind:
    """The kind of a decoded body that was requested as `requested`. A sitemap may be a plain list of URLs, perhaps behind comments."""
    if requested is UrlKind.ROBOTS:
        return requested
    text = file_text(body[:HEAD_BYTES])
    root = list_root(text)
    if root is not None:
        return KINDS[root[0]]
    if is_json_feed(text):
        return UrlKind.FEED
    return requested if requested is UrlKind.SITEMAP and is_text_sitemap(text) else UrlKind.PAGE
