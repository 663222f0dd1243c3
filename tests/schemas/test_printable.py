"""Unsafe characters are escaped, and those that scripts and emoji need are not. JSON keeps its value, and CSV has no formulas."""

from __future__ import annotations

import json
import unicodedata

import pytest

from schemas.errors import NotFoundError
from schemas.printable import printable, printable_json, spreadsheet_text

PLAIN = [
    "plain text, Köln, 東京, Ελλάδα",
    "می‌خواهم",  # Persian with U+200C
    "क्‍ष",  # Devanagari with U+200D
    "שלום عربي",
    "👩‍👩‍👧 ❤️‍🔥 ❤️ 1️⃣",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # the flag of England
    "葛\U000e0100城",  # a variant of a Han character
    "sil­ben",  # soft hyphen
]
ESCAPED = {
    "\x1b[31mred\x1b]0;title\x07": r"\x1b[31mred\x1b]0;title\x07",
    "\x9b31m \x9d0;x\x9c": r"\x9b31m \x9d0;x\x9c",
    "over\rwritten\x08\x7f": r"over\x0dwritten\x08\x7f",
    "\u202eexe.gpj\u202c \u2066a\u2069": r"\u202eexe.gpj\u202c \u2066a\u2069",
    "a\u200bb\ufeffc\u2060d\u180ee\u200ff\u061c": r"a\u200bb\ufeffc\u2060d\u180ee\u200ff\u061c",
    "x\U000e0041\U000e0001": r"x\U000e0041\U000e0001",
    "x\ufe00\ufe01": "x\ufe00" + r"\ufe01",
    "a\u200d\u200cb": "a\u200d" + r"\u200cb",
    "bytes \udcff": r"bytes \udcff",
    "\u2028\u2029\u3164": r"\u2028\u2029\u3164",
}


@pytest.mark.parametrize("text", PLAIN)
def test_what_scripts_and_emoji_need_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(("text", "shown"), ESCAPED.items())
def test_what_acts_on_a_terminal_or_hides_text_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown
    assert str(NotFoundError(text)) == shown


def test_no_control_and_no_bidirectional_control_is_left() -> None:
    every = "".join(map(chr, range(0x110000)))
    left = {unicodedata.category(character) for character in printable(every, lines=False)}
    assert not left & {"Cc", "Cs", "Zl", "Zp"}
    bidi = {
        character
        for character in every
        if unicodedata.bidirectional(character) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    }
    assert not bidi & set(printable(every))


def test_lines_stay_lines_unless_one_line_is_wanted() -> None:
    assert printable("a\r\nb\tc\nd") == "a\nb\tc\nd"
    assert printable("a\r\nb\tc", lines=False) == r"a\x0d\x0ab\x09c"


@pytest.mark.parametrize("text", [*PLAIN, *ESCAPED, "\U0001bca0", "line\nline"])
def test_json_keeps_its_value(text: str) -> None:
    written = printable_json({text: [text, 1.5, None]}, indent=1)
    assert json.loads(written) == {text: [text, 1.5, None]}
    assert printable(written) == written


@pytest.mark.parametrize(
    "text", ["=1+1", "+A1", "-A1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "=", "-", "=-3", "＝1+1", "－x", "-1-2", "+1|cmd"]
)
def test_a_formula_is_text_to_a_spreadsheet(text: str) -> None:
    assert spreadsheet_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-3", "+4.5", "-.5e-3", "1-2", "a=b", "'quoted", "", " x", "2026-01-01", "line\nline", "é\tü"])
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert spreadsheet_text(text) == text


def test_a_spreadsheet_gets_no_escape_sequences() -> None:
    assert spreadsheet_text("\x1b[31mred\x9b") == r"\x1b[31mred\x9b"
