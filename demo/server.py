"""A small HTTP/1.1 server on loopback, with keep-alive and with control over every byte that is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from demo.response import Request, Response

HOST = "127.0.0.1"
MAX_HEAD_BYTES = 64 * 1024
IDLE_SECONDS = 75
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

# Writes the bytes of a response itself; the connection is closed afterwards.
RawHandler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]
Handler = Callable[[Request], "Response | RawHandler"]


async def serve(handler: Handler, port: int) -> asyncio.Server:
    """Start a server on loopback. With port 0 it takes a free port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _serve_connection(handler, reader, writer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the client went away
        finally:
            writer.close()

    return await asyncio.start_server(connected, HOST, port, limit=MAX_HEAD_BYTES, backlog=1024)


def port_of(server: asyncio.Server) -> int:
    """The port a server listens on."""
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _serve_connection(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)
        except asyncio.LimitOverrunError:
            head = b""
        request = parse_head(head)
        if request is None:
            writer.write(BAD_REQUEST)
            await writer.drain()
            return
        await _skip_body(request, reader)
        response = handler(request)
        if not isinstance(response, Response):
            await response(request, writer)
            return
        writer.write(response.to_bytes(request))
        await writer.drain()
        if not request.keep_alive:
            return


def parse_head(head: bytes) -> Request | None:
    """A request's line and headers. None if they are not HTTP/1.x."""
    try:
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, version = first.split(" ")
    except ValueError:
        return None
    if not version.startswith("HTTP/1.") or not target.startswith("/"):
        return None
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    connection = headers.get("connection", "").lower()
    return Request(method, target, headers, keep_alive="close" not in connection and (version != "HTTP/1.0" or "keep-alive" in connection))


async def _skip_body(request: Request, reader: asyncio.StreamReader) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) <= MAX_HEAD_BYTES:
        await reader.readexactly(int(length))
