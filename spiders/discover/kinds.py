"""Tells pages, feeds and sitemaps apart, by the first bytes of a body. Headers and names of files are often wrong."""

from __future__ import annotations

import re

from schemas.capture import UrlKind

HEAD_BYTES = 2_048
FIRST_TAG = re.compile(rb"<(?![?!])(?:[a-zA-Z0-9_]+:)?([a-zA-Z0-9]+)")
KINDS = {
    b"urlset": UrlKind.SITEMAP,
    b"sitemapindex": UrlKind.SITEMAP,
    b"rss": UrlKind.FEED,
    b"feed": UrlKind.FEED,
    b"rdf": UrlKind.FEED,
}


def sniff_kind(body: bytes, requested: UrlKind) -> UrlKind:
    """The kind of a decoded body that was requested as `requested`. A sitemap may be a plain list of URLs."""
    if requested is UrlKind.ROBOTS:
        return requested
    head = body[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<"):
        first = FIRST_TAG.search(head)
        return KINDS.get(first[1].lower(), UrlKind.PAGE) if first else UrlKind.PAGE
    return requested if requested is UrlKind.SITEMAP and head.startswith(b"http") else UrlKind.PAGE
