"""The article's blocks: the pieces of its container that are its own."""

from __future__ import annotations

from processing.article.outline import Outline, Piece
from schemas.article import Block, BlockKind


def to_blocks(pieces: list[Piece]) -> tuple[Block, ...]:
    """Pieces as blocks."""
    return tuple(Block(p.kind, p.text, p.level, round(p.linked / len(p.text), 3)) for p in pieces)


def own_pieces(outline: Outline, container: int) -> list[Piece]:
    """The container's pieces that are not junk."""
    element = outline.elements[container]
    return [
        p
        for p in outline.pieces[element.start : element.end]
        if not p.junk and p.kind is not BlockKind.CAPTION and not (p.kind is BlockKind.PARAGRAPH and p.linked > 0.8 * len(p.text))
    ]
