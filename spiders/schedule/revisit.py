"""When a URL is due again: as soon as the new things that a fetch is expected to bring are worth the price of a fetch.

Of a feed, sitemap or hub the new things are links that the frontier did not know. Of an article they are edits
(`spiders.schedule.edits`). The price of a fetch is one number for the whole crawl, so it decides where fetches are used. If fetches are
scarce, the price is higher. Then visits for edits are dropped first, because they need more value than visits for new links.

Links that other sources found first cause no visits: a source gets credit only for links that the frontier did not know. But if two
sources had the same news, and each was visited at its own times, they would cost twice as many fetches as one. So one source of a site is
its primary source. It is the source that would show most of the news: by the dates of its items, the number of items that it shows, and
how often it would be visited. The primary source is visited for all its news. Other sources are visited only for links that no other
source finds.

Rates are Gamma-Poisson estimates in which old events count less and less. Publication hours are learned from the dates of the items, if
these are plausible. A first visit gives a rate by the dates of the items; without dates, the rate is a guess.

News loses its worth with time. The median delay is smallest if busy sources are visited at almost every tick and others rarely. The worth
of an article falls on three time scales: minutes, hours and days. The first decides the median delay, the last the mean: until about
four days have passed, each hour costs the same, so that quiet sources are visited too. A visit is due when waiting would lose more than the
visit costs (Avrachenkov and Borkar, Whittle index policy for crawling ephemeral content, 2016). The same
threshold for all URLs is what Azar et al. (Tractable near-optimal policies for crawling, 2018) and Kolobov et al. (Staying up to date with
online content changes, 2019) find optimal if the price is the Lagrange multiplier of the budget.

All articles begin with the same state. With the same price, a small change of the price would change the visits of all of them at once. So
each article has its own share of the price (`tie_breaker`).

All times here are hours since the epoch, UTC, as floats.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from spiders.schedule.edits import edit_price, edits_expected, exposure, next_edit_check

DEFAULT_PRICE_ITEMS = 0.5
RATE_MEMORY_HOURS = 14 * 24.0
PRIOR_ITEMS = 0.2
PRIOR_HOURS = 4.0
PROFILE_PRIOR_ITEMS = 12.0
VALUE_SCALES = ((0.2, 2.8), (2.0, 0.3))  # (hours, weight): an article is worth the sum of weight * exp(-delay / hours)
LASTING_HOURS, LASTING_WEIGHT = 100.0, 4.2  # one more such pair: up to about four days, each hour of delay costs the same
SCARCE_PRICE = 1.25  # above it the lasting part weighs less, in inverse proportion: if fetches are scarce, the quiet sites yield
VALUE_PER_PRICE = 0.67  # a source with an item every two hours then brings about the default price
UNDATED_ITEMS = 9.0  # at the price 1, a source without dates is visited before it has this many new items: it may drop some
UNDATED_POWER = 1.3  # of the price: if fetches are scarce, the busy sites go first
PRIMARY_MARGIN = 1.15
PRIMARY_HOURS = 24.0  # when both sources are known for so long, PRIMARY_MARGIN decides
EARLY_MARGIN = 1.4  # before that: twenty dates give a rate only to about a fifth
PRIMARY_PRIOR_HOURS = 1.0
QUIET_HOURS_PER_PRICE = 320.0  # the interval of a source that brings nothing, at the price 1
BACKLOG_SHARE = 0.08  # of the links at a first visit without dates: a guess at the new ones in PRIOR_HOURS, so a list of two days
OVERFLOW_SHARE = 0.85  # if this share of a source's links is new, it probably dropped others between the visits
OVERFLOW_FACTOR = 2.0
THRESHOLD_SPREAD = 16.0  # factor between the lowest and the highest threshold of an article
FAILURE_HOURS = 1.0
DEAD_AFTER_FAILURES = 5
DEAD_HOURS = 7 * 24.0
HOURS_A_DAY = 24
MAX_ITEM_AGE_HOURS = 7 * 24.0


INTERVALS = (0.0, *(0.02 * 1.1**step for step in range(120)))  # hours, up to two months


@lru_cache(maxsize=64)
def _indexes(price: float) -> tuple[float, ...]:
    """The value of a visit after each of INTERVALS, per item an hour: its gain, less what waiting longer would gain (the Whittle index)."""
    lasting = (LASTING_HOURS, LASTING_WEIGHT * min(1.0, SCARCE_PRICE / price))
    return tuple(
        math.fsum(weight * hours * (1 - (1 + wait / hours) * math.exp(-wait / hours)) for hours, weight in (*VALUE_SCALES, lasting))
        for wait in INTERVALS
    )


@dataclass(frozen=True, slots=True)
class Bounds:
    """The shortest and longest interval that a crawl allows for a kind of URL, in hours."""

    shortest: float
    longest: float


@dataclass(frozen=True, slots=True)
class Visit:
    """What one fetch of a URL showed.

    `new_items` counts links that the frontier did not know; `item_times` are the publication times that a feed or sitemap gives for
    all of its items, known or not. `changed` says whether the content differs from the last visit's.
    """

    at: float
    changed: bool = False
    new_items: int = 0
    item_times: Sequence[float] = ()
    failed: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class RevisitState:
    """What the visits to one URL have shown so far.

    `items` and `hours` are the events and the exposure that the rate is estimated from; of an article, edits and the logarithm of
    its age. `dated_items` counts a source's news by their dates, whichever source brought them first. `source_speed` says how soon a
    source of its kind usually shows the news, 1 for the quickest kind. `is_primary_source`: it is the site's primary source. `tie_breaker`,
    between 0 and 1, is the URL's own: it decides ties, and an article's share of the price. `profile` counts items per hour of the day.
    `window` is the most items that a source shows at once, 0 if that is unknown.
    """

    source: bool
    first_seen: float
    last_visit: float = 0.0
    visits: int = 0
    items: float = 0.0
    hours: float = 0.0
    failures: int = 0
    dated_items: float = 0.0
    is_primary_source: bool = False
    source_speed: float = 1.0
    tie_breaker: float = 0.5
    profile: tuple[float, ...] = field(default=())
    window: float = 0.0

    def to_text(self) -> str:
        """A compact text for the frontier's row."""
        values = (self.first_seen, self.last_visit, self.items, self.hours, self.dated_items, self.source_speed, self.tie_breaker)
        numbers = [round(value, 3) for value in values]
        flags = [int(self.source), self.visits, self.failures, int(self.is_primary_source)]
        return json.dumps([*flags, *numbers, *[round(count, 1) for count in self.profile], round(self.window)])

    @classmethod
    def from_text(cls, text: str) -> RevisitState:
        """The state that `to_text` wrote."""
        source, visits, failures, is_primary, first_seen, last_visit, items, hours, dated_items, speed, tie_breaker, *rest = json.loads(
            text
        )
        profile, window = (tuple(rest[:HOURS_A_DAY]), rest[HOURS_A_DAY:]) if len(rest) >= HOURS_A_DAY else ((), rest)
        numbers = (first_seen, last_visit, visits, items, hours, failures, dated_items)
        return cls(bool(source), *numbers, bool(is_primary), speed, tie_breaker, profile, window[0] if window else 0.0)


def after_visit(
    state: RevisitState, visit: Visit, other_sources: Iterable[RevisitState] = (), price: float = DEFAULT_PRICE_ITEMS
) -> RevisitState:
    """The state after one more visit. `other_sources` are the other sources of the same site, one of which is the primary source."""
    if visit.failed or visit.gone:
        failures = DEAD_AFTER_FAILURES if visit.gone else state.failures + 1
        return replace(state, last_visit=visit.at, visits=state.visits + 1, failures=failures)
    seen = replace(state, last_visit=visit.at, visits=state.visits + 1, failures=0)
    if not state.source:
        return _after_visit_of_article(state, seen, visit)
    seen = _after_first_visit_of_source(seen, visit) if state.visits == 0 else _after_visit_of_source(state, seen, visit)
    is_primary_source = _is_primary(seen, other_sources, price)
    credit = (
        0.0 if seen.dated_items and not is_primary_source and (state.is_primary_source or state.visits == 0) else seen.items
    )  # earned only while it was primary
    return replace(seen, is_primary_source=is_primary_source, items=credit)


def due_at(state: RevisitState, bounds: Bounds, price: float = DEFAULT_PRICE_ITEMS) -> float:
    """When the URL is due again, never before it was last visited plus the shortest interval."""
    longest = min(QUIET_HOURS_PER_PRICE * price, bounds.longest) if state.source else bounds.longest
    interval = _failure_interval(state) if state.failures else _interval(state, longest, price)
    return state.last_visit + min(max(interval, bounds.shortest), max(bounds.longest, bounds.shortest))


def expected_items_an_hour(state: RevisitState) -> float:
    """The rate of items that a source is visited for: all its news if it is the primary source, otherwise what only it brought."""
    return ((state.dated_items if state.is_primary_source else state.items) + PRIOR_ITEMS) / (state.hours + PRIOR_HOURS)


def _is_primary(state: RevisitState, other_sources: Iterable[RevisitState], price: float) -> bool:
    """Whether a source is its site's primary source. To replace one that still works, it must have clearly more news."""
    primary_sources = [other for other in other_sources if other.is_primary_source and other.failures < DEAD_AFTER_FAILURES]
    if not state.dated_items or not primary_sources:
        return state.dated_items > 0
    return all(_outranks(state, other, price) for other in primary_sources)


def _outranks(state: RevisitState, other: RevisitState, price: float) -> bool:
    """Whether a source is primary rather than another that is primary. Until both are known for a day, only a clear difference decides.

    Two may both be primary, if they were visited at the same time. Then the same one wins, whichever of them is visited next.
    """
    mine, theirs = _news_rate(state, price), _news_rate(other, price)
    margin = PRIMARY_MARGIN if min(state.hours, other.hours) >= PRIMARY_HOURS else EARLY_MARGIN
    if max(mine, theirs) > margin * min(mine, theirs):
        return mine > theirs
    if min(state.hours, other.hours) < PRIMARY_HOURS and state.source_speed != other.source_speed:
        return state.source_speed > other.source_speed
    return state.is_primary_source and (state.source_speed, state.tie_breaker) > (other.source_speed, other.tie_breaker)


def _news_rate(state: RevisitState, price: float) -> float:
    """The news an hour that visits would find. What drops out of a short list between two visits does not count."""
    rate = state.dated_items / (state.hours + PRIMARY_PRIOR_HOURS)
    if not rate:
        return 0.0
    wait = min(_best_interval(rate, price), INTERVALS[-1])
    room = state.window or math.inf  # unknown in the state of an earlier release
    return state.source_speed * rate * min(1.0, room / max(rate * wait, 1e-9))


def _after_first_visit_of_source(state: RevisitState, visit: Visit) -> RevisitState:
    """The links of a first visit are a backlog and give no rate. Only the dates of the items do."""
    state = replace(state, window=float(max(len(visit.item_times), visit.new_items)))
    ages = sorted(visit.at - time for time in visit.item_times if 0 <= visit.at - time <= MAX_ITEM_AGE_HOURS)
    if len(ages) < 3 or ages[-1] - ages[0] < 1:
        if not visit.item_times:
            return replace(state, items=visit.new_items * BACKLOG_SHARE)
        return state
    share = visit.new_items / max(len(visit.item_times), visit.new_items)
    profile = _with_times((0.0,) * HOURS_A_DAY, [visit.at - age for age in ages], 1.0)
    return replace(state, items=len(ages) * share, dated_items=float(len(ages)), hours=ages[-1], profile=profile)


def _after_visit_of_source(state: RevisitState, seen: RevisitState, visit: Visit) -> RevisitState:
    waited = max(visit.at - state.last_visit, 0.0)
    kept = math.exp(-waited / RATE_MEMORY_HOURS)
    fresh = [time for time in visit.item_times if state.last_visit < time <= visit.at]
    profile = state.profile or (0.0,) * HOURS_A_DAY
    if fresh or visit.new_items:
        profile = _with_times(profile, fresh or _spread_evenly(state.last_visit, visit.at, visit.new_items), kept)
    new = float(visit.new_items)
    if not visit.item_times and state.window >= 5 and visit.new_items >= OVERFLOW_SHARE * state.window:
        new *= OVERFLOW_FACTOR
    return replace(
        seen,
        items=state.items * kept + new,
        dated_items=state.dated_items * kept + (max(_dated_items(fresh, visit, waited), visit.new_items) if visit.item_times else 0),
        hours=state.hours * kept + _weighted_hours(state, state.last_visit, visit.at),
        profile=profile,
        window=float(len(visit.item_times) or max(state.window, visit.new_items)),
    )


def _dated_items(fresh: Sequence[float], visit: Visit, waited: float) -> float:
    """The news of a source since its last visit. If all items are newer than that, more items appeared than it shows."""
    if not fresh or len(fresh) < len(visit.item_times):
        return len(fresh)
    return len(fresh) * waited / max(visit.at - min(fresh), 0.25)


def _after_visit_of_article(state: RevisitState, seen: RevisitState, visit: Visit) -> RevisitState:
    if state.visits == 0:
        return seen
    exposed = exposure(state.last_visit - state.first_seen, visit.at - state.first_seen)
    return replace(seen, items=state.items + visit.changed, hours=state.hours + exposed)


def _spread_evenly(start: float, end: float, count: int) -> list[float]:
    return [start + (end - start) * (index + 0.5) / count for index in range(min(count, 48))]


def _with_times(profile: tuple[float, ...], times: Sequence[float], kept: float) -> tuple[float, ...]:
    counts = [count * kept for count in profile]
    for time in times:
        counts[int(time) % HOURS_A_DAY] += 1
    return tuple(counts)


@lru_cache(maxsize=1024)
def _hour_weights(profile: tuple[float, ...]) -> tuple[float, ...]:
    """How busy each hour of the day is, relative to the average; 1 if nothing is known. Smoothed with the hours before and after it."""
    if not profile:
        return (1.0,) * HOURS_A_DAY
    total = math.fsum(profile) + PROFILE_PRIOR_ITEMS
    around = zip((profile[-1], *profile), profile, (*profile[1:], profile[0]), strict=False)
    return tuple(((before + 2 * count + after) / 4 * HOURS_A_DAY + PROFILE_PRIOR_ITEMS) / total for before, count, after in around)


def _weighted_hours(state: RevisitState, start: float, end: float) -> float:
    """The hours from start to end, each weighted by how busy it is."""
    if not state.profile or end - start > 7 * HOURS_A_DAY:
        return end - start
    weights, total, time = _hour_weights(state.profile), 0.0, start
    while time < end:
        step = min(math.floor(time) + 1, end) - time
        total += step * weights[int(time) % HOURS_A_DAY]
        time += max(step, 1e-6)
    return total


def _interval(state: RevisitState, longest: float, price: float) -> float:
    if state.source:
        return _source_interval(state, longest, price)
    return _article_interval(state, longest, price)


def _source_interval(state: RevisitState, longest: float, price: float) -> float:
    """Walk forward, hour by hour, until the visits that the hours deserve add up to one; whole days at once."""
    rate, dated = expected_items_an_hour(state), state.dated_items > 0
    speeds = [_visits_an_hour(rate * weight, price, dated) for weight in _hour_weights(state.profile)]
    days = int(min(1 / max(math.fsum(speeds), 1e-9), longest / HOURS_A_DAY))
    done, waited = days * math.fsum(speeds), float(days * HOURS_A_DAY)
    while waited < longest:
        time = state.last_visit + waited
        step, speed = math.floor(time) + 1 - time, speeds[int(time) % HOURS_A_DAY]
        if done + speed * step >= 1:
            return waited + (1 - done) / speed
        done += speed * step
        waited += step
    return longest


def _visits_an_hour(rate: float, price: float, dated: bool) -> float:
    """How many visits an hour a source deserves while it has `rate` new items an hour."""
    return max(1 / _best_interval(rate, price), 0.0 if dated else rate / (UNDATED_ITEMS * price**UNDATED_POWER))


def _best_interval(rate: float, price: float) -> float:
    """The hours after which a visit to a source with `rate` new items an hour is worth the price; infinite if it never is."""
    indexes, threshold = _indexes(price), VALUE_PER_PRICE * price / rate
    place = bisect_right(indexes, threshold)
    if place == len(indexes):
        return math.inf
    share = (threshold - indexes[place - 1]) / (indexes[place] - indexes[place - 1])
    return INTERVALS[place - 1] + (INTERVALS[place] - INTERVALS[place - 1]) * share


def _article_interval(state: RevisitState, longest: float, price: float) -> float:
    strength = edits_expected(state.items, state.hours)
    wait = next_edit_check(state.last_visit - state.first_seen, strength, edit_price(price) * THRESHOLD_SPREAD ** (state.tie_breaker - 0.5))
    return longest if wait is None else wait


def _failure_interval(state: RevisitState) -> float:
    if state.failures >= DEAD_AFTER_FAILURES:
        return DEAD_HOURS
    return FAILURE_HOURS * 4.0 ** (state.failures - 1)
