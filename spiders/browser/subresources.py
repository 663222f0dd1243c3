"""What a page in the browser may fetch while it is rendered: scripts, styles and data of the crawl's hosts, through our own downloader.

The browser has no way to the network of its own, so that the address guard, robots.txt, takedowns, limits and credentials hold for every
request of a page as for the page itself.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from schemas.capture import Capture
from spiders.discover.response import REDIRECTS
from spiders.download.failure import FetchFailedError
from spiders.permission.robots import RobotsRules
from spiders.reading.reader import ReadFailure
from spiders.session.context import FetchContext
from spiders.session.origin_file import file_to_cache
from spiders.session.robots_fetch import robots_refusal, rules_of
from spiders.urls.canonical import canonicalize, resolve
from storage.urls.host_key import canonical_host, canonical_origin

LOADED = frozenset({"script", "stylesheet", "xhr", "fetch"})
SHARED = frozenset({"script", "stylesheet"})
MAX_REDIRECTS = 5
MAX_PAGE_REQUESTS = 100
MAX_PAGE_BYTES = 20 * 1024 * 1024
MAX_SHARED_BYTES = 32 * 1024 * 1024
PASSED_ON = frozenset({"accept", "accept-language", "origin", "referer", "x-requested-with"})
OF_THE_WIRE = frozenset({b"content-encoding", b"content-length", b"transfer-encoding", b"set-cookie", b"connection"})

Download = Callable[[str, Mapping[str, str]], Awaitable[Capture]]


@dataclass(frozen=True, slots=True)
class Resource:
    """An answer as the browser takes it: its body without coding."""

    status: int
    headers: dict[str, str]
    body: bytes


class SubResources:
    """The sub-resources of a worker's pages; scripts and styles are fetched once and kept in bounded memory."""

    def __init__(self, context: FetchContext, download: Download) -> None:
        self._context = context
        self._download = download
        self._hosts = frozenset(context.crawl.browser.hosts)
        self._robots: dict[str, RobotsRules] = {}
        self._shared: dict[str, Resource] = {}
        self._shared_bytes = 0

    async def get(self, asked: str, kind: str, method: str, headers: Mapping[str, str]) -> Resource | None:
        """A sub-resource, None where the page may not have it. `kind` is the browser's type of the request."""
        url = canonicalize(asked, strip=False)
        if kind not in LOADED or method != "GET" or url is None:
            return None
        if url in self._shared:
            return self._shared[url]
        passed = {name: value for name, value in headers.items() if name in PASSED_ON}
        found = await self._fetch(url, passed)
        if found is not None and kind in SHARED and self._shared_bytes + len(found.body) <= MAX_SHARED_BYTES:
            self._shared[url] = found
            self._shared_bytes += len(found.body)
        return found

    async def _fetch(self, url: str, headers: Mapping[str, str]) -> Resource | None:
        for _ in range(MAX_REDIRECTS + 1):
            if not await self._may(url):
                return None
            try:
                capture = await self._download(url, headers)
            except FetchFailedError:
                return None
            self._context.statistics.sub_resources += 1
            target = resolve(url, capture.header("location") or "", strip=False) if capture.status in REDIRECTS else None
            if target is None:
                return await self.resource(capture)
            url = target
        return None

    async def _may(self, url: str) -> bool:
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
        """An origin's robots.txt: what some worker read within a day, or the site's answer."""
        context = self._context
        cached = await context.database.run(context.frontier.robots, origin)
        if cached is None:
            try:
                answer = await context.downloader.download(origin + "/robots.txt")
            except FetchFailedError:
                answer = None
            cached = await file_to_cache(context, origin, answer)
            await context.database.run(context.frontier.remember_robots, cached)
        return await rules_of(context, cached)

    async def resource(self, capture: Capture) -> Resource:
        """A capture as the browser takes it: without coding, and without cookies to keep."""
        kept = ((name, value) for name, value in capture.response_headers if name.lower() not in OF_THE_WIRE)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in kept}
        body = await self._context.readers.decoded(capture, self._context.crawl.budgets.max_body_bytes)
        return Resource(capture.status, headers, b"" if isinstance(body, ReadFailure) else body)
