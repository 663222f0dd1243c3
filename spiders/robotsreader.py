"""Getting an origin's robots.txt: from what some worker read within a day, or from the site, archived like everything."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from schemas.capture import Capture
from schemas.outcomes import Reason
from spiders.answer import REDIRECTS, location, sitemap_discovery
from spiders.canonical import resolve
from spiders.failure import FetchFailedError
from spiders.robots import TOO_MANY_REQUESTS, UNREACHABLE_LIFE_SECONDS, RobotsRules, robots_from_answer
from spiders.useragent import product
from storage.frontierrecords import Lease
from storage.robotscache import CachedRobots

if TYPE_CHECKING:
    from spiders.session import FetchSession

MAX_REDIRECTS = 5
NO_FILE = 404


async def read_robots(session: FetchSession, lease: Lease, origin: str) -> tuple[RobotsRules, bool]:
    """The rules of an origin, and whether the site was asked for them. The sitemaps that they name are taken in."""
    cached = await session.sql(session.frontier.robots, origin)
    asked = cached is None or cached.status == TOO_MANY_REQUESTS  # when a host may be asked again, its lease and its pace say
    if cached is None or asked:
        cached = await _ask(session, lease, origin)
    rules = RobotsRules(cached.status, cached.body, product(session.crawl), cached.expires_at)
    if session.crawl.scope.sitemaps:
        found = (sitemap_discovery(resolve(origin + "/", url), origin + "/robots.txt") for url in rules.sitemaps())
        session.registrar.find([one for one in found if one and session.scope.covers(one.url, one.kind, 0)])
    return rules, asked


async def _ask(session: FetchSession, lease: Lease, origin: str) -> CachedRobots:
    try:
        capture = await follow(session, lease, origin + "/robots.txt")
    except FetchFailedError as failure:
        if failure.reason is Reason.PRIVATE_ADDRESS:  # then every URL will be refused for that
            return CachedRobots(origin, NO_FILE, b"", time.time() + UNREACHABLE_LIFE_SECONDS)
        robots = robots_from_answer(origin, None, b"", None)
    else:
        robots = robots_from_answer(origin, capture.status, capture.body, capture.header("content-encoding"))
    await session.sql(session.frontier.remember_robots, robots)
    return robots


async def follow(session: FetchSession, lease: Lease, url: str) -> Capture:
    """The last answer of at most five redirects, each of them archived; more than that means that there is no file."""
    for _ in range(MAX_REDIRECTS + 1):
        capture = await session.download(url)
        session.statistics.robots += 1
        session.settling.host_answered(lease, capture)
        session.registrar.mark(lease, None, session.registrar.archive(capture, lease))
        target = resolve(url, location(capture)) if capture.status in REDIRECTS else None
        if target is None:
            return capture
        url = target
    return capture
