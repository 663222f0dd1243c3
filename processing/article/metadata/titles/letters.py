"""The letters of a title or a name, by which two of them are compared."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

_WORD = re.compile(r"\w+")
# Hosts write letters with marks in one of two ways: `muenchen` or `munchen`. The second form is made by taking off the marks.
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe"})
_NO_MARKS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})


@lru_cache(maxsize=4096)  # the titles of a page are mostly the same text
def letters_of(text: str) -> str:
    """The letters and digits of a text in small letters."""
    return "".join(_WORD.findall(text.casefold())).replace("_", "")


def spellings(letters: str) -> tuple[str, ...]:
    """Letters as they are, and as hosts write them."""
    if letters.isascii():
        return (letters,)
    bare = "".join(sign for sign in normalize("NFKD", letters.translate(_NO_MARKS)) if sign.isascii())
    return letters, letters.translate(_TWO_LETTERS), *([bare] if len(bare) * 2 > len(letters) else [])
