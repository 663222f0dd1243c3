"""One HTTP exchange as bytes. Spiders write it to the archive, and processing reads it from there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from schemas.page import Hints
from schemas.web.ai_preferences import NO_PREFERENCES, AiPreferences

HeaderList = tuple[tuple[bytes, bytes], ...]


class UrlKind(StrEnum):
    """What a URL is to the crawler."""

    PAGE = "page"
    FEED = "feed"
    SITEMAP = "sitemap"
    ROBOTS = "robots"
    UNRENDERED = "shell"  # a page as the server sent it, before a browser rendered it; the value stays, WARC files and tables hold it


@dataclass(frozen=True, slots=True)
class Capture:
    """One HTTP exchange.

    `body` is the payload as received: transfer coding removed, content coding kept. `fetched_at` is aware, UTC.
    `reason` is the status line's reason phrase, `protocol` for example `HTTP/1.1`. Header lists keep order, case and repeats.
    `truncated` is a WARC-Truncated reason (`length`, `time`, `disconnect`, `unspecified`) or None.
    `latency_ms` counts from the request to the last byte. `request_body` is what a POST sent.
    `preferences` are the AI preferences that are stated elsewhere than in its headers: in robots.txt, or in the headers of a page that a
    browser rendered.
    """

    url: str
    fetched_at: datetime
    status: int
    reason: str
    protocol: str
    request_headers: HeaderList
    response_headers: HeaderList
    body: bytes
    method: str = "GET"
    ip_address: str | None = None
    truncated: str | None = None
    kind: UrlKind = UrlKind.PAGE
    via: str | None = None
    depth: int = 0
    latency_ms: int = 0
    hints: Hints = field(default_factory=Hints)
    request_body: bytes = b""
    preferences: AiPreferences = NO_PREFERENCES

    def header(self, name: str) -> str | None:
        """The first response header of that name, case-insensitive."""
        return next(self._values(name), None)

    def joined_header(self, name: str) -> str | None:
        """All response headers of that name as one, joined with commas (RFC 9110, 5.3); None without any."""
        return ", ".join(self._values(name)) or None

    def _values(self, name: str) -> Iterator[str]:
        wanted = name.lower().encode()
        for key, value in self.response_headers:
            if key.lower().rstrip() == wanted:  # some servers write a blank before the colon
                yield value.decode("latin-1").strip()
