"""Parses a robots.txt: in the worker if it is small, otherwise in a reader's process.

The time grows with the number of user agents multiplied by the number of rules. Half a megabyte can take minutes.
"""

from __future__ import annotations

from protego import Protego

MAX_CRAWL_DELAY_SECONDS = 300.0  # with a longer one a host would not get through its URLs in a day
MAX_INLINE_BYTES = 16 * 1024  # the most that is parsed within 0.1 s of CPU time, whatever the file holds (measured)


def parse_robots(body: bytes) -> Protego:
    """The rules in a decoded file."""
    return Protego.parse(body.decode("utf-8-sig", "replace"))


def crawl_delay(rules: Protego, product: str) -> float:
    """Seconds between requests that the site asks this crawler for, at most five minutes; 0 if it asks for none."""
    delay = rules.crawl_delay(product) or 0.0
    rate = rules.request_rate(product)
    if rate is not None and rate.requests:
        delay = max(delay, rate.seconds / rate.requests)
    return float(min(delay, MAX_CRAWL_DELAY_SECONDS))
