"""Why a URL is due when it is, and how far hints of modified pages are believed, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spiders.schedule.revisit import RevisitState
    from storage.frontier.hint_trust import HintTrust


def plural(number: float, noun: str) -> str:
    """A number of things: `1 visit`, `2 visits`."""
    return f"{number:,g} {noun}" + ("" if number == 1 else "s")


def describe_revisit_state(state: RevisitState) -> str:
    """What the visits to a URL have shown, as far as the next one depends on it."""
    from spiders.schedule.revisit import DEAD_AFTER_FAILURES, HOURS_A_DAY, expected_items_an_hour

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
    """What the hints of a kind of source were worth, lately."""
    said = f"{trust.kept:.1f} of its hints led to a changed page lately, {trust.lied:.1f} did not"
    verdict = "it is believed" if trust.is_believed else "it is not believed, and tried once a week"
    return f"{source}: {said}, {trust.open} are open; {verdict}"
