"""The words of a text in any script. In scripts without spaces each character is a word."""

from __future__ import annotations

import hashlib
import re

# kana, Han, Thai and Lao, Burmese, Khmer
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
UNSPACED_SHARE = 0.3  # of the characters other than blanks; a text with more is in a script without spaces
SHINGLE_WORDS = 5

_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
_UNSPACED = re.compile(rf"[{UNSPACED}]")
_BLANK = re.compile(r"\s+")


def words(text: str) -> list[str]:
    """The words of a text in lower case; each character of a script without spaces is a word."""
    return _TOKEN.findall(text.casefold())


def unspaced_characters(text: str) -> int:
    """How many characters belong to scripts that write without spaces."""
    return len(_UNSPACED.findall(text))


def shingles(tokens: list[str]) -> list[str]:
    """The distinct runs of five words, in the order in which they appear; of a shorter text the whole text.

    In scripts without spaces a word is a character, so these are character 5-grams.
    """
    if len(tokens) < SHINGLE_WORDS:
        return [" ".join(tokens)] if tokens else []
    runs = zip(*(tokens[start:] for start in range(SHINGLE_WORDS)), strict=False)
    return list(dict.fromkeys(" ".join(run) for run in runs))


def text_digest(text: str) -> str:
    """SHA-256 of the text in lower case with single blanks; the first 32 hex digits."""
    return hashlib.sha256(_BLANK.sub(" ", text.casefold()).strip().encode("utf-8", "surrogatepass")).hexdigest()[:32]
