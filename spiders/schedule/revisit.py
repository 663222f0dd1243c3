"""When a URL is due again: as soon as the new things that a fetch is expected to bring are worth the price of a fetch.

Of a feed, sitemap or hub the new things are links that the frontier did not know (`spiders.schedule.news`), and known pages that it says
were modified. Of an article they are edits (`spiders.schedule.edits`). The price of a fetch is one number for the whole crawl, so it
decides where fetches are used. If fetches are scarce, the price is higher. Then visits for edits are dropped first, because they need more
value than visits for new links. The same threshold for all URLs is what Azar et al. (Tractable near-optimal policies for crawling, 2018)
and Kolobov et al. (Staying up to date with online content changes, 2019) find optimal, if the price is the Lagrange multiplier of the
budget.

Links that other sources found first cause no visits: a source gets credit only for links that the frontier did not know. But if two
sources had the same news, and each was visited at its own times, they would cost twice as many fetches as one. So one source of a site is
its primary source. It is the source that would show most of the news: by the dates of its items, the number of items that it shows, and
how often it would be visited. The primary source is visited for all its news. Other sources are visited only for links that no other
source finds. What they found before the primary source, but it lists too, counts little (`credit`).

A source that says when its pages were modified makes visits for edits cheap: one visit to it shows which of its articles were edited.
So it is visited for that too, even if another source is the primary one.

Rates are Gamma-Poisson estimates in which old events count less and less. A site's pace changes: the rate is corrected by what the last day
or so brought (`recent_items`), as far as that is more than chance. Publication hours are learned from the dates of the items, if
these are plausible. A first visit gives a rate by the dates of the items; without dates, the rate is a guess.

All articles begin with the same state. With the same price, a small change of the price would change the visits of all of them at once. So
each article has its own share of the price (`tie_breaker`).

All times here are hours since the epoch, UTC, as floats.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from spiders.schedule.edits import edit_price, edits_expected, exposure, next_edit_check
from spiders.schedule.hours import spread_evenly, weighted_hours, with_times
from spiders.schedule.news import next_news_visit
from spiders.schedule.primary import DEAD_AFTER_FAILURES, credit_beside, is_primary
from spiders.schedule.state import Bounds, RevisitState, Visit

DEFAULT_PRICE_ITEMS = 0.5
RATE_MEMORY_HOURS = 400.0  # about two weeks; 14 to 18 days give the same
RECENT_HOURS = 24.0  # 12 to 48 give the same on made-up sites; without it, real times have up to twice the delay
RECENT_PRIOR_ITEMS = 1.5  # so many items of the last day are taken for chance
PRIOR_ITEMS, PRIOR_HOURS = 0.15, 5.0  # the rate before the first visit: an item in 33 hours, soon outweighed
PRIOR_SHARE_BESIDE_PRIMARY = 0.3  # of that rate for a source beside a primary one: most have nothing of their own
MODIFIED_WORTH = 0.13  # of a modified page that a source tells of, in new articles: .1 to .17 give the same, 0 misses most hints
PRIOR_MODIFIED = 5.0  # in PRIOR_HOURS, of a source that says when its pages were modified: the second visit is soon
QUIET_HOURS_PER_PRICE = 180.0  # the interval of a source that brings nothing, at the price 1
BACKLOG_SHARE = 0.064  # of the links at a first visit without dates: a guess at the new ones in PRIOR_HOURS, so a list of two days
OVERFLOW_SHARE = 0.85  # if this share of a source's links is new, it probably dropped others between the visits
OVERFLOW_FACTOR = 2.0  # how many it dropped is unknown: the rate doubles, so the interval halves, until the list is no longer full
LIST_HOURS = 24.0  # a list without dates is taken to show so much; with 78, and without, lists drop more stories between two visits
FIRST_VISITS, UNDECIDED_HOURS = 3, 24.0  # of a source with dates that is not the primary source
THRESHOLD_SPREAD = 8.0  # factor between the lowest and highest threshold of an article; 5 gives the same, 20 too few edits, 1 a step
WATCHED_FACTOR = 5.0  # on the threshold of an article whose edits a trusted source tells of; 4 to 8 give the same
FAILURE_HOURS = 1.0
DEAD_HOURS = 7 * 24.0
MAX_ITEM_AGE_HOURS = 7 * 24.0


def after_visit(
    state: RevisitState, visit: Visit, other_sources: Iterable[RevisitState] = (), price: float = DEFAULT_PRICE_ITEMS
) -> RevisitState:
    """The state after one more visit. `other_sources` are the other sources of the same site, one of which is the primary source."""
    if visit.failed or visit.gone:
        failures = DEAD_AFTER_FAILURES if visit.gone else state.failures + 1
        return replace(state, last_visit=visit.at, visits=state.visits + 1, failures=failures)
    if not state.source:
        return _after_visit_of_article(state, visit)
    seen = _after_first_visit_of_source(state, visit) if state.visits == 0 else _after_visit_of_source(state, visit)
    return _with_credit(state, seen, list(other_sources), price)


def _with_credit(state: RevisitState, seen: RevisitState, others: Sequence[RevisitState], price: float) -> RevisitState:
    """The state of a source with its part among the site's sources. What it brought while it was the primary source gives no credit."""
    is_primary_source = is_primary(seen, others, price)
    loses_items = seen.dated_items and not is_primary_source and (state.is_primary_source or state.visits == 0)
    items = 0.0 if loses_items else seen.items
    waited = max(seen.last_visit - state.last_visit, 0.01) if state.visits else math.inf
    credit = credit_beside(replace(seen, is_primary_source=is_primary_source), items, waited, others)
    if (is_primary_source, items, credit) == (seen.is_primary_source, seen.items, seen.credit):
        return seen
    return replace(seen, is_primary_source=is_primary_source, items=items, credit=credit)


def due_at(state: RevisitState, bounds: Bounds, price: float = DEFAULT_PRICE_ITEMS) -> float:
    """When the URL is due again, never before it was last visited plus the shortest interval.

    URLs are fetched in runs only. A visit that is worth its price before the middle of the time between two runs belongs to the earlier
    run, so a URL is due half of that time sooner.
    """
    if state.failures:
        interval = _failure_interval(state)
    elif state.source:
        longest, rate = min(_longest_interval(state, price), bounds.longest), expected_items_an_hour(state)
        interval = next_news_visit(rate, state.profile, state.last_visit, longest, price, state.dated_items > 0)
    else:
        interval = _article_interval(state, bounds.longest, price)
    interval -= 0.0 if state.failures else bounds.between_runs / 2
    return state.last_visit + min(max(interval, bounds.shortest), max(bounds.longest, bounds.shortest))


def _longest_interval(state: RevisitState, price: float) -> float:
    """The longest interval of a source. One with dates is visited FIRST_VISITS times soon.

    The first choice of the primary source rests on a few hours and may be wrong. A source that lost it brings little beside the primary
    source, so it would hardly be visited again, and the choice would stand.
    """
    is_undecided = state.dated_items > 0 and not state.is_primary_source and state.visits < FIRST_VISITS
    return min(QUIET_HOURS_PER_PRICE * price, UNDECIDED_HOURS if is_undecided else math.inf)


def expected_items_an_hour(state: RevisitState) -> float:
    """The rate of items that a source is visited for: all its news if it is the primary source, otherwise what only it brought.

    Modified pages that it tells of count MODIFIED_WORTH each.
    """
    items = state.dated_items if state.is_primary_source else state.items * state.credit
    prior = PRIOR_ITEMS if state.credit == 1 else PRIOR_ITEMS * PRIOR_SHARE_BESIDE_PRIMARY
    rate = (items + prior) / (state.hours + PRIOR_HOURS)
    if state.is_primary_source or not state.dated_items:
        recent_items = state.recent_items * state.credit
        rate *= (RECENT_PRIOR_ITEMS + recent_items) / (RECENT_PRIOR_ITEMS + rate * state.recent_hours)
    return rate + MODIFIED_WORTH * state.modified / (state.hours + PRIOR_HOURS)


def _after_first_visit_of_source(state: RevisitState, visit: Visit) -> RevisitState:
    """The links of a first visit are a backlog and give no rate. Only dates do: of publication, otherwise of modification."""
    seen = replace(
        state,
        last_visit=visit.at,
        visits=1,
        failures=0,
        window=float(max(len(visit.item_times), visit.new_items)),
        modified=0.0 if visit.modified is None else PRIOR_MODIFIED,
    )
    times = visit.item_times or visit.modified_times
    ages = sorted(visit.at - time for time in times if 0 <= visit.at - time <= MAX_ITEM_AGE_HOURS)
    if len(ages) < 3 or ages[-1] - ages[0] < 1:
        return seen if times else replace(seen, items=visit.new_items * BACKLOG_SHARE)
    return replace(
        seen,
        items=len(ages) * visit.new_items / max(len(times), visit.new_items),
        dated_items=float(len(ages)) if visit.item_times else 0.0,
        hours=ages[-1],
        profile=with_times((), [visit.at - age for age in ages], 1.0),
        recent_items=math.fsum(math.exp(-age / RECENT_HOURS) for age in ages),
        recent_hours=RECENT_HOURS * (1 - math.exp(-ages[-1] / RECENT_HOURS)),
    )


def _after_visit_of_source(state: RevisitState, visit: Visit) -> RevisitState:
    waited = max(visit.at - state.last_visit, 1e-9)
    kept, kept_recently = math.exp(-waited / RATE_MEMORY_HOURS), math.exp(-waited / RECENT_HOURS)
    fresh = [time for time in visit.item_times if state.last_visit < time <= visit.at]
    new = visit.new_items * _overflow_factor(state, visit, fresh)
    dated = max(_dated_items(fresh, visit, waited), visit.new_items) if visit.item_times else 0.0
    profile, hours = state.profile, weighted_hours(state.profile, state.last_visit, visit.at)
    if fresh or visit.new_items:
        profile = with_times(profile, fresh or spread_evenly(state.last_visit, visit.at, visit.new_items), kept)
    recent = _recent(fresh, dated, visit.at) if fresh else (0.0 if visit.item_times else new * RECENT_HOURS / waited * (1 - kept_recently))
    return replace(
        state,
        last_visit=visit.at,
        visits=state.visits + 1,
        failures=0,
        items=state.items * kept + new,
        dated_items=state.dated_items * kept + dated,
        hours=state.hours * kept + hours,
        profile=profile,
        window=float(len(visit.item_times) or max(state.window, visit.new_items)),
        recent_items=state.recent_items * kept_recently + recent,
        recent_hours=state.recent_hours * kept_recently + hours / waited * RECENT_HOURS * (1 - kept_recently),
        modified=0.0 if visit.modified is None else state.modified * kept + visit.modified,
    )


def _overflow_factor(state: RevisitState, visit: Visit, fresh: Sequence[float]) -> float:
    """By how much the new links of a source are too few, because it dropped some between the visits.

    By the dates of a list that has only newer ones, its links are those of a shorter time. Without dates that time is taken to be
    LIST_HOURS, and half of it if the list is full of new links.
    """
    waited = visit.at - state.last_visit
    if not visit.item_times:
        full = state.window >= 5 and visit.new_items >= OVERFLOW_SHARE * state.window
        shown, factor = LIST_HOURS, OVERFLOW_FACTOR if full else 1.0
    else:
        is_turned_over = fresh and len(fresh) >= len(visit.item_times)
        shown, factor = max(visit.at - min(fresh), 0.25) if is_turned_over else math.inf, 1.0
    return factor * max(waited / shown, 1.0)


def _recent(fresh: Sequence[float], dated: float, now: float) -> float:
    """The items since the last visit, the older the less. `dated` is their number, more than there are dates if some dropped out."""
    return math.fsum(math.exp((time - now) / RECENT_HOURS) for time in fresh) * max(dated / len(fresh), 1.0)


def _dated_items(fresh: Sequence[float], visit: Visit, waited: float) -> float:
    """The news of a source since its last visit. If all items are newer than that, more items appeared than it shows."""
    if not fresh or len(fresh) < len(visit.item_times):
        return len(fresh)
    return len(fresh) * waited / max(visit.at - min(fresh), 0.25)


def _after_visit_of_article(state: RevisitState, visit: Visit) -> RevisitState:
    first = state.visits == 0
    exposed = 0.0 if first else exposure(state.last_visit - state.first_seen, visit.at - state.first_seen)
    edits = 0 if first else int(visit.changed)
    return replace(state, last_visit=visit.at, visits=state.visits + 1, failures=0, items=state.items + edits, hours=state.hours + exposed)


def _article_interval(state: RevisitState, longest: float, price: float) -> float:
    """The hours until the next visit for edits. If a trusted source tells of them, hints lead to most, so a visit must bring more."""
    strength = edits_expected(state.items, state.hours)
    threshold = edit_price(price) * THRESHOLD_SPREAD ** (state.tie_breaker - 0.5) * (WATCHED_FACTOR if state.modified else 1.0)
    wait = next_edit_check(state.last_visit - state.first_seen, strength, threshold)
    return longest if wait is None else wait


def _failure_interval(state: RevisitState) -> float:
    if state.failures >= DEAD_AFTER_FAILURES:
        return DEAD_HOURS
    return FAILURE_HOURS * 4.0 ** (state.failures - 1)
