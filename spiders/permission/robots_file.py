"""A robots.txt that is parsed: in the worker where it is small, in a reader's process where it is not.

Parsing takes time in proportion to the product of its groups' names and rules, so that half a megabyte can take minutes.
"""

from __future__ import annotations

from protego import Protego

MAX_CRAWL_DELAY_SECONDS = 300.0
MAX_INLINE_BYTES = 16 * 1024  # what is parsed in some 0.1 s of CPU time at most, whatever it holds


def parse_robots(body: bytes) -> Protego:
    """The rules in a decoded file."""
    return Protego.parse(body.decode("utf-8-sig", "replace"))


def crawl_delay(rules: Protego, product: str) -> float:
    """Seconds that the site asks a crawler for between requests, at most five minutes; 0 if it asks for none."""
    delay = rules.crawl_delay(product) or 0.0
    rate = rules.request_rate(product)
    if rate is not None and rate.requests:
        delay = max(delay, rate.seconds / rate.requests)
    return float(min(delay, MAX_CRAWL_DELAY_SECONDS))
