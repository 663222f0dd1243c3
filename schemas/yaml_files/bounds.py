"""Upper bounds for the values of a crawl file, so that no value is too large for the code that uses it later.

A configuration that was stored with a run, perhaps by an earlier release, is read with `context=PINNED`. It was accepted when the run was
planned, so it is not checked against today's bounds.
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
    """Accepts a number up to the limit."""

    def check(number: Number, info: ValidationInfo) -> Number:
        if number > limit and not is_pinned(info):
            raise ValueError(f"more than {limit:,.0f} is not allowed")
        return number

    return AfterValidator(check)


def length_at_most(limit: int) -> AfterValidator:
    """Accepts a text of at most `limit` characters, or a list of at most `limit` entries."""

    def check(value: Sequence, info: ValidationInfo) -> Sequence:
        if len(value) > limit and not is_pinned(info):
            unit = "characters" if isinstance(value, str) else "entries"
            raise ValueError(f"it has {len(value):,} {unit}; at most {limit:,} are allowed")
        return value

    return AfterValidator(check)


def one_line(text: str, info: ValidationInfo) -> str:
    """Accepts a text without line ends, other control characters, and characters that change the direction of the text around them."""
    if NOT_IN_A_LINE.search(text) and not is_pinned(info):
        raise ValueError(f"{text!r} has a line end or another control character; take it out")
    return text


def is_pinned(info: ValidationInfo) -> bool:
    """Whether the configuration was stored with a run, and so was accepted before."""
    return bool(info.context == PINNED)
