"""The links of an HTML page, and what it says about following and keeping it."""

from __future__ import annotations

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml"})


@dataclass(frozen=True, slots=True)
class PageLinks:
    """References as written, in the order of the page, each once. `base` is what they are relative to; `metas` are names and contents."""

    base: str | None
    links: tuple[str, ...]
    feeds: tuple[str, ...]
    metas: tuple[tuple[str, str], ...]


def page_links(html: bytes, charset: str | None) -> PageLinks:
    """Reads `a`, `area`, `link`, `base` and `meta` of a page; links marked nofollow are left out."""
    tree = LexborHTMLParser(_text(html, charset))
    base = tree.css_first("base[href]")
    references: dict[str, None] = {}
    for node in tree.css("a[href], area[href]"):
        attributes = node.attributes
        reference = attributes.get("href")
        if reference and "nofollow" not in (attributes.get("rel") or "").lower():
            references[reference] = None
    feeds, canonical = _head_links(tree)
    references.update(dict.fromkeys(canonical))
    metas = [node.attributes for node in tree.css("meta[name]")]
    named = tuple((meta.get("name") or "", meta.get("content") or "") for meta in metas)
    return PageLinks(base.attributes.get("href") if base else None, tuple(references), feeds, named)


def _text(html: bytes, charset: str | None) -> str | bytes:
    if not charset or charset.lower() in {"utf-8", "utf8", "us-ascii"}:
        return html
    try:
        return html.decode(charset, "replace")
    except LookupError:
        return html


def _head_links(tree: LexborHTMLParser) -> tuple[tuple[str, ...], tuple[str, ...]]:
    feeds: dict[str, None] = {}
    pages: dict[str, None] = {}
    for node in tree.css("link[rel][href]"):
        attributes = node.attributes
        relations = (attributes.get("rel") or "").lower().split()
        reference = attributes.get("href") or ""
        if "alternate" in relations and (attributes.get("type") or "").lower() in FEED_TYPES:
            feeds[reference] = None
        elif "canonical" in relations or "next" in relations:
            pages[reference] = None
    return tuple(feeds), tuple(pages)
