"""When an article should be visited again for its edits; no clock, no I/O. Times are in hours, prices in edits per fetch.

Edits come at a rate that falls as (age + 1 hour) ** -1.4: most within a day. The value of noticing an edit falls with its delay, on a scale
of some days. One late visit catches all edits up to then, several visits notice them sooner. So the best series of visits depends on the
price of a visit and on how often the article is edited. It is found backwards from the oldest age that is checked (dynamic programming).
"""

from __future__ import annotations

import math
from functools import lru_cache

EDITS_PER_PRICE = 1.5  # edits that a fetch should bring at the price 1, were there no limit
EDIT_POWER = 2.3  # of the price, below about 1: with 2, few edits are found where fetches are plenty, with more, news is later
USUAL_EDITS = 1.45  # the limit: more than most visits to an article of unknown habits bring, so edited ones go first
SCARCE_PRICE = 2.4  # above it fetches hardly cover first visits. Edits yield before news: the limit grows with this power of the price
SCARCE_POWER = 1.5  # with more, 45,000 fetches for 35,000 articles find fewer edits than Nutch's rule
EDIT_VALUE_HOURS = 240.0  # an edit noticed after so long is worth exp(-1), about a third. With 60, each visit finds fewer edits
MAX_CHECKED_AGE_HOURS = 14 * 24.0  # an older article is visited as seldom as the crawl allows
FALL = 0.4  # with .5, visits are earlier and find fewer edits
PRIOR_EDITS = 0.45  # over PRIOR_EXPOSURE: about one edit an article, if the few that are edited many times are counted
PRIOR_EXPOSURE = 1.0
AGE_STEPS = 48
PRICES_A_FACTOR_E = 8  # plans are made for prices rounded to an eighth of a logarithm
HINT_HOURS = 3.0  # chosen on the tuning seeds: with 8, a fetch finds more edits, but lists drop more pages before they are fetched
FREE_HINT_PRICE = 0.5  # the default price: who did not change it gets an edit as soon as a list tells of it
EDITS_BY_HINT = 2.8  # about what a fetch by a hint finds if it waits: at a price at which a fetch should bring more, none is followed
NEVER_HOURS = 10 * 365 * 24.0
AGES = tuple(math.exp(math.log(MAX_CHECKED_AGE_HOURS + 1) * step / AGE_STEPS) - 1 for step in range(AGE_STEPS + 1))


def edit_price(price: float) -> float:
    """The edits that a fetch should bring, at a price of fetches in new articles."""
    return max(min(EDITS_PER_PRICE * math.pow(price, EDIT_POWER), USUAL_EDITS), USUAL_EDITS * math.pow(price / SCARCE_PRICE, SCARCE_POWER))


def hint_wait(price: float) -> float:
    """The hours since an article's last fetch during which hints that it was edited are ignored.

    At the default price 0. The higher the price, the longer, so that one fetch catches several edits; infinite if hints are not worth it.
    """
    return HINT_HOURS * max(price**2 - FREE_HINT_PRICE**2, 0.0) if edit_price(price) < EDITS_BY_HINT else NEVER_HOURS


def exposure(before: float, now: float) -> float:
    """The part of an article's edits that is expected between two ages."""
    return (math.pow(before + 1, -FALL) - math.pow(max(now, before) + 1, -FALL)) / FALL


def edits_expected(edits: float, exposed: float) -> float:
    """The estimated edits for each unit of exposure (Gamma-Poisson)."""
    return (edits + PRIOR_EDITS) / (exposed + PRIOR_EXPOSURE)


def next_edit_check(age: float, strength: float, threshold: float) -> float | None:
    """The hours until the next visit to an article of an age, None if no visit is worth its price.

    `strength` is the edits for each unit of exposure, `threshold` the edits that a visit should bring.
    """
    if age >= MAX_CHECKED_AGE_HOURS:
        return None
    step = round(math.log(age + 1) / math.log(MAX_CHECKED_AGE_HOURS + 1) * AGE_STEPS)
    following = _plan(round(PRICES_A_FACTOR_E * math.log(threshold / strength)))[min(step, AGE_STEPS - 1)]
    return AGES[following] - age if following else None


@lru_cache(maxsize=1)
def _gains() -> tuple[tuple[float, ...], ...]:
    """What a visit at AGES[second] gains after one at AGES[first], for a strength of 1."""
    rows = []
    for first in range(AGE_STEPS + 1):
        row = [0.0] * (first + 1)
        for second in range(first + 1, AGE_STEPS + 1):
            kept = math.exp(-(AGES[second] - AGES[second - 1]) / EDIT_VALUE_HOURS)
            row.append(row[-1] * kept + exposure(AGES[second - 1], AGES[second]) * (1 + kept) / 2)
        rows.append(tuple(row))
    return tuple(rows)


@lru_cache(maxsize=256)
def _plan(rounded: int) -> tuple[int, ...]:
    """For each of AGES the step of the best next visit, 0 if there is none, at a price given as a rounded logarithm."""
    threshold, gains = math.exp(rounded / PRICES_A_FACTOR_E), _gains()
    worth, following = [0.0] * (AGE_STEPS + 1), [0] * (AGE_STEPS + 1)
    for first in reversed(range(AGE_STEPS)):
        for second in range(first + 1, AGE_STEPS + 1):
            gain = gains[first][second] - threshold + worth[second]
            if gain > worth[first]:
                worth[first], following[first] = gain, second
    return tuple(following)
