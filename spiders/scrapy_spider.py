"""The spider that Scrapy runs: it requests the URLs that the session yields, and hands each response to the session.

Scrapy is here for the spiders of users, whose callbacks it is made for. Its queue, middlewares and limits are switched off
(`scrapy_settings`): politeness, retries and the frontier are crawlhouse's own. Before: `spiders.session` yields a URL. After:
`spiders.download.handler` fetches it, and `FetchSession.receive` gets the response.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import scrapy
from scrapy.http import Headers, Response
from twisted.python.failure import Failure

from schemas.capture import Capture, UrlKind
from schemas.errors import SpiderError
from schemas.outcomes import Reason
from spiders.browser.browser import PageBrowser, RenderError
from spiders.browser.subresources import SubResources
from spiders.custom.callbacks import Callbacks
from spiders.custom.request_text import request_headers
from spiders.download.credentials import Credentials
from spiders.download.direct import DirectDownloader, default_headers
from spiders.heartbeat import Heartbeat
from spiders.session.session import FetchSession
from spiders.session.url_in_progress import UrlInProgress
from spiders.session.yielded import Yielded
from storage.frontier.records import DueUrl, Lease
from storage.urls.request_body import read_request_body

LOG = logging.getLogger(__name__)


class SiteSpider(scrapy.Spider):
    """One spider for all sites: it fetches seeds, feeds, sitemaps and links in scope, as the crawl's YAML says.

    With a spider class of the user's (`own`), it fetches for that spider and calls its callbacks.
    """

    name = "site"

    def __init__(
        self,
        session: FetchSession,
        held: list[Lease],
        downloader: DirectDownloader,
        credentials: Credentials,
        own: type[scrapy.Spider] | None = None,
        heartbeat: Heartbeat | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self._session = session
        self._crawl = session.context.crawl
        self._downloader = downloader
        self._held = held
        self._credentials = credentials
        self._own = own
        self._heartbeat = heartbeat or Heartbeat(None)
        self._callbacks: Callbacks | None = None
        self._browser: PageBrowser | None = None
        self._headers = default_headers(self._crawl)

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """Yield the requests, each when its host's turn has come."""
        loop = asyncio.get_running_loop()
        self._heartbeat.start()
        loop.add_signal_handler(signal.SIGTERM, self._session.stop, "stopped")
        loop.add_signal_handler(signal.SIGINT, self._session.stop, "stopped")
        if self._own is not None:
            self._begin(self._own)
        if self._crawl.browser.pages:
            subresources = SubResources(self._session.context, self._downloader.download_subresource)
            self._browser = PageBrowser(self._crawl, subresources)
        async for fetch in self._session.requests(self._held):
            yield self._request(fetch)
        if self._callbacks is not None:
            await self._callbacks.close(self._session.stopping)
        if self._browser is not None:
            await self._browser.close()

    def _begin(self, own: type[scrapy.Spider]) -> None:
        try:
            self._callbacks = Callbacks(own, self.crawler, self._session)
        except SpiderError as error:
            self._session.fail(error)
        else:
            self._session.start_first(self._callbacks.run_start())

    def _request(self, fetch: UrlInProgress) -> scrapy.Request:
        due = fetch.due
        meta = {
            "fetch": fetch,
            "download_slot": fetch.lease.host,
            "kind": due.kind,
            "verbatim_url": True,
            "capture_only": True,
        }
        is_rendered = self._browser is not None and due.kind is UrlKind.PAGE and self._browser.should_render(fetch.url)
        back = self.call_back if self._callbacks or is_rendered else self.parse
        fail = self.call_back_failed if self._callbacks else self.fail
        request = scrapy.Request(fetch.url, callback=back, errback=fail, dont_filter=True, meta=meta)
        sent = read_request_body(due.request) if due.request else None
        if sent is not None:
            request = request.replace(method=sent.method, body=sent.body)
        request.headers = self._headers  # shared: Scrapy's headers cost as much to make as the rest of a request
        secrets = self._credentials.headers(fetch.url)
        if due.request or secrets:
            request.headers = self._own_headers(due, secrets)
            request.meta["with_secrets"] = bool(secrets)
        if cookies := fetch.chain.header(fetch.url):
            request.headers = _with_cookies(request.headers, cookies)
        if due.earlier and (due.etag or due.last_modified) and sent is None and not is_rendered:  # the same page may render differently
            request.headers = _conditional(request.headers, due)
        return request

    def _own_headers(self, due: DueUrl, secrets: Mapping[str, str]) -> Headers:
        """The headers of a request with those that a user's spider gave it, and the secrets of its origin."""
        headers = self._headers.copy()
        headers.update(request_headers(due.request))
        headers.update(secrets)
        return headers

    def parse(self, response: Response, **_: Any) -> Iterable[scrapy.Request]:
        """Hand a response to the session."""
        self._session.receive(response.meta["fetch"], response.meta["capture"])
        return ()

    def fail(self, failure: Failure) -> None:
        """Hand a failure to the session."""
        error = failure.value or RuntimeError("a failure without an exception")
        self._session.receive_failure(failure.request.meta["fetch"], error)  # type: ignore[attr-defined]

    async def call_back(self, response: Response, **_: Any) -> None:
        """Hand a response to the browser or the user's spider, then to the session. The session may cancel this when it ends."""
        await asyncio.wait([self._session.start(self._answered(response.meta["fetch"], response.meta["capture"]))])

    async def call_back_failed(self, failure: Failure) -> None:
        """Hand a failure to the user's spider, then to the session."""
        assert self._callbacks is not None
        error = failure.value or RuntimeError("a failure without an exception")
        await asyncio.wait([self._session.start(self._callbacks.handle_failure(failure.request.meta["fetch"], error))])  # type: ignore[attr-defined]

    async def _answered(self, fetch: UrlInProgress, capture: Capture) -> None:
        rendered = None
        if self._browser is not None and self._browser.should_render(fetch.due.url) and self._browser.is_renderable(capture):
            try:
                rendered = await self._browser.render(capture)
            except RenderError as error:
                LOG.warning("Not rendered: %s", error)
                yielded = Yielded(broken=Reason.RENDER_ERROR)
                yielded.items.add_problem("render", str(error))
                self._session.receive(fetch, capture, yielded)
                return
        if self._callbacks is not None:
            await self._callbacks.handle_response(fetch, capture, rendered)
        else:
            self._session.receive(fetch, capture, rendered=rendered)


def _with_cookies(headers: Headers, cookies: str) -> Headers:
    """The headers with the cookies of a chain of redirects behind those that the request has."""
    with_all = headers.copy()
    own = [value.decode("latin-1") for value in headers.getlist("Cookie") if value]
    with_all["Cookie"] = "; ".join([*own, cookies])
    return with_all


def _conditional(headers: Headers, due: DueUrl) -> Headers:
    """The headers of a conditional request: the page is sent only if it changed since its earlier capture."""
    asked = headers.copy()
    if due.etag:
        asked["If-None-Match"] = due.etag
    if due.last_modified:
        asked["If-Modified-Since"] = due.last_modified
    return asked
