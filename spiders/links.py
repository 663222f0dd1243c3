"""The links of an HTML page, and what it says about following and keeping it."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from spiders.optouts import SILENT, OptOuts, may_opt_out, meta_optouts

FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml"})

MAX_DEPTH = 20_000
CHUNK_BYTES = 64 * 1024
PYTHONS_OWN = frozenset({"undefined", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"})  # codecs that no page means
CHILDLESS = (b"<br", b"<img", b"<input", b"<hr", b"<wbr", b"<meta", b"<link", b"<source", b"<!", b"/>")


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
    if is_too_deep(html):
        return PageLinks(None, (), (), (), SILENT)
    tree = LexborHTMLParser(_text(html, charset))
    base = tree.css_first("base[href]")
    references: dict[str, None] = {}
    for node in tree.css("a[href], area[href]"):
        attributes = node.attributes
        reference = attributes.get("href")
        if reference and "nofollow" not in (attributes.get("rel") or "").lower():
            references[reference] = None
    feeds, sitemaps, pages = _head_links(tree)
    references.update(dict.fromkeys(pages))
    opt_outs = meta_optouts(_meta_elements(tree), product) if may_opt_out(html, product) else SILENT
    return PageLinks(base.attributes.get("href") if base else None, tuple(references), feeds, sitemaps, opt_outs)


def is_too_deep(html: bytes) -> bool:
    """Whether elements may be nested so deep that parsing them, whose time grows with the square of the depth, would hold up everything.

    An estimate from above, by counting tags: elements left unclosed by the ten thousands look the same.
    """
    if len(html) < 3 * MAX_DEPTH or html.count(b"<") <= MAX_DEPTH:
        return False
    depth = 0
    for start in range(0, len(html), CHUNK_BYTES):
        chunk = html[start : start + CHUNK_BYTES]
        depth += chunk.count(b"<") - 2 * chunk.count(b"</") - sum(chunk.count(childless) for childless in CHILDLESS)
        if depth > MAX_DEPTH:
            return True
    return False


def _text(html: bytes, charset: str | None) -> str | bytes:
    if not charset or charset.lower() in {"utf-8", "utf8", "us-ascii"}:
        return html
    try:
        return html if codecs.lookup(charset).name in PYTHONS_OWN else html.decode(charset, "replace")
    except (LookupError, ValueError):  # ValueError: a NUL in the name
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
    pairs = [(node.attributes.get("name"), node.attributes.get("content")) for node in tree.css("meta[name][content]")]
    return [(name, content) for name, content in pairs if name and content]
