"""Quality signals of a text: cheap numbers that tell good prose from bad, for the policy and for users."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from processing.clean.shingles import SHINGLE_WORDS, Shingles
from schemas.article import Block

_BLOCK_ELEMENT = re.compile(r"[\u2580-\u259f]")
_BLOCK_ELEMENT_START = "\u2580".encode()[:2]  # of all of them in UTF-8


@dataclass(frozen=True, slots=True)
class Signals:
    """All are between 0 and 1, except the mean word length (in characters).

    `duplicate_word_fraction` is the share of five-word runs that occurred before in the text, `symbol_word_ratio` the symbols
    (hash marks, ellipses, replacement characters) per word, `link_density` the share of characters in links.
    """

    duplicate_word_fraction: float
    symbol_word_ratio: float
    mean_word_length: float
    link_density: float


def signals(text: str, blocks: Sequence[Block], shingles: Shingles, place: int = 0) -> Signals:
    """The signals of an article, given its text, its blocks, and the shingles of several texts, of which it is the one at `place`."""
    characters = sum(len(block.text) for block in blocks)
    in_links = sum(len(block.text) * block.link_density for block in blocks)
    return text_signals(text, in_links / characters if characters else 0.0, shingles, place)


def text_signals(text: str, link_density: float, shingles: Shingles, place: int = 0) -> Signals:
    """The same, given the share of the blocks' characters that are in links."""
    count = int(shingles.words[place])
    runs = max(count - SHINGLE_WORDS + 1, 1)
    return Signals(
        duplicate_word_fraction=max(0.0, 1 - int(shingles.counts[place]) / runs) if count else 0.0,
        symbol_word_ratio=min(1.0, _symbols(text) / count) if count else 0.0,
        mean_word_length=int(shingles.letters[place]) / count if count else 0.0,
        link_density=link_density,
    )


def _symbols(text: str) -> int:
    """How many symbols a text has. One regular expression for all of them takes ten times as long."""
    count = text.count("#") + text.count("...")
    if text.isascii():
        return count
    count += text.count("…") + text.count("\ufffd")
    has_block_elements = _BLOCK_ELEMENT_START in text.encode("utf-8", "surrogatepass")
    return count + (len(_BLOCK_ELEMENT.findall(text)) if has_block_elements else 0)
