"""When a fetched URL is due again: applies the revisit policy to what the fetch showed, within the bounds of the crawl's YAML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from urllib.parse import urlsplit

from schemas.capture import UrlKind
from schemas.config.crawl import Revisit
from schemas.config.schedule import has_times, shortest_interval
from spiders.schedule.edits import hint_wait
from spiders.schedule.revisit import after_visit, due_at
from spiders.schedule.state import Bounds, RevisitState, Visit
from storage.frontier.records import DueUrl

HOUR_SECONDS = 3600.0
SITEMAP_SPEED = 0.75  # chosen: most sites write sitemaps at intervals, but feeds with each article
FEW_ITEMS = 4  # so many may all be modified between two visits; chosen
ARTICLE_PATH = re.compile(r"\d{5,}|(?:[^/-]+-){3,}[^/-]+/?$|/\d{4}/\d{1,2}/|\.(?:s?html?|php|aspx?)$")


@dataclass(frozen=True, slots=True)
class NextVisit:
    """When a URL is due again, in seconds since the epoch (None: never), and the policy's state as text."""

    due_at: float | None
    revisit: str | None
    is_primary_source: bool = False


@dataclass(frozen=True, slots=True)
class ItemTimes:
    """What a feed or sitemap says of one item: when it was published and modified, in seconds since the epoch; and the kind of source."""

    published_at: float | None = None
    modified_at: float | None = None
    source: str | None = None


def source_speed(kind: UrlKind) -> float:
    """How soon a source of a kind usually shows the news, 1 for the quickest kind."""
    return SITEMAP_SPEED if kind is UrlKind.SITEMAP else 1.0


def tie_breaker(url: str) -> float:
    """A number between 0 and 1, always the same for a URL."""
    return int.from_bytes(blake2b(url.encode("utf-8", "surrogatepass"), digest_size=2).digest()) / 65_536


def bounds(revisit: Revisit, kind: UrlKind, url: str, depth: int, between_runs: float = 0.0) -> Bounds:
    """The shortest and longest interval for a URL. `between_runs` is in hours, 0 if unknown."""
    if kind is UrlKind.FEED:
        return Bounds(revisit.feeds_min, revisit.feeds_max, between_runs)
    if kind is UrlKind.SITEMAP:
        return Bounds(revisit.sitemaps_min, revisit.sitemaps_max, between_runs)
    if is_hub(url, depth):
        return Bounds(revisit.hubs_min, revisit.hubs_max, between_runs)
    return Bounds(revisit.articles_min, revisit.articles_max, between_runs)


def hours_between_runs(schedule: str | None) -> float:
    """The shortest time between two runs by a crawl's schedule, in hours; 0 if it has no schedule."""
    interval = shortest_interval(schedule) if schedule is not None and has_times(schedule) else None
    return 0.0 if interval is None else interval.total_seconds() / HOUR_SECONDS


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
    revisit: Revisit,
    due: DueUrl,
    kind: UrlKind,
    now: float,
    changed: bool,
    new_items: int,
    items: Sequence[ItemTimes],
    between_runs: float = 0.0,
) -> NextVisit:
    """The next visit after a response. `items` are the times that a feed or sitemap gives for its items.

    `between_runs` are the hours between two runs of the crawl, 0 if unknown.
    """
    published = [item.published_at / HOUR_SECONDS for item in items if item.published_at is not None]
    modified = [item.modified_at / HOUR_SECONDS for item in items if item.modified_at is not None]
    if _says_nothing(modified, now / HOUR_SECONDS - 1):
        modified = []
    visit = Visit(now / HOUR_SECONDS, changed, new_items, published, modified_times=modified, modified=_count_modified(due, items, now))
    return _next(revisit, due, kind, visit, 0.0, between_runs)


def due_again(revisit: Revisit, between_runs: float, kind: UrlKind, url: str, depth: int, state: str) -> float:
    """When a URL that was visited is due by other intervals, in seconds since the epoch. `state` is the policy's, as text."""
    return due_at(RevisitState.from_text(state), bounds(revisit, kind, url, depth, between_runs), revisit.price) * HOUR_SECONDS


def after_failure(revisit: Revisit, due: DueUrl, now: float, wait: float = 0.0, gone: bool = False) -> NextVisit:
    """The next visit after a failure, at least `wait` seconds later."""
    return _next(revisit, due, due.kind, Visit(now / HOUR_SECONDS, failed=not gone, gone=gone), wait)


def _count_modified(due: DueUrl, items: Sequence[ItemTimes], now: float) -> int | None:
    """How many known pages a source says were modified since its last visit. None if it does not say when, or is not trusted."""
    claims = [item for item in items if item.modified_at is not None]
    if not claims:
        return None if items else 0
    trust = due.hint_trust.get(claims[0].source or "")
    if trust is not None and not trust.is_trusted:
        return None
    before = now if due.revisit is None else RevisitState.from_text(due.revisit).last_visit * HOUR_SECONDS
    times = [item.modified_at or 0.0 for item in claims]
    if due.revisit is None:
        return None if _says_nothing(times, now - HOUR_SECONDS) else 0
    if _says_nothing(times, before):
        return 0
    return sum(before < time <= now and (item.published_at or 0.0) <= before for time, item in zip(times, claims, strict=True))


def _says_nothing(times: Sequence[float], after: float) -> bool:
    """Whether all of more than a few items were modified after a time: then the source probably gives the present time."""
    return len(times) > FEW_ITEMS and min(times) > after


def _next(revisit: Revisit, due: DueUrl, kind: UrlKind, visit: Visit, wait: float, between_runs: float = 0.0) -> NextVisit:
    is_source = kind is not UrlKind.PAGE or is_hub(due.url, due.depth)
    state = RevisitState(is_source, appeared_at(due) / HOUR_SECONDS, source_speed=source_speed(kind), tie_breaker=tie_breaker(due.url))
    if due.revisit is not None:
        known = RevisitState.from_text(due.revisit)
        state = replace(known, source_speed=state.source_speed, tie_breaker=state.tie_breaker) if known.source == is_source else state
    if not is_source:
        trust = due.hint_trust.get(due.hints.source or "")
        state = replace(state, modified=float(trust is not None and trust.is_confirmed))
    state = after_visit(state, visit, [RevisitState.from_text(text) for text in due.other_primary_sources], revisit.price)
    moment = due_at(state, bounds(revisit, kind, due.url, due.depth, between_runs), revisit.price) * HOUR_SECONDS
    return NextVisit(max(moment, visit.at * HOUR_SECONDS + wait), state.to_text(), state.is_primary_source and not state.failures)
