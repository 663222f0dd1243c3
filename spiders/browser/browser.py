"""Renders pages in Chromium through Playwright, for the URL patterns that a crawl names.

scrapy-playwright lets the browser fetch the page. Here the page is fetched and archived like every page. The browser gets that response
and what `SubResources` allows. It never has a connection of its own: its proxy is a port at which no program listens.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from runtime.patterns import url_patterns
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.errors import ConfigError
from spiders.browser.sandbox import EXECUTABLE, check_sandbox, executable, is_sandboxed
from spiders.browser.subresources import MAX_PAGE_BYTES, MAX_PAGE_REQUESTS, SubResources
from spiders.download.user_agent import user_agent

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Playwright, Route

LOG = logging.getLogger(__name__)
DEAD_PROXY = "http://127.0.0.1:1"  # nobody listens at port 1
MAX_TABS = 2  # pages at a time: rendering takes about a second of CPU time a page
CLOSE_SECONDS = 3.0  # for Chromium to end by itself, before the worker ends without it
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
)
HTML = re.compile(r"text/html|application/xhtml\+xml", re.IGNORECASE)
REPLACED_HEADERS = frozenset({b"content-type", b"content-encoding", b"content-length", b"transfer-encoding"})


class RenderError(Exception):
    """The browser could not render a page. The message says why."""


def check_browser(crawl: Crawl) -> None:
    """Check that there is a browser if the crawl needs one. Raises ConfigError, which says what to install."""
    if not crawl.browser.pages:
        return
    if find_spec("playwright") is None:
        raise ConfigError(
            f"{crawl.name} wants pages rendered in a browser (browser.pages), but Playwright is not installed. "
            "Install it by `pip install 'crawlhouse[browser]'`, or remove browser.pages from the crawl's YAML."
        )
    given = os.environ.get(EXECUTABLE)
    if given and not os.access(given, os.X_OK):
        raise ConfigError(f"{EXECUTABLE} is {given!r}, which cannot be executed. Set it to the path of a Chromium.")
    check_sandbox(executable())


class PageBrowser:
    """One Chromium per worker, started for the first page. Each page has its own context, without the cookies of others."""

    def __init__(self, crawl: Crawl, subresources: SubResources) -> None:
        self._crawl = crawl
        self._options = crawl.browser
        self._patterns = url_patterns(crawl.browser.pages)
        self._subresources = subresources
        self._tabs = asyncio.Semaphore(MAX_TABS)
        self._starting = asyncio.Lock()
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    def should_render(self, url: str) -> bool:
        """Whether the page at this URL should be rendered."""
        return any(pattern.search_or(url, default=False) for pattern in self._patterns)

    def is_renderable(self, capture: Capture) -> bool:
        """Whether a response is a complete HTML page, requested by GET as a browser does."""
        return (
            capture.method == "GET"
            and capture.status == 200
            and not capture.truncated
            and bool(HTML.match(capture.header("content-type") or "text/html"))
        )

    async def render(self, capture: Capture) -> Capture:
        """The page after its scripts have run, as a capture: its DOM as UTF-8. Raises RenderError.

        Rendering ends when the page makes no more requests, when `browser.wait_for` is found, or when the time is up.
        """
        begin = time.monotonic()
        async with self._tabs:
            try:
                async with asyncio.timeout(2 * self._options.timeout + CLOSE_SECONDS):
                    html = await self._html(capture)
            except Exception as error:  # the browser raises many kinds of errors, and an error may stop only its own page
                await self._drop_dead_browser()
                raise RenderError(f"{capture.url}: {str(error).splitlines()[0] if str(error) else type(error).__name__}") from error
        body = html.encode("utf-8", "replace")
        limit = self._crawl.budgets.max_body_bytes
        headers = tuple(pair for pair in capture.response_headers if pair[0].lower() not in REPLACED_HEADERS)
        return replace(
            capture,
            fetched_at=datetime.now(UTC),
            response_headers=((b"Content-Type", b"text/html; charset=utf-8"), *headers),
            body=body[:limit],
            truncated="length" if len(body) > limit else None,
            latency_ms=round((time.monotonic() - begin) * 1000),
        )

    async def close(self) -> None:
        """End the browser."""
        browser, playwright = self._browser, self._playwright
        self._browser = self._playwright = None
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                if browser is not None:
                    await browser.close()
                if playwright is not None:
                    await playwright.stop()
        except Exception as error:  # it ends anyway, when its pipe to this process is closed
            LOG.warning("The browser did not close: %s", error)

    async def _html(self, capture: Capture) -> str:
        from playwright.async_api import TimeoutError as NotYet

        browser = await self._start()
        agent = user_agent(self._crawl)
        context = await browser.new_context(user_agent=agent, service_workers="block", accept_downloads=False)
        try:
            page = await context.new_page()
            await context.route("**/*", _PageRequests(capture, page, self._crawl, self._subresources).respond)
            await context.route_web_socket("**/*", lambda socket: socket.close())
            patience = self._options.timeout * 1000
            await page.goto(capture.url, wait_until="domcontentloaded", timeout=patience)
            try:
                if self._options.wait_for:
                    await page.wait_for_selector(self._options.wait_for, state="attached", timeout=patience)
                else:
                    await page.wait_for_load_state("networkidle", timeout=patience)
            except NotYet:
                LOG.info("%s was still loading after %g s", capture.url, self._options.timeout)
            return await page.content()
        finally:
            await context.close()

    async def _start(self) -> Browser:
        async with self._starting:
            if self._browser is None:
                from playwright.async_api import async_playwright

                self._playwright = self._playwright or await async_playwright().start()
                self._browser = await self._playwright.chromium.launch(
                    executable_path=executable(),
                    args=ARGUMENTS,
                    chromium_sandbox=is_sandboxed(),  # Playwright's own default is without
                    proxy={"server": DEAD_PROXY, "bypass": "<-loopback>"},
                    handle_sigint=False,
                    handle_sigterm=False,
                    handle_sighup=False,
                )
            return self._browser

    async def _drop_dead_browser(self) -> None:
        if self._browser is not None and not self._browser.is_connected():
            self._browser = None


class _PageRequests:
    """Responds to the requests of one page while it is rendered."""

    def __init__(self, capture: Capture, page: Page, crawl: Crawl, subresources: SubResources) -> None:
        self._capture = capture
        self._page = page
        self._crawl = crawl
        self._subresources = subresources
        self._is_loaded = False
        self._count = 0
        self._bytes = 0

    async def respond(self, route: Route) -> None:
        """Respond with the page itself, once, and with its sub-resources up to their limits. All other requests fail."""
        request: Any = route.request  # Any: Playwright's frame may be missing
        try:
            if request.is_navigation_request():
                await self._navigate(route, is_main=request.frame == self._page.main_frame)
                return
            self._count += 1
            if self._count > MAX_PAGE_REQUESTS or self._bytes > MAX_PAGE_BYTES:
                await route.abort()
                return
            resource = await self._subresources.get(request.url, request.resource_type, request.method, request.headers)
            if resource is None:
                await route.abort()
                return
            self._bytes += len(resource.body)
            await route.fulfill(status=resource.status, headers=resource.headers, body=resource.body)
        except Exception as error:  # the page was closed meanwhile
            LOG.debug("%s: %s", request.url, error)

    async def _navigate(self, route: Route, is_main: bool) -> None:
        """Give the page its own response. Frames and other pages are not loaded."""
        if not is_main or self._is_loaded:
            await route.fulfill(status=204)  # "no content": the page stays, while an error would replace it
            return
        self._is_loaded = True
        response = await self._subresources.browser_response(self._capture)
        await route.fulfill(status=response.status, headers=response.headers, body=response.body)
