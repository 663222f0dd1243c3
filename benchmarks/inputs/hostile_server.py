"""Serves harmful responses, each on its own host, and a neighbour with good pages: `python -m benchmarks.inputs.hostile_server`.

Its first line is JSON with the addresses. On SIGTERM it prints the times of the requests to the neighbour, as JSON.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import sys
import time
from collections.abc import Callable

MIB = 1 << 20
PAGES = 600
NEIGHBOUR = "127.0.0.2"
Body = tuple[bytes, str, str]  # body, media type, content coding


def _packed(body: bytes, kind: str = "text/html", times: int = 1) -> Body:
    for _ in range(times):
        body = gzip.compress(body, 9, mtime=0)
    return body, kind, ", ".join(["gzip"] * times)


def _zstd_frames() -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    frame = zstd.compress(b"")
    return frame * (15 * MIB // len(frame))


def _repeated(part: bytes, size: int = 15 * MIB, head: bytes = b"<html><body>") -> bytes:
    return head + part * (size // len(part))


def _items(count: int) -> bytes:
    item = b"<item><title>Item %d</title><link>/i/%d</link><pubDate>Tue, 03 Feb 2026 04:05:00 GMT</pubDate></item>"
    return b"<rss version='2.0'><channel>" + b"".join(item % (number, number) for number in range(count)) + b"</channel></rss>"


def _locations(count: int) -> bytes:
    entries = b"".join(b"<url><loc>/s/%d</loc></url>" % number for number in range(count))
    return b"<urlset>" + entries + b"</urlset>"


def _robots() -> bytes:
    agents = b"".join(b"User-agent: bot%d\n" % number for number in range(12_000))
    return agents + b"".join(b"Disallow: /%d*x\n" % number for number in range(15_000)) + b"User-agent: *\nAllow: /\n"


KINDS: dict[str, Callable[[], Body]] = {
    "self-closed tags": lambda: _packed(_repeated(b"<div/>")),
    "tags closed by others": lambda: _packed(_repeated(b"<div></x>")),
    "nested tables": lambda: _packed(_repeated(b"<table><tr><td>")),
    "formatting elements": lambda: _packed(_repeated(b"".join(b"<font color=%d>" % n for n in range(3_000)) + b"<p>" * 3_000, 4 * MIB)),
    "many attributes": lambda: _packed(b"<div " + b" ".join(b"a%d=1" % n for n in range(1_000_000)) + b">"),
    "a million links": lambda: (b"<html><body>" + b"".join(b"<a href=/p/%d>x</a>" % n for n in range(700_000)), "text/html", ""),
    "many small elements": lambda: _packed(_repeated(b"<p>x</p>")),
    "empty gzip members": lambda: (gzip.compress(gzip.compress(b"", mtime=0) * (15 * MIB // 20)), "text/html", "gzip, gzip"),
    "empty zstd frames": lambda: (_zstd_frames(), "text/html", "zstd"),
    "gzip three times": lambda: _packed(_repeated(b"<p>x</p>", 128 * MIB), times=3),
    "a feed of 16 MB": lambda: _packed(_repeated(b"<item><link>/1</link></item>", head=b"<rss><channel>"), "text/xml"),
    "a feed of 60,000 entries": lambda: _packed(_items(60_000), "text/xml"),
    "a feed in EBCDIC": lambda: _packed(b"<?xml version='1.0' encoding='cp037'?><rss" + b"%" * (4 * MIB) + b"\x4c\x99\x6e", "text/xml"),
    "a feed of blank lines": lambda: _packed(b"<?xml version='1.0'?>" + b"\n" * (4 * MIB) + b"<rss><channel></channel></rss>", "text/xml"),
    "a feed of declarations": lambda: _packed(b"<!DOCTYPE rss [" + b"\n<!ENTITY" * MIB + b"<rss></rss>", "text/xml"),
    "a sitemap of 400,000 pages": lambda: _packed(_locations(400_000), "text/xml"),
    "a sitemap of empty elements": lambda: _packed(_repeated(b"<a/>", head=b"<urlset>"), "text/xml"),
    "a sitemap of one entry": lambda: _packed(_repeated(b"<a>x</a>", head=b"<urlset><url>"), "text/xml"),
    "a list of empty lines": lambda: _packed(b"http://a/\n" + b"\n" * (15 * MIB), "text/plain"),
    "meta elements": lambda: _packed(_repeated(b"<meta name=robots content=x>")),
    "a large robots.txt": lambda: (b"<html><body>fine", "text/html", ""),
}
ROBOTS_HOSTS = frozenset({"a large robots.txt"})


def page(number: int) -> bytes:
    """A good page, from which the next ones can be reached."""
    links = b"".join(b"<a href=/n/%d>x</a>" % (number * 10 + step) for step in range(1, 11) if number * 10 + step < PAGES)
    return b"<!DOCTYPE html><html><head><title>Page</title></head><body>" + b"<p>text of a page</p>" * 200 + links + b"</body></html>"


async def main() -> None:
    """Serve until SIGTERM."""
    asked: list[float] = []
    bodies = {name: make() for name, make in KINDS.items()}
    robots = _robots()
    hosts = {f"127.0.1.{place}": name for place, name in enumerate(KINDS, 1)}

    def answer(host: str, path: str) -> bytes:
        if host == NEIGHBOUR and path.startswith("/n/"):
            asked.append(time.monotonic())
            return _answer(page(int(path.rsplit("/", 1)[-1])), "text/html", "")
        name = hosts.get(host, "")
        if path == "/robots.txt" and name in ROBOTS_HOSTS:
            return _answer(robots, "text/plain", "")
        if path.startswith("/hostile"):
            return _answer(*bodies[name])
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(answer(host, head.split(b" ", 2)[1].decode()))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    servers = [await asyncio.start_server(serve, host, 0) for host in (NEIGHBOUR, *hosts)]
    bases = [f"http://{host}:{server.sockets[0].getsockname()[1]}" for host, server in zip((NEIGHBOUR, *hosts), servers, strict=True)]
    print(json.dumps({"neighbour": bases[0], "hostile": dict(zip(bases[1:], hosts.values(), strict=True))}), flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    print(json.dumps(asked), flush=True)


def _answer(body: bytes, kind: str, coding: str) -> bytes:
    coded = f"Content-Encoding: {coding}\r\n" if coding else ""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{coded}Content-Length: {len(body)}\r\n\r\n".encode() + body


if __name__ == "__main__":
    asyncio.run(main())
