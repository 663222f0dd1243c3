"""The links of an HTML page, and what it says about following and keeping it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from spiders.discover.charsets import is_web_charset
from spiders.permission.opt_outs import NO_OPT_OUTS, OptOuts, may_have_opt_outs, meta_opt_outs

FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml"})

MAX_DEPTH = 5_000
MAX_TAGS = 500_000  # what a page may have to be parsed whole: its first ones have more links than are followed
MAX_METAS = 1_000
CHUNK_BYTES = 64 * 1024
TAG = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})[^<>]*")
VOID_ELEMENTS = frozenset(
    {b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"source", b"track", b"wbr"}
)
# left open by many pages, and closed by the next one of their kind: they nest in something else only, which is counted
OPTIONAL_END_TAGS = frozenset(
    {
        b"p",
        b"li",
        b"dt",
        b"dd",
        b"tr",
        b"td",
        b"th",
        b"thead",
        b"tbody",
        b"tfoot",
        b"colgroup",
        b"option",
        b"optgroup",
        b"html",
        b"body",
        b"head",
    }
)
# drawings have them by the thousand, and there `/>` closes them
SVG_ELEMENTS = frozenset(
    {b"circle", b"ellipse", b"g", b"image", b"line", b"path", b"polygon", b"polyline", b"rect", b"stop", b"text", b"use"}
)


@dataclass(frozen=True, slots=True)
class PageLinks:
    """References as written, in the order of the page, each once. `base` is what they are relative to."""

    base: str | None
    links: tuple[str, ...]
    feeds: tuple[str, ...]
    sitemaps: tuple[str, ...]
    opt_outs: OptOuts


def page_links(html: bytes, charset: str | None, product: str) -> PageLinks:
    """Reads `a`, `area`, `link`, `base` and `meta` of a page; links marked nofollow are left out.

    `product` is the crawler's product token, which opt-outs may name.
    """
    html = _limit_tags(_to_utf8(html, charset))
    html = html[: parsable_length(html)]
    tree = LexborHTMLParser(html)
    base = tree.css_first("base[href]")
    references: dict[str, None] = {}
    for node in tree.css("a[href], area[href]"):
        attributes = node.attributes
        reference = attributes.get("href")
        if reference and "nofollow" not in (attributes.get("rel") or "").lower():
            references[reference] = None
    feeds, sitemaps, pages = _head_links(tree)
    references.update(dict.fromkeys(pages))
    opt_outs = meta_opt_outs(_meta_elements(tree), product) if may_have_opt_outs(html, product) else NO_OPT_OUTS
    return PageLinks(base.attributes.get("href") if base else None, tuple(references), feeds, sitemaps, opt_outs)


def parsable_length(html: bytes) -> int:
    """How much of a page can be parsed: up to where more than MAX_DEPTH elements are open, for the time grows with the square of the depth.

    Counts the elements that are open at the same time, as HTML opens and closes them: `<div/>` opens one, and `</x>` closes no other than
    an open `x`.
    """
    if html.count(b"<") <= MAX_DEPTH:
        return len(html)
    depth = 0
    open_elements: Counter[bytes] = Counter()
    for match in TAG.finditer(html):
        name = match[2].lower()
        if name in VOID_ELEMENTS or name in OPTIONAL_END_TAGS:
            continue
        if not match[1]:
            if name in SVG_ELEMENTS and open_elements[b"svg"] and html.startswith(b"/>", match.end() - 1):
                continue
            open_elements[name] += 1
            depth += 1
            if depth > MAX_DEPTH:
                return match.start()
        elif open_elements[name]:
            open_elements[name] -= 1
            depth -= 1
    return len(html)


def _limit_tags(html: bytes) -> bytes:
    """The page up to its MAX_TAGS-th tag."""
    if len(html) < 2 * MAX_TAGS or html.count(b"<") <= MAX_TAGS:
        return html
    left = MAX_TAGS
    for start in range(0, len(html), CHUNK_BYTES):
        left -= html.count(b"<", start, start + CHUNK_BYTES)
        if left <= 0:
            return html[:start]
    return html


def _to_utf8(html: bytes, charset: str | None) -> bytes:
    """A page in the charset of its header as UTF-8, in which its tags are what they will be parsed as."""
    if not charset or charset.lower() in {"utf-8", "utf8", "us-ascii"} or not is_web_charset(charset):
        return html
    try:
        return html.decode(charset, "replace").encode("utf-8", "replace")
    except (LookupError, ValueError):
        return html


def _head_links(tree: LexborHTMLParser) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The feeds, sitemaps and pages that `link` elements name; an alternate for another screen is the same page."""
    feeds: dict[str, None] = {}
    sitemaps: dict[str, None] = {}
    pages: dict[str, None] = {}
    for node in tree.css("link[rel][href]"):
        attributes = node.attributes
        relations = (attributes.get("rel") or "").lower().split()
        reference = attributes.get("href") or ""
        media_type = (attributes.get("type") or "").lower()
        is_page = media_type in {"", "text/html"} and "stylesheet" not in relations and "media" not in attributes
        if "alternate" in relations and media_type in FEED_TYPES:
            feeds[reference] = None
        elif "sitemap" in relations:
            sitemaps[reference] = None
        elif "canonical" in relations or "next" in relations or ("alternate" in relations and is_page):
            pages[reference] = None
    return tuple(feeds), tuple(sitemaps), tuple(pages)


def _meta_elements(tree: LexborHTMLParser) -> list[tuple[str, str]]:
    """Name and content of each meta element."""
    nodes = tree.css("meta[name][content]")[:MAX_METAS]
    pairs = [(node.attributes.get("name"), node.attributes.get("content")) for node in nodes]
    return [(name, content) for name, content in pairs if name and content]
