"""How well a score ranks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from statistics import fmean


def ranking(scores: Sequence[float], right: Sequence[float]) -> float:
    """The area under the ROC curve: how often the right one of two has the higher score; ties count half. NaN without a pair."""
    good = [score for score, is_right in zip(scores, right, strict=True) if is_right]
    bad = [score for score, is_right in zip(scores, right, strict=True) if not is_right]
    return fmean((one > other) + (one == other) / 2 for one, other in product(good, bad)) if good and bad else float("nan")
