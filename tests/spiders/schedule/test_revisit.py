"""The revisit policy: busy sources soon, quiet ones seldom, young articles a few times, dead things rarely."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from schemas.capture import UrlKind
from schemas.config.crawl import Revisit
from schemas.page import Hints
from spiders.schedule.edits import NEVER_HOURS, hint_wait
from spiders.schedule.next_visit import after_response, appeared_at, hours_between_runs
from spiders.schedule.revisit import after_visit, due_at
from spiders.schedule.state import Bounds, RevisitState, Visit
from storage.frontier.records import DueUrl

WIDE = Bounds(0, 24 * 30)


def visits(state: RevisitState, every: float, count: int, **shown: object) -> RevisitState:
    for index in range(count):
        state = after_visit(state, Visit(state.first_seen + index * every, **shown))  # type: ignore[arg-type]
    return state


def interval(state: RevisitState, bounds: Bounds = WIDE) -> float:
    return due_at(state, bounds) - state.last_visit


def test_a_busy_source_is_due_sooner_than_a_quiet_one() -> None:
    busy = visits(RevisitState(source=True, first_seen=1000.0), 1.0, 30, new_items=5)
    quiet = visits(RevisitState(source=True, first_seen=1000.0), 1.0, 30, new_items=0)
    assert interval(busy) < 1
    assert interval(quiet) > 48


def test_a_source_whose_news_others_bring_comes_to_rest() -> None:
    """Its content changes at every visit, but brings nothing that the frontier did not know."""
    second = visits(RevisitState(source=True, first_seen=1000.0), 2.0, 50, changed=True, new_items=0)
    assert interval(second, Bounds(0, 24)) == 24


def test_dates_of_the_items_tell_the_rate_at_the_first_visit() -> None:
    times = [1000.0 - age for age in range(1, 25)]
    first = after_visit(RevisitState(source=True, first_seen=1000.0), Visit(1000.0, new_items=24, item_times=times))
    blind = after_visit(RevisitState(source=True, first_seen=1000.0), Visit(1000.0, new_items=24))
    assert 0.2 < interval(first) < 3
    assert interval(blind) > interval(first)


def test_dates_in_the_future_are_not_believed() -> None:
    times = [5000.0 + age for age in range(24)]
    state = after_visit(RevisitState(source=True, first_seen=1000.0), Visit(1000.0, new_items=24, item_times=times))
    assert state.items == 0


def test_a_night_without_news_is_waited_through() -> None:
    state = RevisitState(source=True, first_seen=0.0)
    for hour in range(24 * 14):
        busy = 8 <= hour % 24 < 20
        state = after_visit(state, Visit(float(hour), new_items=3 if busy else 0, item_times=[hour - 0.5] if busy else []))
    evening, morning = state, after_visit(state, Visit(24 * 14 + 9.0, new_items=3))
    assert evening.last_visit % 24 == 23
    assert interval(evening) > 4 * interval(morning)


def test_a_young_article_is_visited_a_few_times_and_then_left() -> None:
    state = after_visit(RevisitState(source=False, first_seen=0.0), Visit(0.0))
    ages = []
    while (due := due_at(state, WIDE)) < 24 * 14:
        ages.append(due)
        state = after_visit(state, Visit(due))
    assert 1 <= len(ages) <= 4
    assert interval(state) == WIDE.longest


def test_an_edited_article_is_visited_sooner() -> None:
    first = after_visit(RevisitState(source=False, first_seen=0.0), Visit(0.0))
    edited = after_visit(first, Visit(3.0, changed=True))
    same = after_visit(first, Visit(3.0))
    assert interval(edited) < interval(same) / 4


def test_failures_wait_longer_each_time_and_a_dead_url_rests() -> None:
    state = RevisitState(source=True, first_seen=0.0)
    waits = []
    for index in range(5):
        state = after_visit(state, Visit(float(index), failed=True))
        waits.append(interval(state))
    assert waits == sorted(waits)
    assert waits[-1] == 7 * 24
    assert interval(after_visit(RevisitState(source=True, first_seen=0.0), Visit(0.0, gone=True))) == 7 * 24
    assert interval(after_visit(state, Visit(9.0, new_items=1))) < 7 * 24


def feed(dated_items: int, start: float = 1000.0, **given: object) -> RevisitState:
    """A dated source, visited every two hours for two days, with so many items at each visit."""
    state = RevisitState(source=True, first_seen=start, **given)  # type: ignore[arg-type]
    for index in range(24):
        at = start + 2.0 * index
        times = [at - 0.1 * number for number in range(dated_items)]
        state = after_visit(state, Visit(at, item_times=[*times, at - 50]))
    return state


def test_of_two_sources_with_the_same_news_the_quicker_kind_leads() -> None:
    quick, slow = feed(5), feed(5, source_speed=0.75)
    last = Visit(1048.0, item_times=[1047.0, 1000.0])
    assert after_visit(quick, last, [slow]).is_primary_source
    assert not after_visit(slow, last, [quick]).is_primary_source


def test_the_lead_is_taken_only_by_clearly_more_news() -> None:
    last = Visit(1048.0, item_times=[1047.5, 1000.0])
    leader = feed(10)
    more, twice = replace(feed(11), is_primary_source=False), replace(feed(20), is_primary_source=False)
    assert not after_visit(more, last, [leader]).is_primary_source
    assert after_visit(twice, last, [leader]).is_primary_source
    assert not after_visit(leader, last, [twice]).is_primary_source or not twice.is_primary_source
    assert after_visit(more, last, [replace(leader, failures=5)]).is_primary_source


def test_two_equal_sources_do_not_both_lead() -> None:
    one, other = feed(5, tie_breaker=0.2), feed(5, tie_breaker=0.8)
    last = Visit(1048.0, item_times=[1047.5, 1000.0])
    assert [after_visit(one, last, [other]).is_primary_source, after_visit(other, last, [one]).is_primary_source] in [
        [False, True],
        [True, False],
    ]


def test_a_leader_is_visited_for_all_that_it_carries_and_another_for_what_only_it_brings() -> None:
    leader = feed(5)
    beside = after_visit(replace(leader, is_primary_source=False), Visit(1048.0, item_times=[1047.5, 1000.0]), [leader])
    assert interval(leader) < 1
    assert interval(beside) > 20


def test_the_price_moves_the_number_of_visited_articles_little_by_little() -> None:
    articles = [after_visit(RevisitState(source=False, first_seen=0.0, tie_breaker=index / 100), Visit(0.0)) for index in range(100)]
    visited = [sum(due_at(one, WIDE, price) < 24 * 14 for one in articles) for price in (0.4, 0.5, 0.6, 0.75, 0.9, 1.5)]
    assert visited == sorted(visited, reverse=True)
    assert visited[0] > 70
    assert 0 < visited[3] < 60
    assert len(set(visited)) >= 5


def leader(a_day: float) -> RevisitState:
    """A dated source that is its site's primary source, known for two weeks."""
    return RevisitState(
        source=True, first_seen=0.0, last_visit=1000.0, visits=50, hours=336.0, dated_items=14 * a_day, is_primary_source=True
    )


def test_the_busy_source_is_worth_every_tick_and_the_small_one_waits_but_not_for_ever() -> None:
    """Three times the news draw more than three times the visits, but small sites still have their visits: late news costs each hour."""
    week = Bounds(0, 24 * 7)
    busy, usual, small, tiny = (interval(leader(a_day), week) for a_day in (200, 12, 4, 0.2))
    assert busy < 0.3
    assert 0.2 < usual < 0.7
    assert small > 4 * usual
    assert small <= 12
    assert 5 * small < tiny <= week.longest


def test_a_source_without_dates_is_not_left_until_it_has_dropped_its_news() -> None:
    undated = replace(leader(12), dated_items=0.0, items=12 * 14.0, is_primary_source=False)
    for price in (1.0, 2.0, 4.0):
        assert 0.5 * (due_at(undated, WIDE, price) - undated.last_visit) <= 5 * price**1.3


def test_bounds_hold() -> None:
    busy = visits(RevisitState(source=True, first_seen=1000.0), 1.0, 30, new_items=500)
    assert interval(busy, Bounds(2, 24)) == 2


def test_the_text_form_keeps_the_state() -> None:
    state = visits(RevisitState(source=True, first_seen=1000.5), 1.0, 9, new_items=5, item_times=[1000.25])
    again = RevisitState.from_text(state.to_text())
    assert abs(due_at(again, WIDE) - due_at(state, WIDE)) < 0.01
    assert len(state.to_text()) < 300


PRICES = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0, 500.0)


def many_states() -> list[RevisitState]:
    """Sources with and without dates, busy and quiet, and articles of all ages, edited or not."""
    dated = [leader(a_day) for a_day in (0.05, 1, 12, 200)]
    undated = [replace(one, dated_items=0.0, items=one.dated_items, is_primary_source=False, window=40.0) for one in dated]
    article = RevisitState(source=False, first_seen=1000.0, last_visit=1000.0, visits=1)
    ages = [replace(article, last_visit=1000.0 + age, hours=0.5, items=edits) for age in (0, 5, 50, 500) for edits in (0, 1, 4)]
    return [*dated, *undated, RevisitState(source=True, first_seen=1000.0), *ages, replace(leader(12), failures=2)]


@pytest.mark.parametrize("state", many_states())
def test_a_dearer_fetch_is_never_sooner_and_no_url_waits_longer_than_its_bound(state: RevisitState) -> None:
    for bounds in (WIDE, Bounds(2, 48), Bounds(0, 0)):
        waits = [due_at(state, bounds, price) - state.last_visit for price in PRICES]
        assert waits == sorted(waits)
        assert all(bounds.shortest <= wait <= bounds.longest for wait in waits)


def test_a_visit_belongs_to_the_nearest_run() -> None:
    """A feed that deserves a visit at each run is fetched some seconds after a run began. It is due when the next one begins."""
    every_run = hours_between_runs("*/15 * * * *")
    assert (every_run, hours_between_runs(None), hours_between_runs("@once")) == (0.25, 0, 0)
    busy = leader(100)
    alone, in_runs = (due_at(busy, Bounds(0, 24, between)) - busy.last_visit for between in (0.0, every_run))
    assert alone == pytest.approx(in_runs + every_run / 2)
    assert due_at(busy, Bounds(alone, 24, every_run)) - busy.last_visit == alone, "never sooner than the crawl allows"
    failed = after_visit(busy, Visit(busy.last_visit + 1, failed=True))
    assert interval(failed, Bounds(0, 24, every_run)) == interval(failed), "retries are not rounded"


def test_an_article_that_was_found_late_is_checked_for_what_is_left_of_its_edits() -> None:
    """Most edits come in the first day: a story that was found two days after its publication has few left."""
    found = Visit(48.0)
    fresh, late = (after_visit(RevisitState(source=False, first_seen=appeared), found) for appeared in (48.0, 0.0))
    assert due_at(fresh, WIDE, 0.5) - 48.0 < 48.0
    assert due_at(late, WIDE, 0.5) - 48.0 > 5 * (due_at(fresh, WIDE, 0.5) - 48.0)


def test_a_date_in_a_feed_says_since_when_an_article_can_have_been_edited() -> None:
    due = DueUrl(
        1, 1, "https://a.example/story-about-some-thing", UrlKind.PAGE, None, 1, 0, 0, 48 * 3600.0, None, 0, None, None, None, Hints()
    )
    assert appeared_at(due) == 48 * 3600.0
    for hours, since in ((2, 2), (60, 48)):
        hints = Hints(published_at=datetime.fromtimestamp(hours * 3600, UTC))
        assert appeared_at(replace(due, hints=hints)) == since * 3600.0
    early = replace(due, hints=Hints(published_at=datetime.fromtimestamp(0, UTC)))
    seen = [after_response(Revisit(price=0.2), one, UrlKind.PAGE, 48 * 3600.0, False, 0, ()) for one in (due, early)]
    assert seen[0].due_at is not None
    assert seen[1].due_at is not None
    assert seen[0].due_at < seen[1].due_at


def test_where_fetches_are_scarce_edits_yield_before_news_do() -> None:
    """With a growing price no article is visited any more, and no hint followed, while the busy sources still are."""
    young = [after_visit(RevisitState(source=False, first_seen=0.0, tie_breaker=index / 20), Visit(0.0)) for index in range(20)]
    edited = [after_visit(one, Visit(2.0, changed=True)) for one in young]
    assert all(due_at(one, WIDE, 5.0) - one.last_visit == WIDE.longest for one in [*young, *edited])
    assert hint_wait(5.0) == NEVER_HOURS
    assert due_at(leader(100), WIDE, 5.0) - leader(100).last_visit < 24
    assert hint_wait(0.5) == 0
    assert [hint_wait(price) for price in PRICES] == sorted(hint_wait(price) for price in PRICES)


@pytest.mark.parametrize("profile", ["", ", 1.0" * 24])
def test_the_state_of_an_earlier_release_is_read(profile: str) -> None:
    state = RevisitState.from_text(f"[1, 50, 0, 1, 12.5, 1000.0, 3.0, 336.0, 168.0, 0.75, 0.25{profile}]")
    assert (state.source, state.visits, state.is_primary_source, state.dated_items, state.source_speed, state.tie_breaker) == (
        True,
        50,
        True,
        168.0,
        0.75,
        0.25,
    )
    assert (len(state.profile), state.window) == (24 if profile else 0, 0)
    later = after_visit(state, Visit(1001.0, new_items=1, item_times=[1000.5, 990.0]), [state], 3.0)
    assert later.window == 2
    assert RevisitState.from_text(later.to_text()).window == 2


def test_where_visits_are_rare_the_source_with_room_for_all_news_leads() -> None:
    """A feed of twenty items and a sitemap of a thousand tell the same hundred stories a day."""
    day = [1000.0 - number * 0.24 for number in range(300)]
    feed = after_visit(RevisitState(source=True, first_seen=1000.0), Visit(1000.0, new_items=20, item_times=day[:20]))
    sitemap = after_visit(RevisitState(source=True, first_seen=1000.0, source_speed=0.75), Visit(1000.0, new_items=300, item_times=day))
    later = [1012.0 - number * 0.24 for number in range(350)]
    for price, feed_leads in ((0.2, True), (60.0, False)):
        assert after_visit(feed, Visit(1012.0, item_times=later[:20]), [sitemap], price).is_primary_source == feed_leads
        assert after_visit(sitemap, Visit(1012.0, item_times=later), [feed], price).is_primary_source != feed_leads


def test_a_source_without_dates_is_not_left_for_weeks_before_its_rate_is_known() -> None:
    """Its first visit shows forty links; the second one, all of them new, tells that it was left too long."""
    hub = after_visit(RevisitState(source=True, first_seen=1000.0), Visit(1000.0, changed=True, new_items=40))
    assert interval(hub) < 24
    at = due_at(hub, WIDE, 5.0)
    full = after_visit(hub, Visit(at, changed=True, new_items=40))
    partly = after_visit(hub, Visit(at, changed=True, new_items=20))
    assert due_at(full, WIDE, 5.0) - at < 0.7 * (due_at(partly, WIDE, 5.0) - at)
