"""Applies robots.txt by RFC 9309: what a response to it means, and whether its rules allow a URL.

One rule is stricter than the RFC, which allows everything after any 4xx: after 429 nothing is fetched, because the host is overloaded.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from schemas.outcomes import Reason
from schemas.web.ai_preferences import AiPreferences
from spiders.download.decode_body import decode_body
from spiders.messages.wire import RobotsReply
from spiders.permission.ai_rules import AiRule, preferences_of
from spiders.permission.robots_file import MAX_INLINE_BYTES, RobotsFile
from storage.frontier.robots_cache import CachedRobots

MAX_ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: crawlers read at least 500 KiB
CACHE_SECONDS = 24 * 3600.0  # RFC 9309, 2.4: not longer than 24 hours
UNREACHABLE_CACHE_SECONDS = 600.0  # chosen: a short failure of a host blocks it for ten minutes, not for a day
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True)
class RobotsRules:
    """The rules of one origin for one product token, until `expires_at` (seconds since the epoch). `status` is None without a response.

    A large file is not parsed here: `reader_reply` has its delay, its sitemaps and its AI rules, and a reader checks each URL
    (`spiders.session.robots_fetch`).
    """

    status: int | None
    body: bytes
    product: str
    expires_at: float = math.inf
    reader_reply: RobotsReply | None = None

    @cached_property
    def _parsed(self) -> RobotsFile:
        return RobotsFile(self.body, self.product)

    @property
    def is_large(self) -> bool:
        """Whether a reader must parse the file: here it could block the event loop."""
        return self._has_rules and len(self.body) > MAX_INLINE_BYTES

    @property
    def unreachable(self) -> bool:
        """Whether the rules could not be fetched, which disallows everything."""
        return self.status is None or self.status >= 500 or self.is_rate_limited

    @property
    def is_rate_limited(self) -> bool:
        """Whether the host answered 429. It is asked again after the time in its Retry-After."""
        return self.status == TOO_MANY_REQUESTS

    def refusal(self, url: str) -> Reason | None:
        """Why a URL may not be fetched, or None if it may."""
        if self.unreachable:
            return Reason.ROBOTS_UNREACHABLE
        if not self._has_rules or self._parsed.can_fetch(url):
            return None
        return Reason.ROBOTS

    def crawl_delay(self) -> float:
        """Seconds between requests that the site asks for, at most five minutes; 0 if it asks for none."""
        if self.reader_reply is not None:
            return self.reader_reply.delay
        return self._parsed.crawl_delay() if self._has_rules else 0.0

    def sitemaps(self) -> tuple[str, ...]:
        """The sitemaps that the file names, as written."""
        if self.reader_reply is not None:
            return tuple(self.reader_reply.sitemaps)
        return tuple(self._parsed.sitemaps()) if self._has_rules else ()

    def preferences(self, url: str) -> AiPreferences:
        """The AI preferences that the file has for a URL."""
        return preferences_of(self._ai_rules, url)

    @cached_property
    def _ai_rules(self) -> Sequence[AiRule]:
        if self.reader_reply is not None:
            return self.reader_reply.ai_rules
        return self._parsed.ai_rules() if self._has_rules and not self.is_large else ()

    @property
    def _has_rules(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def robots_from_response(origin: str, status: int | None, body: bytes, coding: str | None) -> CachedRobots:
    """What is cached of a response to robots.txt (status None: no response), for 24 hours, or for ten minutes after a failure."""
    has_rules = status is not None and 200 <= status < 300
    return robots_from_text(origin, status, decode_body(body, coding, MAX_ROBOTS_BYTES + 1) if has_rules else b"")


def robots_from_text(origin: str, status: int | None, text: bytes) -> CachedRobots:
    """The same for a body without content coding."""
    if len(text) > MAX_ROBOTS_BYTES:  # a line that is cut off could mean something else
        text = text[: max(text.rfind(end, 0, MAX_ROBOTS_BYTES) for end in (b"\n", b"\r")) + 1]
    unreachable = status is None or status >= 500 or status == TOO_MANY_REQUESTS
    return CachedRobots(origin, status, text, time.time() + (UNREACHABLE_CACHE_SECONDS if unreachable else CACHE_SECONDS))
