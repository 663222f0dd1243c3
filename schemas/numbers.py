"""Whole numbers in text from outside. They are bounded: no text is too long for `int`, and no number is too large for a column."""

from __future__ import annotations

MAX_DIGITS = 19
MAX_INT64 = 2**63 - 1


def read_number(text: str | bytes | None, most: int = MAX_INT64) -> int | None:
    """The number that a text of 1 to 19 ASCII digits is; None for any other text, and for a number above `most`."""
    if not text or len(text) > MAX_DIGITS or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number <= most else None
