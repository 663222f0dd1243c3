"""Parses a robots.txt: in the worker if it is small, otherwise in a reader's process.

A large file can take seconds: it may have tens of thousands of rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from protego import Protego

from spiders.download.text_charset import file_text
from spiders.permission.ai_rules import MENTIONED, AiRule, read_ai_rules
from spiders.permission.robots_agents import OURS, name_groups
from spiders.urls.listed_address import listed_addresses

MAX_CRAWL_DELAY_SECONDS = 300.0  # with a longer one a host would not get through its URLs in a day
UNSEEN = re.compile("[\\x00\\u200b-\\u200f\\u2060\\ufeff]")  # in front of a name or in it, they would hide it
MISSPELT_COLON = re.compile(
    r"^([ \t]{0,20}[A-Za-z][A-Za-z _-]{1,20})[ \t]{0,20}(?:\uff1a|::|=)", re.MULTILINE
)  # `=`, or that of a Chinese keyboard
MAX_INLINE_BYTES = 16 * 1024  # the most that is parsed within 0.1 s of CPU time, whatever the file holds (measured)


class RobotsFile:
    """The rules of a decoded file for the crawler with this product token."""

    def __init__(self, body: bytes, product: str) -> None:
        self._body, self._product = body, product
        self._rules = Protego.parse(name_groups(robots_text(body), product))

    def can_fetch(self, url: str) -> bool:
        """Whether the rules allow a URL."""
        return self._rules.can_fetch(url, OURS)

    def crawl_delay(self) -> float:
        """Seconds between requests that the site asks this crawler for, at most five minutes; 0 if it asks for none."""
        delay = self._rules.crawl_delay(OURS) or 0.0
        rate = self._rules.request_rate(OURS)
        if rate is not None and rate.requests:
            delay = max(delay, rate.seconds / rate.requests)
        return float(min(delay, MAX_CRAWL_DELAY_SECONDS))

    def sitemaps(self) -> Iterator[str]:
        """The sitemaps that the file names, as written."""
        return (address for line in self._rules.sitemaps for address in listed_addresses(line))

    def ai_rules(self) -> list[AiRule]:
        """The rules about the use of content that are for this crawler."""
        text = robots_text(self._body)
        return read_ai_rules(text, self._product) if MENTIONED.search(text) else []


def robots_text(body: bytes) -> str:
    """The text of a decoded file: UTF-8, as RFC 9309 asks, or what editors save instead, such as UTF-16. Characters without a sense go."""
    return MISSPELT_COLON.sub(r"\1:", UNSEEN.sub("", file_text(body)))
