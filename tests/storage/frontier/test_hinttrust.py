"""How far hints are trusted: a little at first, more with each confirmed one, and hardly at all after refuted ones."""

from storage.frontier.hint_trust import FIRST_HINTS, RETRY_SECONDS, HintTrust, allowance, is_plausible, with_followed, with_outcome

NOW = 1_700_000_000.0


def after(*outcomes: bool) -> HintTrust:
    trust = HintTrust()
    for changed in outcomes:
        trust = with_outcome(with_followed(trust, 1, NOW), changed)
    return trust


def test_of_a_new_source_a_few_hints_are_followed() -> None:
    assert allowance(HintTrust(), NOW) == FIRST_HINTS
    assert allowance(with_followed(HintTrust(), FIRST_HINTS, NOW), NOW) == 0


def test_confirmed_hints_allow_more() -> None:
    assert allowance(after(True, True, True), NOW) > 5 * FIRST_HINTS
    assert allowance(after(*[True] * 500), NOW) < 500


def test_a_source_that_is_mostly_wrong_is_rarely_followed() -> None:
    mostly_wrong = after(*[False] * FIRST_HINTS)
    assert not mostly_wrong.is_trusted
    assert allowance(mostly_wrong, NOW + RETRY_SECONDS - 1) == 0
    assert allowance(mostly_wrong, NOW + RETRY_SECONDS) == 1
    assert allowance(with_followed(mostly_wrong, 1, NOW + RETRY_SECONDS), NOW + 9 * RETRY_SECONDS) == 0


def test_a_source_that_improves_is_trusted_again() -> None:
    improved = with_outcome(after(*[False] * 20), True)
    assert not improved.is_trusted
    for _ in range(20):
        improved = with_outcome(improved, True)
    assert improved.is_trusted


def test_a_hint_without_a_response_is_neither_confirmed_nor_refuted() -> None:
    assert with_outcome(with_followed(HintTrust(), 1, NOW), None).share == HintTrust().share
    assert with_outcome(with_followed(HintTrust(), 1, NOW), None).pending == 0


def test_a_time_before_the_last_fetch_or_in_the_future_is_not_plausible() -> None:
    assert is_plausible(NOW - 10, NOW - 20, NOW)
    assert not is_plausible(NOW - 20, NOW - 10, NOW)
    assert not is_plausible(NOW + 86_400, NOW - 10, NOW)
