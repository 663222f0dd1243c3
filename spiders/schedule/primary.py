"""Which source of a site is its primary source, and what the others are visited for beside it. No clock, no I/O; times are in hours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from spiders.schedule.news import INTERVALS, best_interval
from spiders.schedule.state import RevisitState

LEAST_CREDIT = 0.4  # sooner than the primary source is worth something too; .3 to .45 give the same
OVERLAP_WEIGHT = 0.8  # not all that the primary source lists too came from this source; .6 to 1 give the same
PRIMARY_MARGIN = 1.15
PRIMARY_HOURS = 24.0  # when both sources are known for so long, PRIMARY_MARGIN decides
EARLY_MARGIN = 1.75  # before that: twenty dates give a rate only to about a fifth
PRIMARY_PRIOR_HOURS = 1.0
DEAD_AFTER_FAILURES = 5


def is_primary(state: RevisitState, other_sources: Iterable[RevisitState], price: float) -> bool:
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
    wait = min(best_interval(rate, price), INTERVALS[-1])
    room = state.window or math.inf  # unknown in the state of an earlier release
    return state.source_speed * rate * min(1.0, room / max(rate * wait, 1e-9))


def credit_beside(seen: RevisitState, items: float, waited: float, others: Sequence[RevisitState]) -> float:
    """The part of a source's new links that the site's primary source would not bring too, at least LEAST_CREDIT.

    The primary source lists what others found before it: its dated items, less those that it brought itself. As many links of this source
    are probably among them, but no more than appeared since the primary source was visited: older ones it does not list. `items` are the
    links of this source, `waited` the hours since its visit before the last one, infinite if there was none.
    """
    primary = max((other for other in others if other.is_primary_source), key=lambda other: other.dated_items, default=None)
    if seen.is_primary_source or primary is None:
        return 1.0
    if not items:
        return LEAST_CREDIT
    brought_before = max(primary.dated_items - primary.items, 0.0)
    if not math.isinf(waited):
        brought_before = min(brought_before, primary.dated_items * min(max(seen.last_visit - primary.last_visit, 0.0) / waited, 1.0))
    return max(LEAST_CREDIT, 1 - OVERLAP_WEIGHT * brought_before / (primary.hours + 1) * (seen.hours + 1) / items)
