"""How long a text is to a reader, whatever its script."""

from __future__ import annotations

import re

IDEOGRAPH_LETTERS = 2.5  # a character of Chinese, Japanese or Korean says as much as so many letters
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def reading_length(text: str) -> int:
    """The length in letters of an alphabet: characters, those of Chinese, Japanese and Korean for IDEOGRAPH_LETTERS each."""
    length = len(text)
    if text.isascii() or len(text.encode("utf-8", "replace")) < 2 * length:  # ideographs take three bytes
        return length
    return int(length + (IDEOGRAPH_LETTERS - 1) * len(_IDEOGRAPHS.findall(text)))
