"""What a pattern finds in a text: its first group, or all of it, by either engine."""

import pytest

from runtime.patterns import PatternTimeoutError, UrlPattern


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"SKU: (\w+)", "the SKU: A7 of it", "A7"),
        (r"\d+", "Size 42", "42"),
        (r"Größe: (\d+)", "Größe: 42", "42"),  # no ASCII: searched by `regex`
        (r"a(b)?", "xa", None),
        (r"(?<=no )\d+", "no 7", "7"),  # RE2 does not know it
        (r"^(\w+)$", "line\n", "line"),
        (r"z", "abc", None),
    ],
)
def test_what_a_pattern_finds(pattern: str, text: str, found: str | None) -> None:
    assert UrlPattern(pattern).find(text) == found


def test_a_search_that_takes_too_long_is_ended() -> None:
    with pytest.raises(PatternTimeoutError):
        UrlPattern(r"(?=(a+)+$)((a+)+)+b").find("a" * 5_000 + "é")
