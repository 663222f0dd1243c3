"""Reads the body of a response: its kind, the URLs in it and the opt-outs of a page. Runs in a reader's process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from schemas.capture import UrlKind
from schemas.outcomes import Reason
from schemas.web.media_type import read_media_type
from spiders.discover.feeds import FeedEntry, feed_entries
from spiders.discover.kinds import sniff_kind
from spiders.discover.link_memory import LinkMemory
from spiders.discover.links import PageLinks, page_links
from spiders.discover.priorities import HINTED_PRIORITY, LIST_PRIORITY, MAX_PRIORITY_DEPTH, MAX_REDIRECTS, PAGE_PRIORITY
from spiders.discover.refresh import Refresh, read_refresh
from spiders.discover.sitemaps import SitemapEntry, sitemap_entries
from spiders.download.decode_body import decode_body
from spiders.messages.rules import ReadingRules
from spiders.messages.wire import BodyReading, FoundUrl, PageOptOuts, Question
from spiders.permission.opt_outs import NO_OPT_OUTS, OptOuts
from spiders.urls.canonical import resolve_link
from spiders.urls.scope import CrawlScope, is_same_site
from storage.warc.page_bytes import is_html

GZIP_MAGIC = b"\x1f\x8b\x08"
MAX_LINKS = 10_000  # of one page; pages with more are lists made by programs, and the frontier learns no more from them
MAX_LISTS = 500  # feeds of one page, and as many sitemaps: pages name a handful, so more is an attack


def read_body(question: Question, body: bytes, rules: ReadingRules, memory: LinkMemory) -> BodyReading:
    """Read the body of a response with status 200. Links that are in the memory are left out."""
    body = decode_body(body, question.coding, rules.max_bytes)
    if body.startswith(GZIP_MAGIC):  # a compressed file, such as sitemap.xml.gz
        body = decode_body(body, "gzip", rules.max_bytes)
    kind = sniff_kind(body, question.kind)
    if kind is UrlKind.FEED:
        charset = read_media_type(question.content_type).charset
        listed = feed_entries(body, question.url, charset) if rules.feeds else ()
        entries = (_listed_page(question, entry, question.depth + 1) for entry in listed)
        return BodyReading(kind, list(_in_scope(entries, rules)))
    if kind is UrlKind.SITEMAP:
        return BodyReading(kind, list(_in_scope(_sitemap_urls(question, body) if rules.sitemaps else (), rules)))
    declared = read_media_type(question.content_type)
    page = page_links(body, declared.charset, rules.product) if is_html(declared, body) else PageLinks()
    return _read_page(question, page.with_header(question.link), rules, memory)


def _sitemap_urls(question: Question, body: bytes) -> Iterator[FoundUrl | None]:
    for entry in sitemap_entries(body, question.url, read_media_type(question.content_type).charset):
        if not entry.is_sitemap:
            yield _listed_page(question, entry, depth=1, strip_parameters=False)
        elif url := resolve_link(question.url, entry.url):  # an index in an index is one deeper, so that the crawl's depth ends the chain
            modified_at = _timestamp(entry.modified_at)
            yield FoundUrl(url, UrlKind.SITEMAP, question.depth + 1, LIST_PRIORITY, modified_at, source="sitemap index")


def _listed_page(question: Question, entry: FeedEntry | SitemapEntry, depth: int, strip_parameters: bool = True) -> FoundUrl | None:
    url = resolve_link(question.url, entry.url, strip_parameters)
    if url is None:
        return None
    hints = entry.hints
    title = hints.title.encode("utf-8", "replace").decode() if hints.title else None  # a lone surrogate cannot be encoded
    modified_at = _timestamp(entry.modified_at)
    return FoundUrl(url, UrlKind.PAGE, depth, HINTED_PRIORITY, modified_at, title, hints.published_at, hints.source)


def _timestamp(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def _read_page(question: Question, page: PageLinks, rules: ReadingRules, memory: LinkMemory) -> BodyReading:
    base = resolve_link(question.url, page.base) or question.url if page.base else question.url
    found = list(_in_scope(_linked_feeds(question, base, page, rules), rules))
    named = [one for one in (read_refresh(question.refresh), read_refresh(page.refresh)) if one is not None]
    refreshes = [one for one in named if _refresh_url(question, base, one) is not None]  # browsers pass over the others
    targets = [target for one in refreshes if one.is_redirect and (target := _refresh_target(question, base, one))]
    leading = [target for target in targets if target.url != question.url and _covers_refresh(question, target, rules.scope)]
    found += leading
    if rules.links and question.may_follow and not (rules.obeys_nofollow and page.opt_outs.directives.forbids_following()):
        references = (*(one.reference for one in refreshes if not one.is_redirect), *page.links[:MAX_LINKS])
        found += _linked_pages(question, base, references, rules, memory)
    reading = BodyReading(UrlKind.PAGE, found, _opt_outs(page.opt_outs))
    if not targets or not refreshes[0].is_immediate:
        return reading
    # nobody sees the page: like a redirect, it must lead to another one
    target = targets[0]
    if target.redirects > MAX_REDIRECTS:
        return msgspec.structs.replace(reading, dead_end=Reason.TOO_MANY_REDIRECTS)
    nowhere = Reason.REDIRECT_LOOP if target.url == question.url else Reason.OUT_OF_SCOPE
    return msgspec.structs.replace(reading, redirect_to=target.url, dead_end=None if leading else nowhere)


def _refresh_target(question: Question, base: str, refresh: Refresh) -> FoundUrl | None:
    """Where a quick refresh leads: like the target of a redirect, it takes the place of the page."""
    url = _refresh_url(question, base, refresh)
    return FoundUrl(url, UrlKind.PAGE, question.depth, LIST_PRIORITY, redirects=question.redirects + 1) if url else None


def _refresh_url(question: Question, base: str, refresh: Refresh) -> str | None:
    return resolve_link(base, refresh.reference, strip_parameters=False) if refresh.reference else question.url


def _covers_refresh(question: Question, target: FoundUrl, scope: CrawlScope) -> bool:
    if target.redirects > MAX_REDIRECTS:
        return False
    may_leave = question.depth == 0 and is_same_site(question.url, target.url)
    of_seed = scope.covers_redirect(target.url, target.kind, target.depth, target.redirects, may_leave=may_leave)
    return of_seed or scope.covers(target.url, target.kind, target.depth)


def _linked_feeds(question: Question, base: str, page: PageLinks, rules: ReadingRules) -> Iterator[FoundUrl | None]:
    """The feeds and sitemaps that a page names."""
    for link in page.feeds[:MAX_LISTS] if rules.feeds else ():
        if url := resolve_link(base, link):
            yield FoundUrl(url, UrlKind.FEED, question.depth, LIST_PRIORITY)
    for link in page.sitemaps[:MAX_LISTS] if rules.sitemaps else ():
        if url := resolve_link(base, link):
            yield FoundUrl(url, UrlKind.SITEMAP, 0, LIST_PRIORITY)


def _linked_pages(
    question: Question, base: str, references: tuple[str, ...], rules: ReadingRules, memory: LinkMemory
) -> Iterator[FoundUrl]:
    """The pages in scope that a page links to, each once.

    A URL that is out of scope only because of its depth is not remembered: another page may link to it at a smaller depth.
    """
    depth, priority = question.depth + 1, PAGE_PRIORITY + min(question.depth, MAX_PRIORITY_DEPTH)
    scope = rules.scope
    urls: set[str] = set()
    for reference, key in memory.unseen(base, references):
        url = resolve_link(base, reference)
        if url is None or not scope.covers(url, UrlKind.PAGE, 0):
            memory.remember(key)
        elif scope.covers(url, UrlKind.PAGE, depth):
            memory.remember(key)
            if url not in urls:
                urls.add(url)
                yield FoundUrl(url, UrlKind.PAGE, depth, priority)


def _in_scope(urls: Iterable[FoundUrl | None], rules: ReadingRules) -> Iterator[FoundUrl]:
    return (found for found in urls if found is not None and rules.scope.covers(found.url, found.kind, found.depth))


def _opt_outs(opt_outs: OptOuts) -> PageOptOuts | None:
    """The opt-outs as they are sent to the worker."""
    if opt_outs is NO_OPT_OUTS:
        return None
    return PageOptOuts(sorted(opt_outs.directives.words), opt_outs.directives.unavailable_after, opt_outs.tdm)
