"""What a source is visited for: its own news, a change of pace, and modified pages that it tells of."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from schemas.capture import UrlKind
from schemas.config.crawl import Revisit
from schemas.page import Hints
from spiders.schedule.next_visit import ItemTimes, after_response
from spiders.schedule.revisit import after_visit, due_at
from spiders.schedule.state import Bounds, RevisitState, Visit
from storage.frontier.hint_trust import HintTrust
from storage.frontier.records import DueUrl

WIDE = Bounds(0, 24 * 30)
TRUSTED, DISTRUSTED = HintTrust(confirmed=5.0), HintTrust(refuted=5.0)
HOUR = 3600.0
SITEMAP = DueUrl(1, 1, "https://a.example/sitemap.xml", UrlKind.SITEMAP, None, 0, 0, 0, 0.0, None, 0, None, None, None, Hints())


def interval(state: RevisitState, price: float = 1.0) -> float:
    return due_at(state, WIDE, price) - state.last_visit


def feed(hours: int, items_an_hour: int) -> RevisitState:
    """A feed that was visited every hour."""
    state = RevisitState(source=True, first_seen=0.0, is_primary_source=True)
    for hour in range(hours):
        times = [hour - 0.9 + 0.1 * number for number in range(items_an_hour)]
        state = after_visit(state, Visit(float(hour), new_items=items_an_hour, item_times=[*times, hour - 60.0]))
    return state


def test_a_source_that_becomes_busy_is_visited_sooner_within_a_day() -> None:
    quiet = feed(24 * 14, 0)
    start, burst = quiet.last_visit, quiet
    for hour in range(1, 7):
        times = [start + hour - 0.3, start + hour - 0.6, start - 50.0]
        burst = after_visit(burst, Visit(start + hour, new_items=2, item_times=times))
    slow = replace(burst, recent_items=0.0, recent_hours=0.0)
    assert interval(burst) < 0.6 * interval(slow)
    assert interval(slow) < interval(quiet) / 2


def test_links_that_the_primary_source_lists_too_count_little() -> None:
    """A hub that found three links a visit: beside a feed that lists as many, and beside one that lists none of them."""
    hub = RevisitState(source=True, first_seen=0.0)
    for hour in range(24):
        hub = after_visit(hub, Visit(2.0 * hour, new_items=3))
    covers = RevisitState(True, 0.0, 46.0, 24, 10.0, 48.0, dated_items=82.0, is_primary_source=True)
    beside, alone = (after_visit(hub, Visit(48.0, new_items=3), [one]) for one in (covers, replace(covers, dated_items=10.0)))
    assert beside.credit < 0.5
    assert alone.credit == 1
    assert interval(beside) > 1.5 * interval(alone)


@pytest.mark.parametrize(("trust", "is_visited_for_hints"), [(TRUSTED, True), (DISTRUSTED, False)])
def test_a_sitemap_that_tells_of_edits_is_visited_for_them(trust: HintTrust, is_visited_for_hints: bool) -> None:
    """Each day it lists four known pages that were modified since, and nothing new."""
    due, now = replace(SITEMAP, hint_trust={"sitemap": trust}), 0.0
    for day in range(20):
        now = 24 * HOUR * day
        items = [ItemTimes(None, now - HOUR * (2 if number < 4 else 900), "sitemap") for number in range(20)]
        following = after_response(Revisit(price=1, sitemaps_max=720), due, UrlKind.SITEMAP, now, True, 0, items)
        due = replace(due, revisit=following.revisit)
    assert following.due_at is not None
    assert (following.due_at - now < 48 * HOUR) is is_visited_for_hints


def test_a_sitemap_that_gives_the_present_time_for_all_pages_says_nothing() -> None:
    due, now = SITEMAP, 0.0
    for day in range(3):
        now = 24 * HOUR * day
        items = [ItemTimes(None, now, "sitemap") for _ in range(20)]
        due = replace(due, revisit=after_response(Revisit(), due, UrlKind.SITEMAP, now, True, 0, items).revisit)
        assert RevisitState.from_text(due.revisit or "").modified == 0


def test_dates_of_modification_tell_the_rate_where_a_sitemap_has_no_others() -> None:
    items = [ItemTimes(None, -HOUR * age, "sitemap") for age in range(2, 50)]
    dated, blind = (after_response(Revisit(), SITEMAP, UrlKind.SITEMAP, 0.0, True, 48, found) for found in (items, []))
    states = [RevisitState.from_text(one.revisit or "") for one in (dated, blind)]
    assert states[0].items / states[0].hours == pytest.approx(48 / 49, rel=0.05)
    assert states[0].dated_items == 0, "they do not make it the primary source"
    assert states[1].hours == 0


def test_an_article_whose_edits_a_trusted_source_tells_of_is_visited_less() -> None:
    hints = Hints(published_at=datetime.fromtimestamp(0, UTC), source="sitemap")
    story = DueUrl(2, 1, "https://a.example/story-about-some-thing", UrlKind.PAGE, None, 1, 0, 0, 0.0, None, 0, None, None, None, hints)
    visits = [
        after_response(Revisit(price=0.3), replace(story, hint_trust=trust), UrlKind.PAGE, HOUR, True, 0, []).due_at
        for trust in ({}, {"sitemap": TRUSTED}, {"sitemap": HintTrust()})
    ]
    assert visits[0] == visits[2]
    assert visits[0] is not None
    assert visits[1] is not None
    assert visits[0] < visits[1]


@pytest.mark.parametrize("state", [feed(30, 2), RevisitState(False, 3.0), RevisitState(True, 3.0, credit=0.5, modified=4.0, window=7.0)])
def test_a_state_is_read_as_it_was_written(state: RevisitState) -> None:
    read = RevisitState.from_text(state.to_text())
    for name in ("recent_items", "recent_hours", "credit", "modified", "window", "hours", "visits"):
        assert getattr(read, name) == pytest.approx(getattr(state, name), abs=0.6 if name == "window" else 1e-3)
    assert len(read.profile) == len(state.profile)


def test_an_article_has_a_short_text() -> None:
    assert len(RevisitState(False, 3.0).to_text()) <= len("[0, 0, 0, 0, 3.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.5]")


def test_a_list_with_dates_that_lost_the_first_choice_is_soon_visited_again() -> None:
    """Else it would rest for a week: the choice was made on a few hours, and beside the primary source it brings nothing."""
    lost = RevisitState(source=True, first_seen=0.0, last_visit=1.0, visits=2, hours=72.0, dated_items=300.0, credit=0.4)
    assert interval(lost, 5.0) <= 24
    assert interval(replace(lost, visits=3), 5.0) > 7 * 24


def test_a_list_that_dropped_items_between_two_visits_has_more_than_it_shows() -> None:
    """Three new links after two hours and after ten days. By its dates the list shows five hours."""
    short, long = (
        after_visit(RevisitState(True, 0.0, 0.0, 1, 0.0, 100.0), Visit(at, new_items=3, item_times=[at - 5, at - 3, at - 1])).items
        for at in (6.0, 240.0)
    )
    assert (short, long) == pytest.approx((3 * 6 / 5, 3 * 240 / 5))
    hub = [after_visit(RevisitState(True, 0.0, 0.0, 1, 0.0, 100.0), Visit(at, new_items=3)).items for at in (6.0, 240.0)]
    assert hub == pytest.approx([3, 3 * 240 / 24])


def test_links_that_the_primary_source_did_not_list_when_it_was_visited_are_the_sources_own() -> None:
    """After ten days a section has three new links; the primary source, whose items others often bring first, was visited an hour ago."""
    section = RevisitState(True, 0.0, 0.0, 5, 2.0, 100.0)
    primary = RevisitState(True, 0.0, 239.0, 24, 10.0, 100.0, dated_items=82.0, is_primary_source=True)
    recent, old = (after_visit(section, Visit(240.0, new_items=3), [replace(primary, last_visit=at)]).credit for at in (239.0, 0.0))
    assert recent > 0.9
    assert old < 0.7
