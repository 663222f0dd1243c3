"""What a visit to a source is worth for its news; no clock, no I/O. Times are in hours.

News loses its worth with time. The median delay is smallest if busy sources are visited at almost every tick and others rarely. The worth
of an article falls on three time scales: half an hour, hours and days. The first decides the median delay, the last the mean: until about
four days have passed, each hour costs the same, so that quiet sources are visited too. A visit is due when waiting would lose more than the
visit costs (Avrachenkov and Borkar, Whittle index policy for crawling ephemeral content, 2016).

Of the first part hardly anything is lost within minutes, and nothing is left after FIRST_HOURS: an article that is found sooner than
half of all articles does not shorten the median, nor does one that is found later than them.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from functools import lru_cache

from spiders.schedule.hours import HOURS_A_DAY, Profile, hour_weights

# Chosen by a search on the tuning seeds of `benchmarks.freshness` (docs/rules.md): the first weight trades the median against the mean.
# (hours, weight): an article is worth the sum of weight * exp(-delay / hours) of the later scales, and the first
FIRST_HOURS, FIRST_WEIGHT = 0.47, 3.4  # at the price 1: about the median delay that 53,000 fetches for 28,000 articles reach
FIRST_POWER = 0.33  # of the price: if fetches are scarce, the median delay is longer, and a later visit still shortens it
FIRST_SHAPE = 1.6  # the lost part is (delay / hours) ** FIRST_SHAPE. With 1, mid-sized sources get visits that do not shorten the median
SECOND_HOURS, SECOND_WEIGHT = 2.0, 1.2
LASTING_HOURS, LASTING_WEIGHT = 85.0, 4.7  # one more such pair: up to about four days, each hour of delay costs the same
SCARCE_PRICE = 1.7  # above it the lasting part weighs less, in inverse proportion: if fetches are scarce, the quiet sites yield
VALUE_PER_PRICE = 0.8  # a source with an item every two hours then brings about the default price
UNDATED_ITEMS = 6.0  # at the price 1, a source without dates is visited before it has this many new items: it may drop some
UNDATED_POWER = 0.7  # of the price: if fetches are scarce, the busy sites go first
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
    scales = ((SECOND_HOURS, SECOND_WEIGHT), (LASTING_HOURS, LASTING_WEIGHT * min(1.0, SCARCE_PRICE / price)))
    later = [sum(weight * hours * (1 - (1 + wait / hours) * math.exp(-wait / hours)) for hours, weight in scales) for wait in INTERVALS]
    hours = FIRST_HOURS * math.pow(price, FIRST_POWER)
    first = [FIRST_WEIGHT * _gain_of_first(min(wait, hours), hours) for wait in INTERVALS]
    return tuple([one + other for one, other in zip(later, first, strict=True)])


def _gain_of_first(wait: float, hours: float) -> float:
    """The integral of delay times the loss's slope up to `wait`, as `_indexes` has it for the other scales."""
    return FIRST_SHAPE / (FIRST_SHAPE + 1) * wait * math.pow(wait / hours, FIRST_SHAPE)
