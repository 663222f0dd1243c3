"""Choose the blocks of a page that are its main text."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from processing.article.page_body.features import Floats, block_features, word_counts
from processing.article.page_body.model import load_model
from processing.article.page_body.tokens import block_tokens
from processing.article.structure.structure import Structure, StructureBlock
from schemas.article import Block, BlockKind

NEIGHBOURS = np.array((0.25, 0.5, 0.25))  # weights of the block before, the block, the block behind
SMOOTHED_SHARE = 0.5
# The limit by type, as a share of the one with the best expected F1. That takes blocks as independent, but whole parts of such pages are
# main text or not. Chosen on the tuning half.
LIMITS = {"collection": 0.9, "listing": 0.9, "product": 1.1}
_WHOLE = frozenset((BlockKind.CODE, BlockKind.TABLE))
LEAST_WORDS = 10  # expected words of main text: a page with fewer has none, because scripts make it, or it is an error


def read_page_body(structure: Structure, types: Mapping[str, float], article: Collection[str]) -> list[StructureBlock]:
    """The blocks of the main text, in order, with images between them.

    `types` are the probabilities of the page's types, `article` the texts of the blocks that the article reader took.
    """
    if not structure.blocks:
        return []
    words = word_counts(structure)
    model = load_model()
    scores = model.token_scores(block_tokens(structure))
    probabilities = model.probabilities(block_features(structure, scores, types, words, article))
    chosen = with_code_and_tables(structure, best_blocks(smoothed(probabilities, types), words, types))
    return _with_images(structure, chosen)


def smoothed(probabilities: Floats, types: Mapping[str, float]) -> Floats:
    """Probabilities of main text, half of each from the two blocks beside it and itself: a text is more often whole than not.

    In forums they stay, where short posts stand between what is no text.
    """
    if len(probabilities) < len(NEIGHBOURS):
        return probabilities
    share = SMOOTHED_SHARE * (1 - types.get("forum", 0.0))
    together: Floats = (1 - share) * probabilities + share * np.convolve(probabilities, NEIGHBOURS, mode="same")
    return together


def best_blocks(probabilities: Floats, words: Floats, types: Mapping[str, float]) -> list[int]:
    """The blocks whose choice has the highest expected F1, in words: those above a limit that depends on all of them.

    `LIMITS` moves it by the page's type.
    """
    if (probabilities * words).sum() < LEAST_WORDS:
        return []
    order = np.argsort(-probabilities, kind="stable")
    hits = np.cumsum(probabilities[order] * words[order])
    expected = hits / (np.cumsum(words[order]) + hits[-1] + 1e-9)
    limit = expected.max() * (1 + sum((share - 1) * types.get(name, 0.0) for name, share in LIMITS.items()))
    count = max(int((probabilities >= limit).sum()), 1)
    return sorted(order[:count].tolist())


def with_code_and_tables(structure: Structure, chosen: list[int]) -> list[int]:
    """The chosen blocks with the code and the tables that stand directly before or behind one of them in the same element."""
    own = set(chosen)
    blocks, elements = structure.blocks, structure.elements
    for index, block in enumerate(blocks):
        if index in own or block.kind not in _WHOLE:
            continue
        beside = (place for place in (index - 1, index + 1) if place in own)
        if any(block.element in {blocks[place].element, elements[blocks[place].element].parent} for place in beside):
            own.add(index)
    return sorted(own)


def as_block(block: StructureBlock) -> Block:
    """A block of the structure as one of an article. What is a caption elsewhere is text here, because it was chosen."""
    kind = BlockKind.PARAGRAPH if block.kind is BlockKind.CAPTION else block.kind
    return Block(kind, block.text, block.level, round(min(block.linked / len(block.text), 1.0), 3) if block.text else 0.0)


def _with_images(structure: Structure, chosen: list[int]) -> list[StructureBlock]:
    """The chosen blocks, and the images between two blocks that are neighbours but for them."""
    found: list[StructureBlock] = []
    images: list[StructureBlock] = []
    own, is_inside = set(chosen), False
    for index, block in enumerate(structure.blocks):
        if block.is_image:
            images += [] if structure.elements[block.element].is_hidden else [block]
            continue
        if index in own:
            found += [*(images if is_inside else ()), block]
        images, is_inside = [], index in own
    return found
