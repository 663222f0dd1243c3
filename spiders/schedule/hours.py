"""At which hours of the day a source has its news, by publication times. No clock, no I/O; times are hours since the epoch, UTC.

A profile counts items per hour of the day; it is empty if nothing is known. Days of the week were tried: even if a policy knew that
weekends have half the news, it was not better (`benchmarks.freshness`, seeds 1-4 and 201-210).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

HOURS_A_DAY = 24
PROFILE_PRIOR_ITEMS = 12.0  # spread evenly over the day: two dozen dates say about as much as the assumption that all hours are alike
MOST_SPREAD = 48  # items without dates that are spread over the time since the last visit: more would say nothing new
LONG_WAIT_HOURS = 7 * 24.0  # so many hours have about the average weight
Profile = tuple[float, ...]


def with_times(profile: Profile, times: Sequence[float], kept: float) -> Profile:
    """The profile after more items. `kept` is the weight of the older ones."""
    counts = [count * kept for count in profile or (0.0,) * HOURS_A_DAY]
    for time in times:
        counts[int(time) % HOURS_A_DAY] += 1
    return tuple(counts)


def spread_evenly(start: float, end: float, count: int) -> list[float]:
    """Times for items without dates."""
    return [start + (end - start) * (index + 0.5) / count for index in range(min(count, MOST_SPREAD))]


@lru_cache(maxsize=1024)
def hour_weights(profile: Profile) -> Profile:
    """How busy each hour of the day is, relative to the average; 1 if nothing is known. Smoothed with the hours before and after it."""
    if not profile:
        return (1.0,) * HOURS_A_DAY
    total = math.fsum(profile) + PROFILE_PRIOR_ITEMS
    around = zip((profile[-1], *profile), profile, (*profile[1:], profile[0]), strict=False)
    return tuple([((before + 2 * count + after) / 4 * HOURS_A_DAY + PROFILE_PRIOR_ITEMS) / total for before, count, after in around])


def weighted_hours(profile: Profile, start: float, end: float) -> float:
    """The hours from start to end, each weighted by how busy it is."""
    if not profile or end - start > LONG_WAIT_HOURS:
        return end - start
    weights, total, time = hour_weights(profile), 0.0, start
    while time < end:
        step = min(math.floor(time) + 1, end) - time
        total += step * weights[int(time) % HOURS_A_DAY]
        time += max(step, 1e-6)
    return total
