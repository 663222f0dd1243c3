"""Makes the User-Agent header: the crawler's name and version, and how to reach the people who run it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from schemas.config.crawl import Crawl

PROJECT = "crawlhouse"


def user_agent(crawl: Crawl) -> str:
    """The User-Agent header, for example `crawlhouse/0.1.0 (+https://example.com/bot)`."""
    try:
        release = version(PROJECT)
    except PackageNotFoundError:
        release = "0"
    contact = f" (+{crawl.politeness.contact})" if crawl.politeness.contact else ""
    return f"{crawl.politeness.product()}/{release}{contact}"
