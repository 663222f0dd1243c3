"""How far hints are believed: a little at first, more with each kept one, and hardly at all after lies."""

from storage.frontier.hint_trust import FIRST_HINTS, TRIAL_SECONDS, HintTrust, allowance, followed, is_plausible, settled

NOW = 1_700_000_000.0


def after(*outcomes: bool) -> HintTrust:
    trust = HintTrust()
    for changed in outcomes:
        trust = settled(followed(trust, 1, NOW), changed)
    return trust


def test_a_new_source_has_a_little_credit() -> None:
    assert allowance(HintTrust(), NOW) == FIRST_HINTS
    assert allowance(followed(HintTrust(), FIRST_HINTS, NOW), NOW) == 0


def test_kept_hints_earn_more() -> None:
    assert allowance(after(True, True, True), NOW) > 5 * FIRST_HINTS
    assert allowance(after(*[True] * 500), NOW) < 500


def test_lies_lose_the_trust_but_for_a_rare_trial() -> None:
    liar = after(*[False] * FIRST_HINTS)
    assert not liar.is_believed
    assert allowance(liar, NOW + TRIAL_SECONDS - 1) == 0
    assert allowance(liar, NOW + TRIAL_SECONDS) == 1
    assert allowance(followed(liar, 1, NOW + TRIAL_SECONDS), NOW + 9 * TRIAL_SECONDS) == 0


def test_a_source_that_mends_is_believed_again() -> None:
    mended = settled(after(*[False] * 20), True)
    assert not mended.is_believed
    for _ in range(20):
        mended = settled(mended, True)
    assert mended.is_believed


def test_a_hint_without_an_answer_is_neither_kept_nor_a_lie() -> None:
    assert settled(followed(HintTrust(), 1, NOW), None).share == HintTrust().share
    assert settled(followed(HintTrust(), 1, NOW), None).open == 0


def test_what_is_older_than_the_last_fetch_or_in_the_future_says_nothing() -> None:
    assert is_plausible(NOW - 10, NOW - 20, NOW)
    assert not is_plausible(NOW - 20, NOW - 10, NOW)
    assert not is_plausible(NOW + 86_400, NOW - 10, NOW)
