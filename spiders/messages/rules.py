"""The part of a crawl's configuration that readers of bodies need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spiders.urls.scope import CrawlScope

if TYPE_CHECKING:  # pydantic stays out of the readers' processes
    from schemas.config.crawl import Crawl


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """`product` is the crawler's product token. `feeds`, `sitemaps`, `links`: whether they are followed. `max_bytes` limits decoded bodies.

    `obeys_nofollow`: the links of pages with `nofollow` are ignored.
    """

    scope: CrawlScope
    product: str
    links: bool
    feeds: bool
    sitemaps: bool
    max_bytes: int
    obeys_nofollow: bool


def reading_rules(crawl: Crawl, scope: CrawlScope) -> ReadingRules:
    """The rules of a crawl."""
    given = crawl.scope
    product, obeys_nofollow = crawl.politeness.product(), crawl.politeness.opt_outs == "obey"
    return ReadingRules(scope, product, given.follow_links, given.feeds, given.sitemaps, crawl.budgets.max_body_bytes, obeys_nofollow)
