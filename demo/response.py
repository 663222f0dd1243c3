"""An HTTP response, and its bytes for a plain, a conditional or a compressed request."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus

MIN_GZIP_BYTES = 200  # gzip makes shorter bodies longer


@dataclass
class Request:
    """A request as read: `target` is the path with its query, header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    keep_alive: bool = True

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass
class Response:
    """A whole response. It is kept between requests, so the compressed body and the ETag are made once."""

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    modified_at: datetime | None = None
    headers: tuple[tuple[str, str], ...] = ()
    sent_as_is: bool = False  # the body is not compressed, whatever the request's headers say
    _parts: dict[str, bytes] = field(default_factory=dict, repr=False)

    def to_bytes(self, request: Request) -> bytes:
        """The bytes to send: 304 without a body if the client's copy is current, gzip if the client accepts it."""
        if self.status == 200 and self._is_current(request):
            return self._head(304, b"", compressed=False) + b"\r\n"
        compressed = not self.sent_as_is and "gzip" in request.headers.get("accept-encoding", "") and len(self.body) >= MIN_GZIP_BYTES
        key = "gzip" if compressed else "plain"
        if key not in self._parts:
            sent = gzip.compress(self.body, 6, mtime=0) if compressed else self.body
            self._parts[key + "-head"], self._parts[key] = self._head(self.status, sent, compressed=compressed), sent
        head = self._parts[key + "-head"]
        return head + b"\r\n" if request.method == "HEAD" else head + b"\r\n" + self._parts[key]

    def etag(self) -> str:
        """A strong validator of the body."""
        return f'"{hashlib.sha1(self.body, usedforsecurity=False).hexdigest()[:20]}"'

    def _is_current(self, request: Request) -> bool:
        if wanted := request.headers.get("if-none-match"):
            return self.etag() in wanted or wanted.strip() == "*"
        since = request.headers.get("if-modified-since")
        if not since or self.modified_at is None:
            return False
        try:
            return self.modified_at.replace(microsecond=0) <= parsedate_to_datetime(since)
        except (ValueError, TypeError):
            return False

    def _head(self, status: int, sent: bytes, *, compressed: bool) -> bytes:
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", "Server: crawlhouse-demo"]
        if self.modified_at:
            lines.append(f"Last-Modified: {format_datetime(self.modified_at, usegmt=True)}")
        if self.status == 200:
            lines += [f"ETag: {self.etag()}", "Vary: Accept-Encoding", "Cache-Control: max-age=60"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if status != 304:
            lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(sent)}"]
        if compressed:
            lines.append("Content-Encoding: gzip")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n"


def redirect(location: str, status: int = 302) -> Response:
    """A redirect."""
    return Response(b"", "text/html; charset=utf-8", status, headers=(("Location", location),))
