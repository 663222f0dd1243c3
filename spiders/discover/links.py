"""Reads the links of an HTML page, and its opt-outs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from selectolax.lexbor import LexborHTMLParser

from schemas.web.directives import MAX_META_ELEMENTS, is_in_noscript, meta_elements
from spiders.discover.charsets import UTF8, in_charset, page_in_utf8
from spiders.discover.link_relations import RelatedLinks, header_links, related_links
from spiders.permission.opt_outs import NO_OPT_OUTS, OptOuts, meta_opt_outs

MAX_DEPTH = 5_000  # open elements; chosen far above real pages: lexbor's time grows with the square of the depth
TEMPLATE = re.compile(rb"<(/?)(template|script|style|textarea)(?=[\s>/])([^<>]*+)", re.IGNORECASE)  # and elements in which tags are text
SHADOW_MODE = re.compile(rb"(?<![\w-])shadowroot(?:mode)?\s*=\s*[\"']?\s*(?:open|closed)", re.IGNORECASE)
MAX_NOFRAMES = 10  # of one page, which has at most one
MAX_TAGS = 500_000  # of one page: more links than are followed
CHUNK_BYTES = 64 * 1024  # in which tags are counted
TAG = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})[^<>]*")
VOID_ELEMENTS = frozenset(
    {b"area", b"base", b"br", b"col", b"embed", b"hr", b"img", b"input", b"link", b"meta", b"source", b"track", b"wbr"}
)
# HTML lets authors omit their end tags. They nest only inside other elements, and those are counted
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
# drawings have thousands of them, and inside `svg` they are closed by `/>`
SVG_ELEMENTS = frozenset(
    {b"circle", b"ellipse", b"g", b"image", b"line", b"path", b"polygon", b"polyline", b"rect", b"stop", b"text", b"use"}
)


@dataclass(frozen=True, slots=True)
class PageLinks:
    """References as written, in the order of the page, each once, and the content of a refresh. `base` is what they are relative to."""

    base: str | None = None
    links: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    opt_outs: OptOuts = NO_OPT_OUTS
    refresh: str | None = None

    def with_header(self, link: str | None) -> PageLinks:
        """These links and those of the Link headers, which come first."""
        named = related_links(header_links(link))
        if named == RelatedLinks():
            return self
        pairs = ((named.pages, self.links), (named.feeds, self.feeds), (named.sitemaps, self.sitemaps))
        links, feeds, sitemaps = (tuple(dict.fromkeys((*first, *rest))) for first, rest in pairs)
        return replace(self, links=links, feeds=feeds, sitemaps=sitemaps)


def page_links(html: bytes, charset: str | None, product: str) -> PageLinks:
    """Read `a`, `area`, `frame`, `iframe`, `link`, `base` and `meta` of a page. Links marked nofollow are left out.

    `product` is the crawler's product token, which opt-outs may name.
    """
    html, codec = page_in_utf8(html, charset)
    html = _limit_tags(html)
    if b"shadowroot" in html:
        html = with_shadow_trees(html)
    html = html[: parsable_length(html)]
    tree = LexborHTMLParser(html)
    base = tree.css_first("base[href]")
    references = dict.fromkeys(_anchors(tree))
    named = related_links(node.attributes for node in tree.css("link[rel][href]"))
    references.update(dict.fromkeys((*named.pages, *_frames(tree))))
    opt_outs = meta_opt_outs(meta_elements(tree), product)
    base_url = base.attributes.get("href") if base else None
    links = tuple(references) if codec == UTF8 else tuple(in_charset(reference, codec) for reference in references)
    return PageLinks(base_url, links, named.feeds, named.sitemaps, opt_outs, _refresh(tree))


def with_shadow_trees(html: bytes) -> bytes:
    """A page with declarative shadow trees (HTML, 4.12.3) as elements: they are shown, what is in other templates is not."""
    parts: list[bytes] = []
    shadows: list[bool] = []  # of the open templates, whether each is a shadow tree; none is in another template
    position, text_of = 0, b""
    for tag in TEMPLATE.finditer(html):
        name, is_end = tag[2].lower(), bool(tag[1])
        if text_of:
            text_of = b"" if is_end and name == text_of else text_of
            continue
        if name != b"template":
            text_of = b"" if is_end else name
            continue
        if not is_end:
            shadows.append((not shadows or shadows[-1]) and SHADOW_MODE.search(tag[3]) is not None)
        if shadows and (shadows.pop() if is_end else shadows[-1]):
            parts += [html[position : tag.start()], b"</span" if is_end else b"<span"]  # it may stand in a `p`, and ends with its host
            position = tag.start(3)
    return b"".join([*parts, html[position:]])


def _anchors(tree: LexborHTMLParser) -> Iterator[str]:
    """The links of a tree; those of drawings have the older name of the attribute."""
    for node in tree.css("a[href], area[href]"):
        attributes = node.attributes
        reference = attributes.get("href") or attributes.get("xlink:href")
        if reference and "nofollow" not in (attributes.get("rel") or "").lower():
            yield reference


def _frames(tree: LexborHTMLParser) -> Iterator[str]:
    """The documents in the frames of a page, and the links for browsers without frames, which a parser takes for text."""
    without_frames = MAX_NOFRAMES
    for node in tree.css("frame[src], iframe[src], noframes, object[data][type*=html i], embed[src][type*=html i]"):
        if node.tag == "noframes":
            without_frames -= 1
            yield from _anchors(LexborHTMLParser(node.text())) if without_frames >= 0 else ()
        elif source := node.attributes.get("data" if node.tag == "object" else "src"):
            yield source


def _refresh(tree: LexborHTMLParser) -> str | None:
    """The content of the first refresh. One in `noscript` is for readers without scripts only: pages say so to everybody."""
    for node in tree.css("meta[http-equiv][content]")[:MAX_META_ELEMENTS]:
        attributes = node.attributes
        if (attributes.get("http-equiv") or "").strip().lower() == "refresh" and not is_in_noscript(node.parent):
            return attributes.get("content")
    return None


def parsable_length(html: bytes) -> int:
    """The number of bytes that can be parsed in bounded time: up to the place where more than MAX_DEPTH elements are open.

    Open elements are counted by the rules of HTML: `<div/>` opens one, and `</x>` closes only an open `x`.
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
