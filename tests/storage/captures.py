"""Captures for tests of the archive: plain ones, and unusual responses as real servers send them."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import brotli

from schemas.capture import Capture, UrlKind
from schemas.page import Hints

FETCHED_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
HTML = b"<!doctype html><html><head><title>t</title></head><body><p>Some words.</p></body></html>"

PLAIN = Capture(
    url="http://www.example.com/a/b.html?x=2&a=1",
    fetched_at=FETCHED_AT,
    status=200,
    reason="OK",
    protocol="HTTP/1.1",
    request_headers=((b"Host", b"www.example.com"), (b"User-Agent", b"crawlhouse"), (b"Accept-Encoding", b"gzip")),
    response_headers=((b"Server", b"nginx"), (b"Content-Type", b"text/html; charset=UTF-8"), (b"Content-Length", b"%d" % len(HTML))),
    body=HTML,
    ip_address="192.0.2.7",
    via="http://www.example.com/",
    depth=2,
    latency_ms=34,
)


def numbered(number: int, **changes: object) -> Capture:
    """The plain capture of page `number`, one second later than the one before."""
    url = f"http://www.example.com/page/{number}"
    return replace(PLAIN, url=url, fetched_at=FETCHED_AT + timedelta(seconds=number), **changes)  # type: ignore[arg-type]


def _headers(*pairs: tuple[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
    return pairs


ODD: dict[str, Capture] = {
    "plain": PLAIN,
    "repeated and odd case": replace(
        PLAIN, response_headers=_headers((b"SET-cookie", b"a=1"), (b"x-ODD", b"1"), (b"set-cookie", b"b=2"), (b"Set-Cookie", b"a=1"))
    ),
    "no reason": replace(PLAIN, reason=""),
    "long reason": replace(PLAIN, status=404, reason="Not Found, sorry"),
    "latin-1 header": replace(PLAIN, response_headers=_headers((b"Content-Type", b"text/html"), (b"X-Name", b"caf\xe9"))),
    "latin-1 reason": replace(PLAIN, reason=b"pass\xe9".decode("utf-8", "surrogateescape")),
    "empty value": replace(PLAIN, response_headers=_headers((b"X-Empty", b""), (b"Content-Type", b""))),
    "no headers": replace(PLAIN, response_headers=()),
    "chunked": replace(PLAIN, response_headers=_headers((b"Transfer-Encoding", b"chunked"), (b"Content-Type", b"text/html"))),
    "length too long": replace(PLAIN, response_headers=_headers((b"Content-Length", b"100000"), (b"X-A", b"b"))),
    "length too short": replace(PLAIN, response_headers=_headers((b"content-length", b"3"), (b"X-A", b"b"))),
    "length twice": replace(PLAIN, response_headers=_headers((b"Content-Length", b"3"), (b"Content-Length", b"%d" % len(HTML)))),
    "length no number": replace(PLAIN, response_headers=_headers((b"Content-Length", b"many"))),
    "204": replace(PLAIN, status=204, reason="No Content", response_headers=_headers((b"Server", b"x")), body=b""),
    "304": replace(PLAIN, status=304, reason="Not Modified", response_headers=_headers((b"Content-Length", b"88")), body=b""),
    "empty body": replace(PLAIN, response_headers=_headers((b"Content-Length", b"0")), body=b""),
    "gzip": replace(PLAIN, response_headers=_headers((b"Content-Encoding", b"gzip")), body=gzip.compress(HTML * 3000, mtime=0)),
    "brotli": replace(PLAIN, response_headers=_headers((b"Content-Encoding", b"br")), body=brotli.compress(HTML)),
    "large, said to be gzip": replace(PLAIN, response_headers=_headers((b"Content-Encoding", b"gzip")), body=bytes(range(256)) * 1024),
    "truncated": replace(PLAIN, truncated="length", body=HTML[:20]),
    "redirect": replace(PLAIN, status=301, reason="Moved", response_headers=_headers((b"Location", b"../c?d=1")), body=b""),
    "obs-fold": replace(PLAIN, response_headers=_headers((b"X-Long", b"one\r\n  two"), (b"X-A", b"b"))),
    "newline in a value": replace(PLAIN, response_headers=_headers((b"X-Bad", b"one\r\nX-Injected: two"), (b"X-A", b"b\nc"))),
    "feed with hints": replace(PLAIN, kind=UrlKind.FEED, depth=0, via=None, hints=Hints("A title: é", FETCHED_AT, "feed")),
    "HTTP/1.0": replace(PLAIN, protocol="HTTP/1.0", ip_address=None),
    "body like a header": replace(PLAIN, response_headers=_headers((b"X-A", b"b")), body=b"\r\nWARC/1.1\r\n\r\n\r\n"),
    "non-ASCII URL": replace(PLAIN, url="http://www.example.com/ä/Ö?q=ü"),
}
