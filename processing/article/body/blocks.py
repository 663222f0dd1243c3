"""Pieces of a page as the article's blocks."""

from __future__ import annotations

from processing.article.outline.outline import Piece
from schemas.article import Block, BlockKind


def to_blocks(pieces: list[Piece]) -> tuple[Block, ...]:
    """One block per piece."""
    return tuple(
        Block(piece.kind, piece.text, piece.level, round(piece.linked / len(piece.text), 3) if piece.linked else 0.0) for piece in pieces
    )


def to_paragraphs(text: str) -> tuple[Block, ...]:
    """One paragraph per line of text."""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return tuple(Block(BlockKind.PARAGRAPH, line) for line in lines if line)
