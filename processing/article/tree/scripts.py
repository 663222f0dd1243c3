"""The length of a text for a reader, in any script."""

from __future__ import annotations

import re
from functools import lru_cache

IDEOGRAPH_LETTERS = 2.5  # letters of an alphabet that one Chinese, Japanese or Korean character stands for
IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def reading_length(text: str) -> int:
    """The length in letters: each Chinese, Japanese or Korean character counts as IDEOGRAPH_LETTERS."""
    return len(text) if text.isascii() else _foreign_length(text)


@lru_cache(maxsize=1024)  # the texts of a page are measured in several steps
def _foreign_length(text: str) -> int:
    length = len(text)
    if len(text.encode("utf-8", "replace")) < 2 * length:  # ideographs take three bytes
        return length
    return int(length + (IDEOGRAPH_LETTERS - 1) * len(IDEOGRAPHS.findall(text)))


def reading_lengths(texts: list[str]) -> list[int]:
    """The `reading_length` of each text. Most are ASCII, for which a call would take longer than all else."""
    return [len(text) if text.isascii() else reading_length(text) for text in texts]
