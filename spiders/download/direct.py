"""Downloads without the queue of pages: files about an origin, and the sub-resources of a page in the browser."""

from __future__ import annotations

from collections.abc import Mapping

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Headers

from schemas.capture import Capture, UrlKind
from schemas.config.crawl import Crawl
from spiders.download.credentials import Credentials
from spiders.download.handler import CANCEL_DOWNLOADS
from spiders.download.user_agent import user_agent

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5"


def default_headers(crawl: Crawl) -> Headers:
    """The headers of every request of a crawl."""
    return Headers({"User-Agent": user_agent(crawl), "Accept": ACCEPT, "Accept-Encoding": "gzip"})


class DirectDownloader:
    """Scrapy's downloader without its queue. The crawler's engine has to run when a download begins."""

    def __init__(self, crawler: Crawler, crawl: Crawl, credentials: Credentials) -> None:
        self._crawler = crawler
        self._credentials = credentials
        self._headers = default_headers(crawl)

    async def download(self, url: str, cookies: str = "") -> Capture:
        """Fetch a file about a whole origin, such as robots.txt, with the cookies of a chain of redirects. Raises FetchFailedError."""
        sent = self._headers.copy()
        if cookies:
            sent["Cookie"] = cookies
        return await self._exchange(Request(url, headers=sent, dont_filter=True, meta={"kind": UrlKind.ROBOTS, "verbatim_url": True}))

    async def download_subresource(self, url: str, headers: Mapping[str, str]) -> Capture:
        """Fetch a sub-resource of a page in the browser. Raises FetchFailedError."""
        secrets = self._credentials.headers(url)
        sent = self._headers.copy()
        sent.update(headers)
        sent.update(secrets)
        meta = {"kind": UrlKind.PAGE, "verbatim_url": True, "is_subresource": True, "with_secrets": bool(secrets)}
        return await self._exchange(Request(url, headers=sent, dont_filter=True, meta=meta))

    def cancel(self) -> None:
        """Cancel every download, also those of pages."""
        self._crawler.signals.send_catch_log(CANCEL_DOWNLOADS)

    async def _exchange(self, request: Request) -> Capture:
        assert self._crawler.engine is not None
        await self._crawler.engine.download_async(request)
        capture = request.meta["capture"]
        assert isinstance(capture, Capture)
        return capture
