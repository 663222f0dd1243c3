"""Numbers in text from outside."""

from __future__ import annotations

import pytest

from schemas.numbers import MAX_INT64, read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), (b"17", 17), ("0017", 17), (str(MAX_INT64), MAX_INT64)]
    + [(text, None) for text in ("", None, "-1", "+1", "1.0", " 1", "1_0", "0x1", "²", "١٢", b"\xb2", "9" * 19, "9" * 5000, b"9" * 5000)],
)
def test_only_short_runs_of_ascii_digits_are_numbers(text: str | bytes | None, number: int | None) -> None:
    assert read_number(text) == number


def test_what_is_above_the_most_is_none() -> None:
    assert (read_number("7", 7), read_number("8", 7)) == (7, None)
