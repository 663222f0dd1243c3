"""Sentences about revisits: why a URL is due when it is, and whether hints of modified pages are trusted."""

from __future__ import annotations

from schemas.numbers import plural
from spiders.schedule.hours import HOURS_A_DAY
from spiders.schedule.primary import DEAD_AFTER_FAILURES
from spiders.schedule.revisit import expected_items_an_hour
from spiders.schedule.state import RevisitState
from storage.frontier.hint_trust import HintTrust


def describe_revisit_state(state: RevisitState) -> str:
    """What earlier visits to a URL mean for the next one."""
    if state.failures >= DEAD_AFTER_FAILURES:
        return "gone, or failed too often: tried again rarely"
    if state.failures:
        return f"{plural(state.failures, 'failure')} in a row: each waits four times as long"
    if not state.source:
        seen = f"{plural(state.items, 'change')} seen in {plural(state.visits, 'visit')}"
        return f"an article: {seen}; visited again while young, sooner if it changed"
    a_day = expected_items_an_hour(state) * HOURS_A_DAY
    if state.is_primary_source:
        return f"the site's news are looked for here: about {a_day:.1f} a day" + _busy_hours(state)
    return f"about {a_day:.1f} a day that no other source of the site brings first"


def _busy_hours(state: RevisitState) -> str:
    busiest = max(range(len(state.profile)), key=lambda hour: state.profile[hour], default=None)
    return "" if busiest is None or not sum(state.profile) else f", most from {busiest}:00 to {(busiest + 1) % 24}:00 UTC"


def describe_hint_trust(source: str, trust: HintTrust) -> str:
    """Whether the hints of a kind of source are trusted, and what they led to lately."""
    record = f"{trust.confirmed:.1f} of its hints led to a changed page lately, {trust.refuted:.1f} did not, {trust.pending} are open"
    return f"{source}: {record}; " + ("it is believed" if trust.is_trusted else "it is not believed, and tried once a week")
