"""Convert text blocks to the article's blocks."""

from __future__ import annotations

from processing.article.outline.outline import TextBlock
from schemas.article import Block, BlockKind


def to_blocks(text_blocks: list[TextBlock]) -> tuple[Block, ...]:
    """One block for each text block."""
    return tuple(
        Block(
            text_block.kind,
            text_block.text,
            text_block.level,
            round(text_block.linked / len(text_block.text), 3) if text_block.linked else 0.0,
        )
        for text_block in text_blocks
    )


def to_paragraphs(text: str) -> tuple[Block, ...]:
    """One paragraph per line of text."""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return tuple(Block(BlockKind.PARAGRAPH, line) for line in lines if line)
