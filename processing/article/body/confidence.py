"""Estimate how plausible an article's blocks are, by cheap tests; `calibration` makes a probability of it."""

from __future__ import annotations

import re
from typing import NamedTuple

from processing.article.kinds import CAPTION
from processing.article.outline.outline import Outline
from processing.article.tree.scripts import reading_lengths
from schemas.article import Block

FALLBACK_BELOW = 0.4
ENOUGH_PROSE = 600  # characters: an article shorter than this is less sure
AGREEMENT_WORDS = 60  # of JSON-LD's article body that are searched in the blocks
AGREEMENT = 0.7  # of these words: enough
OPENING_BLOCKS = 6

_WORD = re.compile(r"\w+")


class ReadText(NamedTuple):
    """An article's blocks without its captions, how many letters they have for a reader, and how many of these are links."""

    blocks: list[Block]
    letters: int
    linked: float


def read_text(blocks: tuple[Block, ...]) -> ReadText:
    """The text of an article's blocks, measured."""
    text = [block for block in blocks if block.kind is not CAPTION]
    lengths = reading_lengths([block.text for block in text])
    linked = sum([length * block.link_density for length, block in zip(lengths, text, strict=True) if block.link_density])
    return ReadText(text, sum(lengths), linked)


def plausibility(outline: Outline, read: ReadText, json_ld_body: str | None) -> float:
    """Between 0 and 1: enough prose, most of the page's prose, few links, and JSON-LD's article body found in it."""
    text, letters, links = read
    if not letters:
        return 0.0
    linked = links / letters
    page = sum([text_block.prose for text_block in outline.text_blocks])
    share = min(1.0, letters / page) if page else 1.0
    sure = min(1.0, 0.5 + letters / (2 * ENOUGH_PROSE)) * (1 - linked) * min(1.0, 0.4 + share)
    return round(sure * _agreement(text, json_ld_body), 3)


def _agreement(blocks: list[Block], body: str | None) -> float:
    """1 where JSON-LD has no body or its opening is among the blocks' words; down to 0.3 where it is not."""
    wanted = _WORD.findall((body or "")[: 12 * AGREEMENT_WORDS].casefold())[:AGREEMENT_WORDS]
    if len(wanted) < AGREEMENT_WORDS // 2:
        return 1.0
    for some in (blocks[:OPENING_BLOCKS], blocks):  # mostly both begin alike
        have = set(_WORD.findall(" ".join([block.text for block in some]).casefold()))
        found = sum([word in have for word in wanted]) / len(wanted)
        if found >= AGREEMENT:
            return 1.0
    return min(1.0, 0.3 + found)
