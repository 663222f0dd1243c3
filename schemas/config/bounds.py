"""Upper bounds of what a crawl file may say: no value that is read may be too much for those who use it later.

A configuration that was pinned in the database, perhaps by an earlier release, is read with `context=PINNED`: it was accepted in its day.
"""

from __future__ import annotations

import re
from collections.abc import Sized
from typing import TypeVar

from pydantic import AfterValidator, ValidationInfo

PINNED = {"pinned": True}
NOT_IN_A_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
Number = TypeVar("Number", int, float)
Sequence = TypeVar("Sequence", bound=Sized)


def at_most(limit: float) -> AfterValidator:
    """A number that is not more than the limit."""

    def check(number: Number, info: ValidationInfo) -> Number:
        if number > limit and not is_pinned(info):
            raise ValueError(f"more than {limit:,.0f} is not allowed")
        return number

    return AfterValidator(check)


def length_at_most(limit: int) -> AfterValidator:
    """A text of no more characters, or a list of no more entries, than the limit."""

    def check(value: Sequence, info: ValidationInfo) -> Sequence:
        if len(value) > limit and not is_pinned(info):
            unit = "characters" if isinstance(value, str) else "entries"
            raise ValueError(f"it has {len(value):,} {unit}; at most {limit:,} are allowed")
        return value

    return AfterValidator(check)


def one_line(text: str, info: ValidationInfo) -> str:
    """A text without line ends, other control characters, and characters that change the direction of what is around them."""
    if NOT_IN_A_LINE.search(text) and not is_pinned(info):
        raise ValueError(f"{text!r} has a line end or another control character; take it out")
    return text


def is_pinned(info: ValidationInfo) -> bool:
    """Whether what is read was accepted before."""
    return bool(info.context == PINNED)
