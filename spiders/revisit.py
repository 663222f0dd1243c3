"""When a URL is due again: as soon as a fetch is expected to bring a set number of new things.

Of a feed, sitemap or hub the new things are links that the frontier did not know; of an article, edits. One number, the price of a
fetch, so spends fetches where something is happening, on every kind of URL alike.

A source is credited only with links that the frontier did not know yet, so of several sources with the same news the quickest keeps
the credit and the others come to rest. Rates are Gamma-Poisson estimates that forget; publication hours are learned from what the
items say of themselves, as far as that is plausible. An article's edits come at a rate that falls as 1 / (age + 1 hour): a young
article is visited a few times, an edited one more often, an old one is left.

All times here are hours since the epoch, UTC, as floats.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

DEFAULT_PRICE_ITEMS = 1.0
RATE_MEMORY_HOURS = 14 * 24.0
PRIOR_ITEMS = 0.02
PRIOR_HOURS = 4.0
PROFILE_PRIOR_ITEMS = 12.0
EDITS_PER_ITEM = 0.3
EDIT_PRIOR_EDITS = 0.15
YOUNG_HOURS = 14 * 24.0
FAILURE_HOURS = 1.0
DEAD_AFTER_FAILURES = 5
DEAD_HOURS = 7 * 24.0
HOURS_A_DAY = 24
MAX_ITEM_AGE_HOURS = 7 * 24.0


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
    its age. `profile` counts items per hour of the day.
    """

    source: bool
    first_seen: float
    last_visit: float = 0.0
    visits: int = 0
    items: float = 0.0
    hours: float = 0.0
    failures: int = 0
    profile: tuple[float, ...] = field(default=())

    def to_text(self) -> str:
        """A compact text for the frontier's row."""
        numbers = [round(value, 3) for value in (self.first_seen, self.last_visit, self.items, self.hours)]
        return json.dumps([int(self.source), self.visits, self.failures, *numbers, *[round(count, 1) for count in self.profile]])

    @classmethod
    def from_text(cls, text: str) -> RevisitState:
        """The state that `to_text` wrote."""
        source, visits, failures, first_seen, last_visit, items, hours, *profile = json.loads(text)
        return cls(bool(source), first_seen, last_visit, visits, items, hours, failures, tuple(profile))


def after_visit(state: RevisitState, visit: Visit) -> RevisitState:
    """The state after one more visit."""
    if visit.failed or visit.gone:
        failures = DEAD_AFTER_FAILURES if visit.gone else state.failures + 1
        return replace(state, last_visit=visit.at, visits=state.visits + 1, failures=failures)
    seen = replace(state, last_visit=visit.at, visits=state.visits + 1, failures=0)
    if not state.source:
        return _article_seen(state, seen, visit)
    if state.visits == 0:
        return _source_first_seen(seen, visit)
    return _source_seen(state, seen, visit)


def due_at(state: RevisitState, bounds: Bounds, price: float = DEFAULT_PRICE_ITEMS) -> float:
    """When the URL is due again, never before it was last visited plus the shortest interval."""
    interval = _failure_interval(state) if state.failures else _interval(state, bounds.longest, price)
    return state.last_visit + min(max(interval, bounds.shortest), max(bounds.longest, bounds.shortest))


def expected_items_an_hour(state: RevisitState) -> float:
    """The estimated rate at which a source brings new links."""
    return (state.items + PRIOR_ITEMS) / (state.hours + PRIOR_HOURS)


def _source_first_seen(state: RevisitState, visit: Visit) -> RevisitState:
    """A first visit's links are a backlog, no rate; only dates that the items carry tell one."""
    ages = sorted(visit.at - time for time in visit.item_times if 0 <= visit.at - time <= MAX_ITEM_AGE_HOURS)
    if len(ages) < 3 or ages[-1] - ages[0] < 1 or visit.new_items == 0:
        return state
    share = visit.new_items / max(len(visit.item_times), visit.new_items)
    profile = _counted((0.0,) * HOURS_A_DAY, [visit.at - age for age in ages], 1.0)
    return replace(state, items=len(ages) * share, hours=ages[-1], profile=profile)


def _source_seen(state: RevisitState, seen: RevisitState, visit: Visit) -> RevisitState:
    waited = max(visit.at - state.last_visit, 0.0)
    kept = math.exp(-waited / RATE_MEMORY_HOURS)
    fresh = [time for time in visit.item_times if state.last_visit < time <= visit.at]
    profile = state.profile or (0.0,) * HOURS_A_DAY
    if visit.new_items:
        profile = _counted(profile, fresh or _spread(state.last_visit, visit.at, visit.new_items), kept)
    exposure = _mass(state, state.last_visit, visit.at)
    return replace(seen, items=state.items * kept + visit.new_items, hours=state.hours * kept + exposure, profile=profile)


def _article_seen(state: RevisitState, seen: RevisitState, visit: Visit) -> RevisitState:
    if state.visits == 0:
        return seen
    before, now = state.last_visit - state.first_seen, visit.at - state.first_seen
    exposure = math.log((max(now, before) + 1) / (before + 1))
    return replace(seen, items=state.items + visit.changed, hours=state.hours + exposure)


def _spread(start: float, end: float, count: int) -> list[float]:
    return [start + (end - start) * (index + 0.5) / count for index in range(min(count, 48))]


def _counted(profile: tuple[float, ...], times: Sequence[float], kept: float) -> tuple[float, ...]:
    counts = [count * kept for count in profile]
    for time in times:
        counts[int(time) % HOURS_A_DAY] += 1
    return tuple(counts)


def _weight(state: RevisitState, hour: int) -> float:
    """How busy an hour of the day is beside the average, 1 when nothing is known; neighbours smooth it."""
    if not state.profile:
        return 1.0
    counts = state.profile
    smooth = (counts[hour - 1] + 2 * counts[hour] + counts[(hour + 1) % HOURS_A_DAY]) / 4
    return (smooth * HOURS_A_DAY + PROFILE_PRIOR_ITEMS) / (sum(counts) + PROFILE_PRIOR_ITEMS)


def _mass(state: RevisitState, start: float, end: float) -> float:
    """The hours from start to end, each weighted by how busy it is."""
    if not state.profile or end - start > 7 * HOURS_A_DAY:
        return end - start
    total, time = 0.0, start
    while time < end:
        step = min(math.floor(time) + 1, end) - time
        total += step * _weight(state, int(time) % HOURS_A_DAY)
        time += max(step, 1e-6)
    return total


def _interval(state: RevisitState, longest: float, price: float) -> float:
    if state.source:
        return _source_interval(state, longest, price)
    return _article_interval(state, longest, price * EDITS_PER_ITEM)


def _source_interval(state: RevisitState, longest: float, price: float) -> float:
    """Walk forward, hour by hour, until the expected number of new items reaches the price."""
    rate = expected_items_an_hour(state)
    expected, time = 0.0, state.last_visit
    while time - state.last_visit < longest:
        step = math.floor(time) + 1 - time
        speed = rate * _weight(state, int(time) % HOURS_A_DAY)
        if expected + speed * step >= price:
            return time - state.last_visit + (price - expected) / speed
        expected += speed * step
        time += step
    return longest


def _article_interval(state: RevisitState, longest: float, price: float) -> float:
    """When strength * log((age + interval + 1) / (age + 1)) reaches the price; `longest` for what is no longer young by then."""
    age = state.last_visit - state.first_seen
    strength = (state.items + EDIT_PRIOR_EDITS) / (state.hours + 1)
    growth = price / strength
    if math.log(age + 1) + growth >= math.log(YOUNG_HOURS + 1):
        return longest
    return (age + 1) * (math.exp(growth) - 1)


def _failure_interval(state: RevisitState) -> float:
    if state.failures >= DEAD_AFTER_FAILURES:
        return DEAD_HOURS
    return FAILURE_HOURS * 4.0 ** (state.failures - 1)
