"""Odd answers as they go over the wire, and what an archive must keep of them."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass

import brotli

PAGE = b"<!doctype html><title>Odd</title><p>An odd answer.</p>"
HTML = b"Content-Type: text/html\r\n"


@dataclass(frozen=True)
class OddAnswer:
    """`sent` goes over the wire, then the connection is closed. `head` and `body` are what the response record's block must be made of;
    `truncated` its WARC-Truncated. `refused` names the reason for which nothing is archived.
    """

    sent: bytes
    head: bytes = b""
    body: bytes = PAGE
    truncated: str | None = None
    refused: str | None = None


def sized(start: bytes, headers: bytes, body: bytes = PAGE) -> OddAnswer:
    """An answer with a true Content-Length, to be kept as it is."""
    head = start + b"\r\n" + headers + b"Content-Length: %d\r\n\r\n" % len(body)
    return OddAnswer(head + body, head, body)


def chunked(pieces: list[bytes], extension: bytes = b"", trailers: bytes = b"") -> bytes:
    """A chunked body."""
    return b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces) + b"0\r\n" + trailers + b"\r\n"


OK = b"HTTP/1.1 200 OK"
LENGTH = b"Content-Length: %d\r\n" % len(PAGE)
RAW_DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)

ANSWERS: dict[str, OddAnswer] = {
    "repeated": sized(OK, HTML + b"Set-Cookie: a=1\r\nX-TWICE: one\r\nset-cookie: b=2\r\nx-twice: two\r\nSet-Cookie: c=3\r\n"),
    "odd-case": sized(OK, b'cOnTeNt-TyPe: text/html\r\nX-lower-UPPER: kept\r\nETAG: "Aa"\r\n'),
    "no-reason": sized(b"HTTP/1.1 200 ", HTML),
    "long-reason": sized(b"HTTP/1.1 200 Here it is: all well", HTML),
    "odd-status": sized(b"HTTP/1.1 299 Almost", HTML),
    "latin-1": sized(OK, HTML + b"X-Name: caf\xe9 \xff\r\n"),
    "utf-8": sized(OK, HTML + "X-Name: caf\u00e9\r\n".encode()),
    "empty-value": sized(OK, HTML + b"X-Empty: \r\n"),
    "long-header": sized(OK, HTML + b"X-Long: " + b"x" * 30_000 + b"\r\n"),
    "gzip": sized(OK, HTML + b"Content-Encoding: gzip\r\n", gzip.compress(PAGE, mtime=0)),
    "deflate": sized(OK, HTML + b"Content-Encoding: deflate\r\n", zlib.compress(PAGE)),
    "raw-deflate": sized(OK, HTML + b"Content-Encoding: deflate\r\n", RAW_DEFLATE.compress(PAGE) + RAW_DEFLATE.flush()),
    "br": sized(OK, HTML + b"Content-Encoding: br\r\n", brotli.compress(PAGE)),
    "empty": sized(OK, HTML, b""),
    "204": OddAnswer(b"HTTP/1.1 204 No Content\r\nX-Why: nothing\r\n\r\n", b"HTTP/1.1 204 No Content\r\nX-Why: nothing\r\n\r\n", b""),
    "204-body": OddAnswer(b"HTTP/1.1 204 No Content\r\n" + LENGTH + b"\r\n" + PAGE, b"HTTP/1.1 204 No Content\r\n" + LENGTH + b"\r\n", b""),
    "304-body": OddAnswer(
        b"HTTP/1.1 304 Not Modified\r\n" + LENGTH + b"\r\n" + PAGE, b"HTTP/1.1 304 Not Modified\r\n" + LENGTH + b"\r\n", b""
    ),
    "404": sized(b"HTTP/1.1 404 Nowhere", HTML),
    "redirect": sized(b"HTTP/1.1 302 Found", HTML + b"Location: /empty\r\n"),
    "early-hints": OddAnswer(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n" + OK + b"\r\n" + HTML + LENGTH + b"\r\n" + PAGE,
        OK + b"\r\n" + HTML + LENGTH + b"\r\n",
    ),
    "http-1.0": OddAnswer(b"HTTP/1.0 200 OK\r\n" + HTML + b"\r\n" + PAGE, b"HTTP/1.0 200 OK\r\n" + HTML + b"\r\n"),
    "until-close": OddAnswer(OK + b"\r\n" + HTML + b"\r\n" + PAGE, OK + b"\r\n" + HTML + b"\r\n"),
    "chunked": OddAnswer(
        OK + b"\r\n" + HTML + b"Transfer-Encoding: chunked\r\n\r\n" + chunked([PAGE[:7], PAGE[7:]], b";name=value", b"X-Trailer: late\r\n"),
        OK + b"\r\n" + HTML + b"X-Crawler-Transfer-Encoding: chunked\r\n\r\n",
    ),
    "chunked-gzip": OddAnswer(
        OK
        + b"\r\n"
        + HTML
        + b"content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"
        + chunked([gzip.compress(PAGE, mtime=0)[:10], gzip.compress(PAGE, mtime=0)[10:]]),
        OK + b"\r\n" + HTML + b"content-encoding: gzip\r\nX-Crawler-transfer-encoding: chunked\r\n\r\n",
        gzip.compress(PAGE, mtime=0),
    ),
    "short-body": OddAnswer(
        OK + b"\r\n" + HTML + b"Content-Length: 1000\r\n\r\n" + PAGE,
        OK + b"\r\n" + HTML + b"X-Crawler-Content-Length: 1000\r\n" + LENGTH + b"\r\n",
        truncated="disconnect",
    ),
    "long-body": OddAnswer(
        OK + b"\r\n" + HTML + b"Content-Length: 10\r\n\r\n" + PAGE,
        OK + b"\r\n" + HTML + b"Content-Length: 10\r\n\r\n",
        PAGE[:10],
    ),
    "cut-chunk": OddAnswer(
        OK + b"\r\n" + HTML + b"Transfer-Encoding: chunked\r\n\r\n" + b"20\r\n" + PAGE[:32] + b"\r\n400\r\n" + PAGE[32:],
        OK + b"\r\n" + HTML + b"X-Crawler-Transfer-Encoding: chunked\r\n\r\n",
        truncated="disconnect",
    ),
    "no-chunk": OddAnswer(
        OK + b"\r\n" + HTML + b"Transfer-Encoding: chunked\r\n\r\nsome\r\n" + PAGE,
        OK + b"\r\n" + HTML + b"X-Crawler-Transfer-Encoding: chunked\r\n\r\n",
        b"",
        truncated="disconnect",
    ),
    "bad-chunk-size": OddAnswer(
        OK + b"\r\n" + HTML + b"Transfer-Encoding: chunked\r\n\r\n" + b"20\r\n" + PAGE[:32] + b"\r\nxyz\r\n" + PAGE[32:],
        OK + b"\r\n" + HTML + b"X-Crawler-Transfer-Encoding: chunked\r\n\r\n",
        PAGE[:32],
        truncated="disconnect",
    ),
    "chunk-without-end": OddAnswer(
        OK + b"\r\n" + HTML + b"Transfer-Encoding: chunked\r\n\r\n" + b"20\r\n" + PAGE,
        OK + b"\r\n" + HTML + b"X-Crawler-Transfer-Encoding: chunked\r\n\r\n",
        PAGE[:32],
        truncated="disconnect",
    ),
    "too-long-header": OddAnswer(
        OK + b"\r\n" + HTML + b"X-Long: " + b"x" * 300_000 + b"\r\n" + LENGTH + b"\r\n" + PAGE, refused="malformed_response"
    ),
    "no-http": OddAnswer(b"Hello.\r\n\r\n" + PAGE, refused="malformed_response"),
    "obs-fold": OddAnswer(
        OK + b"\r\n" + HTML + b"X-Folded: one\r\n  two\r\n" + LENGTH + b"\r\n" + PAGE,
        OK + b"\r\n" + HTML + b"X-Folded: one two\r\n" + LENGTH + b"\r\n",
    ),
}
