"""Words of a text in any script: scripts that write without spaces are counted by character."""

from __future__ import annotations

import hashlib
import re

# kana, Han, Thai and Lao, Burmese, Khmer
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
UNSPACED_SHARE = 0.3  # of the characters that are no blanks: more makes a text one of an unspaced script
SHINGLE_WORDS = 5

_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
_UNSPACED = re.compile(rf"[{UNSPACED}]")
_BLANK = re.compile(r"\s+")


def words(text: str) -> list[str]:
    """The words of a text, case folded; each character of an unspaced script is one."""
    return _TOKEN.findall(text.casefold())


def unspaced_characters(text: str) -> int:
    """How many characters belong to scripts that write without spaces."""
    return len(_UNSPACED.findall(text))


def shingles(tokens: list[str]) -> list[str]:
    """Five words in a row each, as a set in order of appearance; the whole of a shorter text.

    In unspaced scripts words are characters, so that these are character 5-grams.
    """
    if len(tokens) < SHINGLE_WORDS:
        return [" ".join(tokens)] if tokens else []
    runs = zip(*(tokens[place:] for place in range(SHINGLE_WORDS)), strict=False)
    return list(dict.fromkeys(" ".join(run) for run in runs))


def text_digest(text: str) -> str:
    """SHA-256 of the text, case and blanks folded; the first 32 hex digits."""
    return hashlib.sha256(_BLANK.sub(" ", text.casefold()).strip().encode("utf-8", "surrogatepass")).hexdigest()[:32]
