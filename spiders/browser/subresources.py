"""Fetches what a page in the browser needs: scripts, styles and data of the crawl's hosts, through crawlhouse's own downloader.

The browser itself cannot reach the network. So the address guard, robots.txt, takedowns, limits and credentials apply to every request of
a page as they apply to the page itself.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from schemas.capture import Capture
from spiders.discover.response import REDIRECTS, redirect_location
from spiders.download.failure import FetchFailedError
from spiders.permission.robots import RobotsRules
from spiders.reading.reader import ReadFailure
from spiders.session.context import FetchContext
from spiders.session.origin_file import file_to_cache
from spiders.session.robots_fetch import robots_refusal, rules_of
from spiders.urls.canonical import canonicalize, resolve_link
from storage.urls.host_key import canonical_host, canonical_origin

ALLOWED_TYPES = frozenset({"script", "stylesheet", "xhr", "fetch"})
CACHED_TYPES = frozenset({"script", "stylesheet"})
MAX_REDIRECTS = 5  # for one sub-resource
MAX_PAGE_REQUESTS = 100  # of one page; chosen above what pages of text load, below what would burden a host
MAX_PAGE_BYTES = 20 * 1024 * 1024  # of one page's sub-resources
MAX_CACHED_BYTES = 32 * 1024 * 1024  # of a worker's scripts and styles
FORWARDED_HEADERS = frozenset({"accept", "accept-language", "origin", "referer", "x-requested-with"})
DROPPED_HEADERS = frozenset({b"content-encoding", b"content-length", b"transfer-encoding", b"set-cookie", b"connection"})

Download = Callable[[str, Mapping[str, str]], Awaitable[Capture]]


@dataclass(frozen=True, slots=True)
class BrowserResponse:
    """A response as the browser takes it: its body without content coding."""

    status: int
    headers: dict[str, str]
    body: bytes


class SubResources:
    """The sub-resources of a worker's pages. Scripts and styles are fetched once and cached in bounded memory."""

    def __init__(self, context: FetchContext, download: Download) -> None:
        self._context = context
        self._download = download
        self._hosts = frozenset(context.crawl.browser.hosts)
        self._robots: dict[str, RobotsRules] = {}
        self._cache: dict[str, BrowserResponse] = {}
        self._cached_bytes = 0

    async def get(self, requested: str, kind: str, method: str, headers: Mapping[str, str]) -> BrowserResponse | None:
        """A sub-resource, or None if the page may not have it. `kind` is the browser's type of the request."""
        url = canonicalize(requested, strip_parameters=False)
        if kind not in ALLOWED_TYPES or method != "GET" or url is None:
            return None
        if url in self._cache:
            return self._cache[url]
        forwarded = {name: value for name, value in headers.items() if name in FORWARDED_HEADERS}
        response = await self._fetch(url, forwarded)
        if response is not None and kind in CACHED_TYPES and self._cached_bytes + len(response.body) <= MAX_CACHED_BYTES:
            self._cache[url] = response
            self._cached_bytes += len(response.body)
        return response

    async def _fetch(self, url: str, headers: Mapping[str, str]) -> BrowserResponse | None:
        for _ in range(MAX_REDIRECTS + 1):
            if not await self._is_allowed(url):
                return None
            try:
                capture = await self._download(url, headers)
            except FetchFailedError:
                return None
            self._context.statistics.sub_resources += 1
            target = resolve_link(url, redirect_location(capture), strip_parameters=False) if capture.status in REDIRECTS else None
            if target is None:
                return await self.browser_response(capture)
            url = target
        return None

    async def _is_allowed(self, url: str) -> bool:
        context, host = self._context, canonical_host(url)
        if not (context.scope.covers_host(host) or host in self._hosts) or context.takedowns.covers(url):
            return False
        if context.crawl.politeness.robots == "ignore":
            return True
        origin = canonical_origin(url)
        rules = self._robots.get(origin)
        if rules is None or rules.expires_at <= time.time():
            rules = self._robots[origin] = await self._rules(origin)
        return await robots_refusal(context, rules, url) is None

    async def _rules(self, origin: str) -> RobotsRules:
        """The rules of an origin's robots.txt: from the cache, which all workers share, or from the site."""
        context = self._context
        cached = await context.database.run(context.frontier.robots, origin)
        if cached is None:
            try:
                answer = await context.downloader.download(origin + "/robots.txt")
            except FetchFailedError:
                answer = None
            cached = await file_to_cache(context, origin, answer)
            await context.database.run(context.frontier.cache_robots, cached)
        return await rules_of(context, cached)

    async def browser_response(self, capture: Capture) -> BrowserResponse:
        """A capture as the browser takes it: without content coding and without cookies."""
        kept = ((name, value) for name, value in capture.response_headers if name.lower() not in DROPPED_HEADERS)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in kept}
        body = await self._context.readers.decoded(capture, self._context.crawl.budgets.max_body_bytes)
        return BrowserResponse(capture.status, headers, b"" if isinstance(body, ReadFailure) else body)
