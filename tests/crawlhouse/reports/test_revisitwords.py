"""Sentences that say why a URL is due."""

from crawlhouse.reports.revisit import describe_hint_trust, describe_revisit_state
from schemas.numbers import plural
from spiders.schedule.state import RevisitState
from storage.frontier.hint_trust import HintTrust, with_outcome

BUSY = (0.0,) * 8 + (9.0,) + (1.0,) * 15


def test_a_leader_says_how_much_and_when() -> None:
    said = describe_revisit_state(RevisitState(True, 0.0, 48.0, 30, 40.0, 48.0, dated_items=48.0, is_primary_source=True, profile=BUSY))
    assert said == "the site's news are looked for here: about 21.8 a day, most from 8:00 to 9:00 UTC"


def test_other_states() -> None:
    assert "no other source" in describe_revisit_state(RevisitState(True, 0.0, 48.0, 30, 1.0, 48.0, dated_items=48.0))
    assert describe_revisit_state(RevisitState(False, 0.0, 9.0, 3, 2.0, 2.3)).startswith("an article: 2 changes seen in 3 visits")
    assert "2 failures" in describe_revisit_state(RevisitState(True, 0.0, failures=2))
    assert "rarely" in describe_revisit_state(RevisitState(True, 0.0, failures=5))


def test_trust() -> None:
    liar = HintTrust()
    for _ in range(5):
        liar = with_outcome(liar, False)
    assert "it is not believed" in describe_hint_trust("sitemap", liar)
    assert "it is believed" in describe_hint_trust("feed", with_outcome(HintTrust(), True))


def test_one_and_many() -> None:
    assert [plural(number, "visit") for number in (0, 1, 2, 1200)] == ["0 visits", "1 visit", "2 visits", "1,200 visits"]
    assert [plural(number, "visit", "is", "are") for number in (1, 2)] == ["1 visit is", "2 visits are"]
    assert "1 change seen in 1 visit;" in describe_revisit_state(RevisitState(False, 0.0, 9.0, 1, 1.0, 2.3))
