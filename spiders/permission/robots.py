"""robots.txt after RFC 9309: what an answer to it means, and what its rules say of a URL.

In one thing we are stricter: 429 is a 4xx, by which everything would be allowed, but a host that is overloaded is not to be crawled.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import cached_property

from protego import Protego

from schemas.outcomes import Reason
from spiders.download.decode_body import decode_body
from spiders.messages.wire import RobotsReply
from spiders.permission.robots_file import MAX_INLINE_BYTES, crawl_delay, parse_robots
from storage.frontier.robots_cache import CachedRobots

MAX_ROBOTS_BYTES = 500 * 1024
CACHE_SECONDS = 24 * 3600.0
UNREACHABLE_CACHE_SECONDS = 600.0
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True)
class RobotsRules:
    """The rules of one origin for one product token. `status` None: no answer; they hold until `expires_at` (seconds since the epoch).

    Of a large file `reader_reply` is the reader's reply; the reader also checks each URL (`spiders.session.robots_fetch`).
    """

    status: int | None
    body: bytes
    product: str
    expires_at: float = math.inf
    reader_reply: RobotsReply | None = None

    @cached_property
    def _parsed(self) -> Protego:
        return parse_robots(self.body)

    @property
    def is_large(self) -> bool:
        """Whether the file is for a reader: parsed here, it could hold up everything."""
        return self._has_rules and len(self.body) > MAX_INLINE_BYTES

    @property
    def unreachable(self) -> bool:
        """Whether the rules could not be had, which means a complete disallow."""
        return self.status is None or self.status >= 500 or self.is_rate_limited

    @property
    def is_rate_limited(self) -> bool:
        """Whether the host is too busy to give its rules: it is asked again when it says so."""
        return self.status == TOO_MANY_REQUESTS

    def refusal(self, url: str) -> Reason | None:
        """Why a URL may not be fetched, or None where it may."""
        if self.unreachable:
            return Reason.ROBOTS_UNREACHABLE
        if not self._has_rules or self._parsed.can_fetch(url, self.product):
            return None
        return Reason.ROBOTS

    def crawl_delay(self) -> float:
        """Seconds that the site asks for between requests, at most five minutes; 0 if it asks for none."""
        if self.reader_reply is not None:
            return self.reader_reply.delay
        return crawl_delay(self._parsed, self.product) if self._has_rules else 0.0

    def sitemaps(self) -> tuple[str, ...]:
        """The sitemaps that the file names, as written."""
        if self.reader_reply is not None:
            return tuple(self.reader_reply.sitemaps)
        return tuple(self._parsed.sitemaps) if self._has_rules else ()

    @property
    def _has_rules(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def robots_from_response(origin: str, status: int | None, body: bytes, coding: str | None) -> CachedRobots:
    """What to remember of an answer to robots.txt: 24 hours, or ten minutes where there was none."""
    has_rules = status is not None and 200 <= status < 300
    return robots_from_text(origin, status, decode_body(body, coding, MAX_ROBOTS_BYTES + 1) if has_rules else b"")


def robots_from_text(origin: str, status: int | None, text: bytes) -> CachedRobots:
    """The same of a body without content coding."""
    if len(text) > MAX_ROBOTS_BYTES:  # the line that is cut would say something else
        text = text[: max(text.rfind(end, 0, MAX_ROBOTS_BYTES) for end in (b"\n", b"\r")) + 1]
    unreachable = status is None or status >= 500 or status == TOO_MANY_REQUESTS
    return CachedRobots(origin, status, text, time.time() + (UNREACHABLE_CACHE_SECONDS if unreachable else CACHE_SECONDS))
