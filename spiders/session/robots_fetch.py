"""Getting an origin's robots.txt: from what some worker read within a day, or from the site, archived like everything."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from schemas.capture import Capture
from schemas.outcomes import Reason
from spiders.discover.response import REDIRECTS, location, sitemap_discovery
from spiders.download.failure import FetchFailedError
from spiders.download.user_agent import product
from spiders.messages.wire import Question, Task
from spiders.permission.robots import (
    MAX_ROBOTS_BYTES,
    TOO_MANY_REQUESTS,
    UNREACHABLE_LIFE_SECONDS,
    RobotsRules,
    robots_from_answer,
    robots_from_text,
)
from spiders.reading.reader import Unread
from spiders.urls.canonical import resolve
from storage.frontier.records import Lease
from storage.frontier.robots_cache import CachedRobots

if TYPE_CHECKING:
    from spiders.session.session import FetchSession

MAX_REDIRECTS = 5
NO_FILE = 404


async def read_robots(session: FetchSession, lease: Lease, origin: str) -> tuple[RobotsRules, bool]:
    """The rules of an origin, and whether the site was asked for them. The sitemaps that they name are taken in."""
    cached = await session.sql(session.frontier.robots, origin)
    asked = cached is None or cached.status == TOO_MANY_REQUESTS  # when a host may be asked again, its lease and its pace say
    if cached is None or asked:
        cached = await _ask(session, lease, origin)
    rules = await with_rules(session, cached)
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
        robots = await robots_of(session, origin, capture)
    await session.sql(session.frontier.cache_robots, robots)
    return robots


async def robots_of(session: FetchSession, url: str, capture: Capture) -> CachedRobots:
    """What to remember of an answer to robots.txt, or to another file about the origin. One that cannot be decoded in time is no answer."""
    if not 200 <= capture.status < 300:
        return robots_from_text(url, capture.status, b"")
    text = await session.readers.decoded(capture, MAX_ROBOTS_BYTES + 1)
    return robots_from_answer(url, None, b"", None) if isinstance(text, Unread) else robots_from_text(url, capture.status, text)


async def with_rules(session: FetchSession, cached: CachedRobots) -> RobotsRules:
    """The rules in a cached file. A large one is read by a reader; one that takes too long is as good as none, and forbids everything."""
    rules = RobotsRules(cached.status, cached.body, product(session.crawl), cached.expires_at)
    if not rules.is_large:
        return rules
    result = await session.readers.ask(Question(Task.ROBOTS), cached.body)
    if isinstance(result, Unread):
        return replace(rules, status=None, body=b"", expires_at=min(rules.expires_at, time.time() + UNREACHABLE_LIFE_SECONDS))
    return replace(rules, told=result.robots)


async def refusal(session: FetchSession, rules: RobotsRules, url: str) -> Reason | None:
    """Why a URL may not be fetched by the rules of its origin, or None where it may."""
    if not rules.is_large:
        return rules.refusal(url)
    result = await session.readers.ask(Question(Task.ROBOTS, url=url), rules.body)
    if isinstance(result, Unread) or result.robots is None:
        return Reason.ROBOTS_UNREACHABLE
    return None if result.robots.allowed else Reason.ROBOTS


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
