"""What an answer says: its kind, the URLs in it, and what its owner reserves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from schemas.capture import Capture, UrlKind
from schemas.crawl import Crawl
from schemas.page import Hints
from spiders.canonical import resolve
from spiders.feeds import FeedEntry, feed_entries
from spiders.kinds import sniff_kind
from spiders.linkmemory import LinkMemory
from spiders.links import page_links
from spiders.optouts import SILENT, OptOuts, header_optouts
from spiders.scope import CrawlScope
from spiders.sitemaps import SitemapEntry, sitemap_entries
from spiders.useragent import product
from storage.contentcoding import CodingError, decode_content
from storage.frontierrecords import Discovery

REDIRECTS = frozenset({301, 302, 303, 307, 308})
GZIP_MAGIC = b"\x1f\x8b\x08"
MAX_REDIRECTS = 8
MAX_LINKS = 10_000
LIST_PRIORITY = 0
HINTED_PRIORITY = 10
PAGE_PRIORITY = 20
MAX_PRIORITY_DEPTH = 100
CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A read answer.

    `new_items` of the discoveries were not known; `redirect_lost` tells that a redirect was one too many; `opt_outs` are what its headers
    and its page reserve.
    """

    kind: UrlKind
    discoveries: tuple[Discovery, ...] = ()
    new_items: int = 0
    redirect_lost: bool = False
    opt_outs: OptOuts = SILENT


def plain_body(body: bytes, coding: str | None, limit: int) -> bytes:
    """A body without its content coding, at most `limit` bytes; empty where it cannot be decoded."""
    try:
        return decode_content(body, coding, limit)
    except CodingError:
        return b""


def read_answer(capture: Capture, redirects: int, crawl: Crawl, scope: CrawlScope, memory: LinkMemory | None = None) -> Answer:
    """Reads one answer, which was reached over so many redirects. Links that are in the memory are passed over."""
    said = header_optouts(capture.response_headers, product(crawl))
    if capture.status in REDIRECTS:
        return _redirect(capture, redirects, scope, said)
    if capture.status != 200:
        return Answer(capture.kind, opt_outs=said)
    body = plain_body(capture.body, capture.header("content-encoding"), crawl.budgets.max_body_bytes)
    if body.startswith(GZIP_MAGIC):  # a packed file, such as sitemap.xml.gz
        body = plain_body(body, "gzip", crawl.budgets.max_body_bytes)
    kind = sniff_kind(body, capture.kind)
    if kind is UrlKind.FEED:
        found = [_page(capture, entry, capture.depth + 1) for entry in feed_entries(body)] if crawl.scope.feeds else []
    elif kind is UrlKind.SITEMAP:
        found = _from_sitemap(capture, body) if crawl.scope.sitemaps else []
    else:
        return _from_page(capture, body, crawl, scope, said, memory or LinkMemory())
    return Answer(kind, _in_scope(found, scope), opt_outs=said)


def sitemap_discovery(url: str | None, via: str, depth: int = 0) -> Discovery | None:
    """A sitemap that robots.txt names, or an index so many indexes deep: their chain ends where the crawl's depth does."""
    return Discovery(url, UrlKind.SITEMAP, via, depth, priority=LIST_PRIORITY) if url else None


def location(capture: Capture) -> str:
    """The target of a redirect as written; its bytes are UTF-8 where they can be, as every browser reads them."""
    text = capture.header("location") or ""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return text


def _redirect(capture: Capture, redirects: int, scope: CrawlScope, said: OptOuts) -> Answer:
    target = resolve(capture.url, location(capture))
    if target is None or (target == capture.url and capture.method == "GET"):  # a POST may lead to the same URL, to be read
        return Answer(capture.kind, opt_outs=said)
    if redirects >= MAX_REDIRECTS:
        return Answer(capture.kind, redirect_lost=True, opt_outs=said)
    found = Discovery(target, capture.kind, capture.url, capture.depth, redirects + 1, LIST_PRIORITY, capture.hints)
    return Answer(capture.kind, _in_scope([found], scope), opt_outs=said)


def _from_sitemap(capture: Capture, body: bytes) -> list[Discovery | None]:
    found: list[Discovery | None] = []
    for entry in sitemap_entries(body):
        if entry.is_sitemap:
            one = sitemap_discovery(resolve(capture.url, entry.url), capture.url, capture.depth + 1)
            found.append(replace(one, hints=Hints(source="sitemap index"), modified_at=_seconds(entry.modified_at)) if one else None)
        else:
            found.append(_page(capture, entry, depth=1, strip=False))
    return found


def _page(capture: Capture, entry: FeedEntry | SitemapEntry, depth: int, strip: bool = True) -> Discovery | None:
    url = resolve(capture.url, entry.url, strip)
    if url is None:
        return None
    modified_at = _seconds(entry.modified_at)
    return Discovery(url, UrlKind.PAGE, capture.url, depth, priority=HINTED_PRIORITY, hints=entry.hints, modified_at=modified_at)


def _seconds(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def _from_page(capture: Capture, body: bytes, crawl: Crawl, scope: CrawlScope, said: OptOuts, memory: LinkMemory) -> Answer:
    if not _looks_like_html(capture, body):
        return Answer(UrlKind.PAGE, opt_outs=said)
    charset = CHARSET.search(capture.header("content-type") or "")
    page = page_links(body, charset[1] if charset else None, product(crawl))
    said = said.then(page.opt_outs)
    follows = crawl.scope.follow_links and not (crawl.politeness.opt_outs == "obey" and said.directives.forbids_following())
    base = resolve(capture.url, page.base) or capture.url if page.base else capture.url
    found: tuple[Discovery, ...] = ()
    if crawl.scope.feeds:
        found = _in_scope([_feed(resolve(base, link), capture) for link in page.feeds], scope)
    if crawl.scope.sitemaps:
        found += _in_scope([sitemap_discovery(resolve(base, link), capture.url) for link in page.sitemaps], scope)
    if follows:
        found += tuple(_linked(capture, base, page.links[:MAX_LINKS], scope, memory))
    return Answer(UrlKind.PAGE, found, opt_outs=said)


def _linked(capture: Capture, base: str, references: tuple[str, ...], scope: CrawlScope, memory: LinkMemory) -> Iterator[Discovery]:
    """The pages in scope that a page links to, each once. What only its depth puts out of scope may come back from elsewhere."""
    depth, priority = capture.depth + 1, PAGE_PRIORITY + min(capture.depth, MAX_PRIORITY_DEPTH)
    urls: set[str] = set()
    for reference, key in memory.fresh(base, references):
        url = resolve(base, reference)
        if url is None or not scope.covers(url, UrlKind.PAGE, 0):
            memory.remember(key)
        elif scope.covers(url, UrlKind.PAGE, depth):
            memory.remember(key)
            if url not in urls:
                urls.add(url)
                yield Discovery(url, UrlKind.PAGE, capture.url, depth, priority=priority)


def _feed(url: str | None, capture: Capture) -> Discovery | None:
    return Discovery(url, UrlKind.FEED, capture.url, capture.depth, priority=LIST_PRIORITY) if url else None


def _in_scope(found: list[Discovery] | list[Discovery | None], scope: CrawlScope) -> tuple[Discovery, ...]:
    return tuple(one for one in found if one is not None and scope.covers(one.url, one.kind, one.depth))


def _looks_like_html(capture: Capture, body: bytes) -> bool:
    declared = (capture.header("content-type") or "").lower()
    return "html" in declared or (not declared and body.lstrip()[:1] == b"<")


def with_kind(capture: Capture, kind: UrlKind) -> Capture:
    """The capture under the kind that it turned out to be."""
    return capture if capture.kind is kind else replace(capture, kind=kind)
