"""The words of a text in any script. In scripts without spaces each character is a word."""

from __future__ import annotations

import hashlib
import re
from functools import cache

import numpy as np
from numpy.typing import NDArray

# kana, Han, Thai and Lao, Burmese, Khmer
UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\U00020000-\U0003ffff"
)
UNSPACED_SHARE = 0.3  # of the characters other than blanks; a text with more is in a script without spaces

OTHER, LETTER, SINGLE = range(3)  # classes of characters: in no word, in a word with its neighbours, a word of its own
_PLANES = 4  # of 65,536 code points; the others have no characters of words

_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+")
_UNSPACED = re.compile(rf"[{UNSPACED}]")
# ASCII's characters that are in no word become blanks; bytes of other characters stay
_BLANKED = bytes(byte if byte >= 128 or chr(byte).isalnum() or byte == ord("_") else ord(" ") for byte in range(256))


def words(text: str) -> list[str]:
    """The words of a text in lower case; each character of a script without spaces is a word."""
    blanked = text.casefold().encode("utf-8", "surrogatepass").translate(_BLANKED)
    if blanked.isascii():
        return blanked.decode("ascii").split()
    found: list[str] = []
    for part in blanked.decode("utf-8", "surrogatepass").split():
        if part.isascii():
            found.append(part)
        else:
            found.extend(_TOKEN.findall(part))
    return found


@cache
def character_classes() -> NDArray[np.uint8]:
    """The class of each code point, as `words` tells them apart. The last one stands for all that are beyond."""
    count = _PLANES * 0x10000
    classes = np.zeros(count + 1, np.uint8)
    for found in re.finditer(r"\w+", np.arange(count, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")):
        classes[found.start() : found.end()] = LETTER
    for first, last in re.findall(r"(.)(?:-(.))?", UNSPACED):
        classes[ord(first) : ord(last or first) + 1] = SINGLE
    return classes


def unspaced_characters(text: str) -> int:
    """How many characters belong to scripts that write without spaces."""
    return 0 if text.isascii() else len(_UNSPACED.findall(text))


def text_digest(text: str) -> str:
    """SHA-256 of the text in lower case with single blanks; the first 32 hex digits."""
    return folded_digest(" ".join(text.casefold().split()).encode("utf-8", "surrogatepass"))


def folded_digest(folded: bytes) -> str:
    """`text_digest` of a text that is in lower case with single blanks already, in UTF-8."""
    return hashlib.sha256(folded).hexdigest()[:32]
