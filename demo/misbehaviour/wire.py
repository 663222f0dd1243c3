"""Misbehaviours below HTTP: these handlers write their bytes themselves, and the connection is closed after them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from demo.misbehaviour.pages import html_of
from demo.response import Request
from demo.server import RawHandler
from demo.sites import Site

DRIP_SECONDS = 1.0
LONGEST_SECONDS = 900  # after that the connection is closed; no client should wait so long
ENDLESS_HEADERS_BYTES = 64 * 1024 * 1024
HUGE_HEADER_BYTES = 400_000
_HTML = b"Content-Type: text/html; charset=utf-8\r\n"


def _all(data: bytes) -> RawHandler:
    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return write


def _slowly(start: bytes, pieces: Iterable[bytes]) -> RawHandler:
    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        for _, piece in zip(range(LONGEST_SECONDS), pieces, strict=False):
            await writer.drain()
            await asyncio.sleep(DRIP_SECONDS)
            if writer.is_closing():
                return
            writer.write(piece)

    return write


def _whole(request: Request, headers: bytes, status: bytes = b"HTTP/1.1 200 OK") -> RawHandler:
    body = html_of(request.path).encode()
    return _all(status + b"\r\n" + headers + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)


def drip(request: Request, site: Site) -> RawHandler:
    """The head at once, then a byte a second."""
    body = html_of(request.path).encode()
    head = b"HTTP/1.1 200 OK\r\n" + _HTML + b"Content-Length: %d\r\n\r\n" % len(body)
    return _slowly(head, (bytes([byte]) for byte in body))


def slow_headers(request: Request, site: Site) -> RawHandler:
    """A header line a second."""
    return _slowly(b"HTTP/1.1 200 OK\r\n", (b"X-Line-%d: still here\r\n" % n for n in range(LONGEST_SECONDS)))


def cut_body(request: Request, site: Site) -> RawHandler:
    """Half of what Content-Length promises."""
    body = html_of(request.path).encode()
    return _all(b"HTTP/1.1 200 OK\r\n" + _HTML + b"Content-Length: %d\r\n\r\n" % len(body) + body[: len(body) // 2])


def cut_chunk(request: Request, site: Site) -> RawHandler:
    """A chunk that ends before its size, and no last chunk."""
    body = html_of(request.path).encode()
    chunks = b"%x\r\n" % 500 + body[:500] + b"\r\n%x\r\n" % 800 + body[500:700]
    return _all(b"HTTP/1.1 200 OK\r\n" + _HTML + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)


def chunked(request: Request, site: Site) -> RawHandler:
    """Chunks as the standard allows them: extensions, upper-case sizes, a trailer."""
    body = html_of(request.path).encode()
    pieces = [body[start : start + 701] for start in range(0, len(body), 701)]
    chunks = b"".join(b"%X;part=%d\r\n" % (len(piece), n) + piece + b"\r\n" for n, piece in enumerate(pieces))
    head = b"HTTP/1.1 200 OK\r\n" + _HTML + b"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\n"
    return _all(head + chunks + b"0\r\nX-Sum: %d\r\n\r\n" % len(body))


def no_type(request: Request, site: Site) -> RawHandler:
    """Nothing says what this is."""
    return _whole(request, b"")


def huge_header(request: Request, site: Site) -> RawHandler:
    """One header larger than any client should take."""
    return _whole(request, _HTML + b"X-Huge: " + b"a" * HUGE_HEADER_BYTES + b"\r\n")


def endless_headers(request: Request, site: Site) -> RawHandler:
    """Header lines until the client has had enough."""

    async def write(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + _HTML)
        block = b"".join(b"X-More-%d: and more\r\n" % n for n in range(1000))
        for _ in range(ENDLESS_HEADERS_BYTES // len(block)):
            if writer.is_closing():
                return
            writer.write(block)
            await writer.drain()

    return write


def no_content(request: Request, site: Site) -> RawHandler:
    """204, and rightly no body."""
    return _all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


def bad_status(request: Request, site: Site) -> RawHandler:
    """A first line of no protocol."""
    return _whole(request, _HTML, status=b"HTTP/1.1 two hundred fine")


def old_http(request: Request, site: Site) -> RawHandler:
    """No length, no chunks: the body ends with the connection."""
    return _all(b"HTTP/1.0 200 OK\r\n" + _HTML + b"\r\n" + html_of(request.path).encode())


def twice(request: Request, site: Site) -> RawHandler:
    """Repeated header lines, in an order that matters."""
    return _whole(
        request,
        _HTML
        + b"Set-Cookie: a=1; Path=/\r\nX-Seen: first\r\nSet-Cookie: b=2; Path=/\r\nX-Seen: second\r\nVary: Accept\r\nVary: Cookie\r\n",
    )


def odd_case(request: Request, site: Site) -> RawHandler:
    """Header names as no server should write them."""
    return _whole(request, b'cONTENT-tYPE: text/html; charset=utf-8\r\nx-lower-case: yes\r\nX_UNDER_SCORE: yes\r\nETAG:   "spaced"\r\n')


def obs_fold(request: Request, site: Site) -> RawHandler:
    """A value that goes on in the next line, as it was allowed once."""
    return _whole(request, _HTML + b"X-Folded: the first half\r\n and the second half\r\n")
