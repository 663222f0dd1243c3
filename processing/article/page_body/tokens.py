"""The words that say what a block is: names and roles of the elements around it, its own words if it is short, those of its heading."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from processing.article.structure.structure import Structure, StructureBlock
from schemas.article import BlockKind

MAX_NAMES = 12  # words of one element's class and id
MAX_SHORT_WORDS = 8  # of a block whose own words count
MAX_HEADING_WORDS = 8
NEAR, AROUND = 1, 3  # elements: the nearest, those close to it; all others are far
_WORD = re.compile(r"[a-z]{2,20}|[A-Z]?[a-z]{2,20}")
_TEXT_WORD = re.compile(r"[^\W\d_]{2,20}|[$£€¥%#]|\d+")
_NUMBER = re.compile(r"\d+")

Tokens = list[str]


def block_tokens(structure: Structure) -> list[tuple[Tokens, Tokens, Tokens]]:
    """For each block its tokens in three groups: of the elements around it, of its own text, of the heading before it."""
    by_element = _element_tokens(structure)
    found: list[tuple[Tokens, Tokens, Tokens]] = []
    heading: Tokens = []
    for block in structure.blocks:
        found.append((by_element[block.element], _own_tokens(block), heading))
        if block.kind is BlockKind.HEADING and block.text:
            heading = [f"h:{word}" for word in _words(block.text, MAX_HEADING_WORDS)]
    return found


def _element_tokens(structure: Structure) -> list[Tokens]:
    """The tokens of each element with those of the elements around it, by distance, each once."""
    own = [_named(element.tag, element.names, element.role) for element in structure.elements]
    found: list[Tokens] = []
    for index, element in enumerate(structure.elements):
        tokens: dict[str, None] = dict.fromkeys(f"1{token}" for token in own[index])
        around, distance = element.parent, NEAR
        far: dict[str, None] = {}
        while around >= 0 and distance < AROUND:
            tokens |= dict.fromkeys(f"2{token}" for token in own[around])
            around, distance = structure.elements[around].parent, distance + 1
        if around >= 0:
            far = _far(structure, own, around)
        found.append([*tokens, *far])
    return found


def _far(structure: Structure, own: list[tuple[str, ...]], around: int) -> dict[str, None]:
    far: dict[str, None] = {}
    for _ in range(20):
        far |= dict.fromkeys(f"3{token}" for token in own[around])
        around = structure.elements[around].parent
        if around < 0:
            break
    return far


@lru_cache(maxsize=16_384)
def _named(tag: str, names: str, role: str) -> tuple[str, ...]:
    words = dict.fromkeys(word.lower() for word in _WORD.findall(names)[:MAX_NAMES])
    return (f"t:{tag}", *(f"c:{word}" for word in words), *(f"r:{word}" for word in role.split()))


def _own_tokens(block: StructureBlock) -> Tokens:
    words = _words(block.text, MAX_SHORT_WORDS + 1)
    if len(words) > MAX_SHORT_WORDS:
        return [f"b:{word}" for word in words[:3]]
    pairs = [f"p:{one}_{other}" for one, other in pairwise(words)]
    return [*(f"w:{word}" for word in words), *pairs, f"n:{len(words)}"]


def _words(text: str, most: int) -> list[str]:
    return ["0" if _NUMBER.fullmatch(word) else word for word in _TEXT_WORD.findall(text[:400].lower())[:most]]
