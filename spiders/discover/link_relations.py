"""Tells what links with a relation lead to: feeds, sitemaps or pages. They stand in `link` elements and in Link headers (RFC 8288)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

FEED_TYPES = frozenset(
    {
        "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "application/rss",
        "application/atom", "application/x.atom+xml", "application/xml", "text/rss+xml", "text/xml",
    }
)  # fmt: skip
PAGE_RELATIONS = frozenset({"canonical", "next", "prev", "previous"})
MAX_HEADER_CHARACTERS = 8_192  # of all Link headers; pages with more name fonts and images
_LINK = re.compile(r"<([^<>]{0,2100})>((?:\s*;\s*[\w*!.-]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]*))?)*+)")
_PARAMETER = re.compile(r";\s*([\w*!.-]+)(?:\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]*)))?")


@dataclass(frozen=True, slots=True)
class RelatedLinks:
    """References as written, in order, each once."""

    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()


def related_links(links: Iterable[Mapping[str, str | None]]) -> RelatedLinks:
    """The feeds, sitemaps and pages among links, which are given by their attributes.

    An alternate with `media` is the same page for another screen.
    """
    feeds: dict[str, None] = {}
    sitemaps: dict[str, None] = {}
    pages: dict[str, None] = {}
    for attributes in links:
        relations = frozenset((attributes.get("rel") or "").lower().split())
        reference = attributes.get("href") or ""
        media_type = (attributes.get("type") or "").partition(";")[0].strip().lower()
        is_page = media_type in {"", "text/html"} and "stylesheet" not in relations and "media" not in attributes
        if "alternate" in relations and media_type in FEED_TYPES:
            feeds[reference] = None
        elif "sitemap" in relations:
            sitemaps[reference] = None
        elif relations & PAGE_RELATIONS or ("alternate" in relations and is_page):
            pages[reference] = None
    return RelatedLinks(tuple(feeds), tuple(sitemaps), tuple(pages))


def header_links(text: str | None) -> Iterator[dict[str, str | None]]:
    """The links in a Link header by their attributes, with the target as `href`."""
    for target, parameters in _LINK.findall((text or "")[:MAX_HEADER_CHARACTERS]):
        attributes: dict[str, str | None] = {"href": target.strip()}
        for name, quoted, token in _PARAMETER.findall(parameters):
            attributes.setdefault(name.lower(), quoted or token)
        yield attributes
