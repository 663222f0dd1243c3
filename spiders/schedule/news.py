"""What a visit to a source is worth for its news; no clock, no I/O. Times are in hours.

News loses its worth with time. The median delay is smallest if busy sources are visited at almost every tick and others rarely. The worth
of an article falls on three time scales: minutes, hours and days. The first decides the median delay, the last the mean: until about
four days have passed, each hour costs the same, so that quiet sources are visited too. A visit is due when waiting would lose more than the
visit costs (Avrachenkov and Borkar, Whittle index policy for crawling ephemeral content, 2016).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import lru_cache

from spiders.schedule.hours import HOURS_A_DAY, Profile, hour_weights

# Chosen by a search on the tuning seeds of `benchmarks.freshness` (docs/rules.md): the first weight trades the median against the mean.
# (hours, weight): an article is worth the sum of weight * exp(-delay / hours)
FIRST_HOURS, FIRST_WEIGHT = 0.21, 4.7  # at the price 1. With 3.5 the median delay is a tenth longer, the mean shorter
FIRST_POWER = 0.3  # of the price: if fetches are scarce, the median delay is longer, and a later visit still shortens it
SECOND_HOURS, SECOND_WEIGHT = 2.0, 0.5
LASTING_HOURS, LASTING_WEIGHT = 85.0, 5.0  # one more such pair: up to about four days, each hour of delay costs the same
SCARCE_PRICE = 1.4  # above it the lasting part weighs less, in inverse proportion: if fetches are scarce, the quiet sites yield
VALUE_PER_PRICE = 0.8  # a source with an item every two hours then brings about the default price
UNDATED_ITEMS = 6.6  # at the price 1, a source without dates is visited before it has this many new items: it may drop some
UNDATED_POWER = 0.8  # of the price: if fetches are scarce, the busy sites go first
INTERVALS = (0.0, *(0.02 * 1.1**step for step in range(120)))  # up to two months


def next_news_visit(rate: float, profile: Profile, start: float, longest: float, price: float, dated: bool) -> float:
    """The hours until a visit to a source with `rate` new items an hour is worth the price, at most `longest`.

    Walk forward from `start`, hour by hour, until the visits that the hours deserve add up to one; after the first day whole days at once.
    """
    weights, speeds = hour_weights(profile), dict[int, float]()
    done, waited = 0.0, 0.0
    while waited < longest:
        time = start + waited
        hour, step = int(time) % HOURS_A_DAY, math.floor(time) + 1 - time
        if hour not in speeds:
            speeds[hour] = _visits_an_hour(rate * weights[hour], price, dated)
        if done + speeds[hour] * step >= 1:
            return waited + (1 - done) / speeds[hour]
        done += speeds[hour] * step
        waited += step
        if len(speeds) == HOURS_A_DAY and (a_day := math.fsum(speeds.values())) and (days := int((1 - done) / a_day)):
            done, waited = done + days * a_day, waited + days * HOURS_A_DAY
    return longest


def best_interval(rate: float, price: float) -> float:
    """The hours after which a visit to a source with `rate` new items an hour is worth the price; infinite if it never is."""
    indexes, threshold = _indexes(price), VALUE_PER_PRICE * price / rate
    place = bisect_right(indexes, threshold)
    if place == len(indexes):
        return math.inf
    share = (threshold - indexes[place - 1]) / (indexes[place] - indexes[place - 1])
    return INTERVALS[place - 1] + (INTERVALS[place] - INTERVALS[place - 1]) * share


def _visits_an_hour(rate: float, price: float, dated: bool) -> float:
    """How many visits an hour a source deserves while it has `rate` new items an hour."""
    return max(1 / best_interval(rate, price), 0.0 if dated else rate / (UNDATED_ITEMS * price**UNDATED_POWER))


@lru_cache(maxsize=64)
def _indexes(price: float) -> tuple[float, ...]:
    """The value of a visit after each of INTERVALS, per item an hour: its gain, less what waiting longer would gain (the Whittle index)."""
    first = (FIRST_HOURS * math.pow(price, FIRST_POWER), FIRST_WEIGHT)
    lasting = (LASTING_HOURS, LASTING_WEIGHT * min(1.0, SCARCE_PRICE / price))
    scales = (first, (SECOND_HOURS, SECOND_WEIGHT), lasting)
    return tuple(
        math.fsum(weight * hours * (1 - (1 + wait / hours) * math.exp(-wait / hours)) for hours, weight in scales) for wait in INTERVALS
    )
