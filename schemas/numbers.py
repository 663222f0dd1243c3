"""Numbers: read from outside text within bounds, and written for people.

When they are read, no text is too long for `int`, and no number is too large for a column.
"""

from __future__ import annotations

MAX_DIGITS = 19
MAX_INT64 = 2**63 - 1
GB, MB = 1_000_000_000, 1_000_000


def read_number(text: str | bytes | None, most: int = MAX_INT64) -> int | None:
    """The number that a text of 1 to 19 ASCII digits is; None for any other text, and for a number above `most`."""
    if not text or len(text) > MAX_DIGITS or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number <= most else None


def format_bytes(count: float) -> str:
    """A size in MB, or in GB from one GB on, with one decimal: `12.3 MB`. The units are decimal, as in SI."""
    return f"{count / GB:,.1f} GB" if count >= GB else f"{count / MB:,.1f} MB"


def plural(number: float, noun: str, one: str = "", more: str = "") -> str:
    """A number with its noun: `1 visit`, `2 visits`. With the two forms of a verb: `1 visit is`, `2 visits are`."""
    words = f"{number:{',' if isinstance(number, int) else ',g'}} {noun}" + ("" if number == 1 else "s")
    return f"{words} {one if number == 1 else more}".rstrip()
