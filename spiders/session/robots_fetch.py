"""Gets an origin's robots.txt: from the cache that all workers share, or from the site."""

from __future__ import annotations

import time
from dataclasses import replace

from schemas.outcomes import Reason
from spiders.discover.response import sitemap_discovery
from spiders.messages.wire import Question, ReaderTask
from spiders.permission.robots import TOO_MANY_REQUESTS, UNREACHABLE_CACHE_SECONDS, RobotsRules
from spiders.reading.reader import ReadFailure
from spiders.session.context import FetchContext
from spiders.session.origin_file import OriginFile, OriginRules, fetch_origin_file, file_to_cache
from spiders.urls.canonical import resolve_link
from spiders.urls.listed_address import listed_address
from storage.frontier.records import Lease
from storage.frontier.robots_cache import CachedRobots

NO_FILE = 404


async def load_robots_rules(context: FetchContext, lease: Lease, origin: str) -> OriginRules[RobotsRules]:
    """The rules of an origin. The sitemaps that they name go to the frontier."""
    cached, file = await context.database.run(context.frontier.robots, origin), None
    if cached is None or cached.status == TOO_MANY_REQUESTS:  # its lease and its pace say when a busy host may be asked again
        file = await fetch_origin_file(context, lease, origin + "/robots.txt")
        cached = await _remember(context, origin, file)
    rules = await rules_of(context, cached)
    if context.crawl.scope.sitemaps:
        addresses = (resolve_link(origin + "/", listed_address(url, origin + "/")) for url in rules.sitemaps())
        found = (sitemap_discovery(address, origin + "/robots.txt") for address in addresses)
        context.registrar.add_discoveries([one for one in found if one and context.scope.covers(one.url, one.kind, 0)])
    return OriginRules(rules, file is not None, file.responses if file else ())


async def _remember(context: FetchContext, origin: str, file: OriginFile) -> CachedRobots:
    if file.failure is not None and file.failure.reason is Reason.PRIVATE_ADDRESS:  # then every URL will be refused for that
        return CachedRobots(origin, NO_FILE, b"", time.time() + UNREACHABLE_CACHE_SECONDS)
    robots = await file_to_cache(context, origin, None if file.failure else file.responses[-1])
    await context.database.run(context.frontier.cache_robots, robots)
    return robots


async def rules_of(context: FetchContext, cached: CachedRobots) -> RobotsRules:
    """The rules in a cached file.

    A large file is read by a reader. If that takes too long, nothing may be fetched, as after a request without a response.
    """
    rules = RobotsRules(cached.status, cached.body, context.crawl.politeness.product(), cached.expires_at)
    if not rules.is_large:
        return rules
    result = await context.readers.ask(Question(ReaderTask.ROBOTS), cached.body)
    if isinstance(result, ReadFailure):
        return replace(rules, status=None, body=b"", expires_at=min(rules.expires_at, time.time() + UNREACHABLE_CACHE_SECONDS))
    return replace(rules, reader_reply=result.robots)


async def robots_refusal(context: FetchContext, rules: RobotsRules, url: str) -> Reason | None:
    """Why a URL may not be fetched by the rules of its origin, or None if it may."""
    if not rules.is_large:
        return rules.refusal(url)
    result = await context.readers.ask(Question(ReaderTask.ROBOTS, url=url), rules.body)
    if isinstance(result, ReadFailure) or result.robots is None:
        return Reason.ROBOTS_UNREACHABLE
    return None if result.robots.allowed else Reason.ROBOTS
