"""Remove the characters that readers do not see: soft hyphens, zero-width spaces, marks of direction in text that has one direction."""

from __future__ import annotations

import re

# Soft hyphen, combining grapheme joiner, zero-width space, word joiner, invisible operators of formulas, byte order mark.
_NEVER_SEEN = "\u00ad\u034f\u180e\u200b\u2060-\u2064\ufeff"
_JOINERS = "\u200c\u200d"
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SUSPECT = re.compile(f"[{_NEVER_SEEN}{_JOINERS}{_DIRECTIONS}]")
_UNSEEN = re.compile(f"[{_NEVER_SEEN}]")
_MARKS = re.compile(f"[{_DIRECTIONS}]")
# Joiners shape the letters of Arabic, Indian and neighbouring scripts, and they make emoji of several parts. Elsewhere they do nothing.
_JOINED = "\u0600-\u109f\u1780-\u18af\u1900-\u1cff\u2190-\u2bff\ua800-\uabff\ufb50-\ufdff\ufe00-\ufe0f\ufe70-\ufefe\U00010a00-\U0001ffff"
_ENDS_JOINED = "\u0600-\u0dff"  # scripts in which a joiner shapes the last letter of a word, too
_NEEDLESS_JOINER = re.compile(f"(?<![{_JOINED}])[{_JOINERS}]+|(?<![{_ENDS_JOINED}])[{_JOINERS}]+(?=\\s|$)")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]")


def without_invisible(text: str) -> str:
    """Text without the characters that nobody sees. Joiners stay where a script needs them, marks of direction where it runs both ways."""
    if text.isascii() or not _SUSPECT.search(text):
        return text
    text = _NEEDLESS_JOINER.sub("", _UNSEEN.sub("", text))
    return text if _RIGHT_TO_LEFT.search(text) else _MARKS.sub("", text)


def folded_text(text: str) -> str:
    """Text without invisible characters and with white space folded."""
    if text.isascii() and text.isprintable() and "  " not in text:  # most: to test that is cheaper than to split and join
        return text.strip()
    return " ".join(without_invisible(text).split())
