"""When a fetched URL is due again: applies the revisit policy to what the fetch showed, within the bounds of the crawl's YAML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from urllib.parse import urlsplit

from schemas.capture import UrlKind
from schemas.config.crawl import Revisit
from spiders.schedule.edits import hint_wait
from spiders.schedule.revisit import Bounds, RevisitState, Visit, after_visit, due_at
from storage.frontier.records import DueUrl

HOUR_SECONDS = 3600.0
SITEMAP_SPEED = 0.75  # chosen: most sites write sitemaps at intervals, but feeds with each article
ARTICLE_PATH = re.compile(r"\d{5,}|(?:[^/-]+-){3,}[^/-]+/?$|/\d{4}/\d{1,2}/|\.(?:s?html?|php|aspx?)$")


@dataclass(frozen=True, slots=True)
class NextVisit:
    """When a URL is due again, in seconds since the epoch (None: never), and the policy's state as text."""

    due_at: float | None
    revisit: str | None
    is_primary_source: bool = False


def source_speed(kind: UrlKind) -> float:
    """How soon a source of a kind usually shows the news, 1 for the quickest kind."""
    return SITEMAP_SPEED if kind is UrlKind.SITEMAP else 1.0


def tie_breaker(url: str) -> float:
    """A number between 0 and 1, always the same for a URL."""
    return int.from_bytes(blake2b(url.encode("utf-8", "surrogatepass"), digest_size=2).digest()) / 65_536


def bounds(revisit: Revisit, kind: UrlKind, url: str, depth: int) -> Bounds:
    """The shortest and longest interval for a URL."""
    if kind is UrlKind.FEED:
        return Bounds(revisit.feeds_min, revisit.feeds_max)
    if kind is UrlKind.SITEMAP:
        return Bounds(revisit.sitemaps_min, revisit.sitemaps_max)
    if is_hub(url, depth):
        return Bounds(revisit.hubs_min, revisit.hubs_max)
    return Bounds(revisit.articles_min, revisit.articles_max)


def hints_after(revisit: Revisit) -> float:
    """The seconds since an article's last fetch during which hints that it was edited are ignored."""
    return max(revisit.articles_min, hint_wait(revisit.price)) * HOUR_SECONDS


def appeared_at(due: DueUrl) -> float:
    """Since when an article can have been edited: its publication time if a feed or sitemap gave one, at the latest when it was found."""
    published = due.hints.published_at
    return due.first_seen if published is None else min(published.timestamp(), due.first_seen)


def is_hub(url: str, depth: int) -> bool:
    """Whether a URL looks like a front or section page: a seed, or a short path without a date, number or long slug."""
    return depth == 0 or not ARTICLE_PATH.search(urlsplit(url).path)


def after_response(
    revisit: Revisit, due: DueUrl, kind: UrlKind, now: float, changed: bool, new_items: int, items: Sequence[datetime]
) -> NextVisit:
    """The next visit after a response. `items` are the publication times that a feed or sitemap gives."""
    times = [moment.timestamp() / HOUR_SECONDS for moment in items]
    return _next(revisit, due, kind, Visit(now / HOUR_SECONDS, changed, new_items, times), 0.0)


def due_again(revisit: Revisit, kind: UrlKind, url: str, depth: int, state: str) -> float:
    """When a URL that was visited is due by other intervals, in seconds since the epoch. `state` is the policy's, as text."""
    return due_at(RevisitState.from_text(state), bounds(revisit, kind, url, depth), revisit.price) * HOUR_SECONDS


def after_failure(revisit: Revisit, due: DueUrl, now: float, wait: float = 0.0, gone: bool = False) -> NextVisit:
    """The next visit after a failure, at least `wait` seconds later."""
    return _next(revisit, due, due.kind, Visit(now / HOUR_SECONDS, failed=not gone, gone=gone), wait)


def _next(revisit: Revisit, due: DueUrl, kind: UrlKind, visit: Visit, wait: float) -> NextVisit:
    is_source = kind is not UrlKind.PAGE or is_hub(due.url, due.depth)
    state = RevisitState(is_source, appeared_at(due) / HOUR_SECONDS, source_speed=source_speed(kind), tie_breaker=tie_breaker(due.url))
    if due.revisit is not None:
        known = RevisitState.from_text(due.revisit)
        state = replace(known, source_speed=state.source_speed, tie_breaker=state.tie_breaker) if known.source == is_source else state
    state = after_visit(state, visit, [RevisitState.from_text(text) for text in due.other_primary_sources], revisit.price)
    moment = due_at(state, bounds(revisit, kind, due.url, due.depth), revisit.price) * HOUR_SECONDS
    return NextVisit(max(moment, visit.at * HOUR_SECONDS + wait), state.to_text(), state.is_primary_source and not state.failures)
