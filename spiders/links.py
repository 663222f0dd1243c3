"""The links of an HTML page, and what it says about following and keeping it."""

from __future__ import annotations

from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from spiders.optouts import SILENT, OptOuts, may_opt_out, meta_optouts

FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml"})

MAX_DEPTH = 20_000
CHUNK_BYTES = 64 * 1024
CHILDLESS = (b"<br", b"<img", b"<input", b"<hr", b"<wbr", b"<meta", b"<link", b"<source", b"<!", b"/>")


@dataclass(frozen=True, slots=True)
class PageLinks:
    """References as written, in the order of the page, each once. `base` is what they are relative to."""

    base: str | None
    links: tuple[str, ...]
    feeds: tuple[str, ...]
    opt_outs: OptOuts


def page_links(html: bytes, charset: str | None, product: str) -> PageLinks:
    """Reads `a`, `area`, `link`, `base` and `meta` of a page; links marked nofollow are left out.

    `product` is the crawler's product token, which opt-outs may name.
    """
    if is_too_deep(html):
        return PageLinks(None, (), (), SILENT)
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
    opt_outs = meta_optouts(_meta_elements(tree), product) if may_opt_out(html, product) else SILENT
    return PageLinks(base.attributes.get("href") if base else None, tuple(references), feeds, opt_outs)


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


def _meta_elements(tree: LexborHTMLParser) -> list[tuple[str, str]]:
    """Name and content of each meta element."""
    pairs = [(node.attributes.get("name"), node.attributes.get("content")) for node in tree.css("meta[name][content]")]
    return [(name, content) for name, content in pairs if name and content]
