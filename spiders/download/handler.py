"""Downloads through aiohttp and keeps every exchange as it was on the wire.

Before: `spiders.scrapy_spider` sends a request for a URL of a leased host. After: `request.meta["capture"]` holds the `Capture`, which
`spiders.session.exchange` archives, and Scrapy gets a plain response.

Scrapy's own aiohttp handler is experimental and loses the reason phrase and the raw headers. Its default handler also loses the case and
the order of headers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import yarl
from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.http import Headers, Response

from schemas.capture import Capture, HeaderList, UrlKind
from schemas.config.crawl import Crawl
from schemas.errors import SpiderError
from schemas.outcomes import Reason
from schemas.web.content_range import is_part
from spiders.download.address_guard import REFUSED, guarded_socket_factory, is_host_allowed
from spiders.download.body_memory_limit import LARGE_BYTES, BodyMemory
from spiders.download.connections import CheckedConnector
from spiders.download.credentials import Login
from spiders.download.decode_body import decode_body
from spiders.download.failure import FetchFailedError
from spiders.download.lenient_http import LenientResponseHandler
from spiders.download.media_types import is_unsupported
from storage.urls.host_key import host_name
from storage.warc.page_bytes import ends_as_whole_page

CONNECT_SECONDS = 15.0  # at most; aiohttp waits 30
KEEPALIVE_SECONDS = 15.0  # aiohttp's own default
MAX_HEADER_BYTES = 256 * 1024  # of one line, as many as browsers take of a head; aiohttp's 8 kB are too few for cookies and policies
MAX_HEADERS = 1_000  # chosen; aiohttp's 128 are too few for some sites' cookies
FIRST_FINAL_STATUS = 200  # lower ones announce another response, and no WARC reader takes them for a page
WITH_WRONG_TYPES = frozenset({UrlKind.ROBOTS, UrlKind.SITEMAP})  # files whose Content-Type is often wrong
BROKEN_OFF = frozenset({"time", "disconnect"})
MAX_CODED_BYTES = 64 * 1024  # of a broken body that is decoded here, to see whether it is whole: some milliseconds
MAX_DECODED_BYTES = 1024 * 1024
CANCEL_DOWNLOADS = object()  # the signal that cancels every running exchange


class _Response(aiohttp.ClientResponse):
    """Keeps the peer's address, which aiohttp loses if a response ends immediately, and headers that were mended as they came."""

    peer: str | None = None
    received_headers: HeaderList | None = None

    async def start(self, connection: Any) -> aiohttp.ClientResponse:  # Any: aiohttp's Connection, not exported
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        self.peer = peer[0] if peer else None
        protocol = connection.protocol
        started = await super().start(connection)
        self.received_headers = protocol.received_headers if isinstance(protocol, LenientResponseHandler) else None
        return started


class ArchivalDownloadHandler(BaseDownloadHandler):
    """HTTP/1.1 through aiohttp, with the address guard in its sockets."""

    lazy = False

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._crawl: Crawl = crawler.settings["CRAWLHOUSE_CRAWL"]
        login: Login | None = crawler.settings["CRAWLHOUSE_PROXY_LOGIN"]
        self._proxy_auth = aiohttp.BasicAuth(login.user, login.password, encoding="utf-8") if login else None
        self._body_memory: BodyMemory = crawler.settings["CRAWLHOUSE_BODY_MEMORY"]
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        crawler.signals.connect(self.cancel, signal=CANCEL_DOWNLOADS)

    def _open(self) -> aiohttp.ClientSession:
        network = self._crawl.network
        connector = CheckedConnector(
            limit=0,  # the session limits the requests of each host
            socket_factory=guarded_socket_factory(network.allow),
            keepalive_timeout=KEEPALIVE_SECONDS,
            ssl=network.verify_tls,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            response_class=_Response,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            max_headers=MAX_HEADERS,
        )

    async def download_request(self, request: Request) -> Response:
        """Make one exchange. A redirect is a response like any other. Raises FetchFailedError."""
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if "kind" not in request.meta:  # each request of the session has one
            raise SpiderError(
                f"{request.url} was requested without the frontier. Yield the request: then it is fetched politely and archived."
            )
        try:
            capture = await self._exchange(request)
        except asyncio.CancelledError:  # Scrapy would wait for ever after a CancelledError
            raise FetchFailedError(Reason.CONNECTION, f"{request.url} was cancelled", retryable=True) from None
        request.meta["capture"] = capture
        if request.meta.get("capture_only"):
            return Response(request.url, status=capture.status)
        headers = Headers()
        for name, value in capture.response_headers:
            headers.appendlist(name, value)
        return Response(request.url, status=capture.status, headers=headers, body=capture.body, request=request)

    async def _exchange(self, request: Request) -> Capture:
        fetched_at = datetime.now(UTC)
        loop = asyncio.get_running_loop()
        started = loop.time()
        async with self._response(request) as response:
            if not request.meta.get("is_subresource") and request.meta["kind"] not in WITH_WRONG_TYPES:
                self._refuse_unsupported(response)
            if response.status < FIRST_FINAL_STATUS:
                raise FetchFailedError(
                    Reason.MALFORMED_RESPONSE, f"{request.url} answers with the status {response.status}, and nothing else"
                )
            body, truncated = await self._body(response, started + self._crawl.politeness.timeout)
        if truncated in BROKEN_OFF and _is_whole(response, body):
            truncated = None
        if truncated is None and is_part(response.status, response.headers.get("Content-Range")):  # nobody asked for a part
            truncated = "unspecified"
        return Capture(
            url=request.url,
            fetched_at=fetched_at,
            status=response.status,
            reason=response.reason or "",
            protocol=f"HTTP/{response.version.major}.{response.version.minor}" if response.version else "HTTP/1.1",
            request_headers=_sent_headers(response),
            response_headers=_archived_headers(response, with_secrets=bool(request.meta.get("with_secrets"))),
            body=body,
            method=request.method,
            ip_address=None if self._crawl.network.proxy else response.peer,  # with a proxy the peer is the proxy
            truncated=truncated,
            kind=request.meta.get("kind", UrlKind.PAGE),
            latency_ms=round((loop.time() - started) * 1000),
            request_body=request.body,
        )

    @asynccontextmanager
    async def _response(self, request: Request) -> AsyncIterator[_Response]:
        network = self._crawl.network
        host = host_name(request.url)
        if (network.proxy or host[:1].isdigit()) and not is_host_allowed(host, network.allow):  # aiohttp knows few of their spellings
            raise FetchFailedError(Reason.PRIVATE_ADDRESS, f"{request.url} names an address that the crawl's network.allow does not allow")
        self._session = self._session or self._open()
        limit = self._crawl.politeness.timeout
        try:
            async with asyncio.timeout(limit + 1):
                response = await self._session.request(
                    request.method,
                    yarl.URL(request.url, encoded=True),
                    headers=request.headers.to_tuple_list(),
                    data=request.body or None,
                    timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(CONNECT_SECONDS, limit), sock_read=limit),
                    allow_redirects=False,
                    proxy=network.proxy,
                    proxy_auth=self._proxy_auth,
                )
            async with response:
                assert isinstance(response, _Response)
                yield response
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise _fetch_error(request.url, error) from error

    def _refuse_unsupported(self, response: aiohttp.ClientResponse) -> None:
        declared = ", ".join(response.headers.getall("Content-Type", ()))
        if response.status == 200 and is_unsupported(declared, self._crawl.scope.keep_types):
            raise FetchFailedError(Reason.UNSUPPORTED_TYPE, f"{response.url} is {declared}")

    async def _body(self, response: aiohttp.ClientResponse, deadline: float) -> tuple[bytes, str | None]:
        """The body as received, and why it is truncated, or None."""
        limit = self._crawl.budgets.max_body_bytes
        body = bytearray()
        reserved = 0
        try:
            async with asyncio.timeout_at(deadline) as clock:
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > limit:
                        response.close()
                        return bytes(body[:limit]), "length"
                    if len(body) > LARGE_BYTES and not reserved:
                        await self._wait_for_memory(limit, deadline, clock)
                        reserved = limit
        except TimeoutError:
            response.close()
            return bytes(body), "time"
        except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError):
            return bytes(body), "disconnect"
        finally:
            if reserved:
                self._body_memory.release(reserved)
        return bytes(body), None

    async def _wait_for_memory(self, size: int, deadline: float, clock: asyncio.Timeout) -> None:
        """Wait until there is memory for a large body. The time limit of the exchange pauses meanwhile."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        clock.reschedule(None)
        await self._body_memory.acquire(size)
        clock.reschedule(deadline + loop.time() - started)

    def cancel(self) -> None:
        """Cancel every running exchange."""
        for task in list(self._tasks):
            task.cancel()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _is_whole(response: aiohttp.ClientResponse, body: bytes) -> bool:
    """Whether a transfer that broke off lost nothing: some servers never send the last chunk, or announce too many bytes."""
    coding = ", ".join(response.headers.getall("Content-Encoding", ()))
    if coding and len(body) > MAX_CODED_BYTES:
        return False
    return ends_as_whole_page(decode_body(body, coding, MAX_DECODED_BYTES) if coding else body)


def _sent_headers(response: aiohttp.ClientResponse) -> HeaderList:
    """The request's headers as sent, without the password of the proxy."""
    sent = response.request_info.headers.items()
    return tuple((name.encode("latin-1"), value.encode("utf-8")) for name, value in sent if name.lower() != "proxy-authorization")


def _archived_headers(response: _Response, with_secrets: bool) -> HeaderList:
    """The response's headers as received. After a request with secrets, cookies are secrets too and are left out."""
    received = response.raw_headers if response.received_headers is None else response.received_headers
    return tuple(pair for pair in received if not with_secrets or pair[0].lower().rstrip() != b"set-cookie")


def _fetch_error(url: str, error: Exception) -> FetchFailedError:
    text = f"{url}: {str(error) or type(error).__name__}"
    if REFUSED in text:
        return FetchFailedError(Reason.PRIVATE_ADDRESS, text)
    if isinstance(error, TimeoutError):
        return FetchFailedError(Reason.TIMEOUT, text, retryable=True)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return FetchFailedError(Reason.DNS, text, retryable=True)
    if isinstance(error, aiohttp.ClientSSLError):
        return FetchFailedError(Reason.TLS, text)
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.InvalidURL | ValueError):
        return FetchFailedError(Reason.MALFORMED_RESPONSE, text)
    return FetchFailedError(Reason.CONNECTION, text, retryable=True)
