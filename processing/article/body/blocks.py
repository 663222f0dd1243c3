"""Convert text blocks to the article's blocks."""

from __future__ import annotations

from processing.article.body.phrases import NEW_WINDOW
from processing.article.kinds import PARAGRAPH
from processing.article.outline.outline import TextBlock
from schemas.article import Block


def to_blocks(text_blocks: list[TextBlock]) -> tuple[Block, ...]:
    """One block for each text block."""
    return tuple([_linked_block(block) if block.linked else Block(block.kind, block.text, block.level) for block in text_blocks])


def _linked_block(text_block: TextBlock) -> Block:
    text = text_block.text
    density = round(text_block.linked / len(text), 3)
    if ")" in text:
        text = NEW_WINDOW.sub("", text) or text
    return Block(text_block.kind, text, text_block.level, density)


def to_paragraphs(text: str) -> tuple[Block, ...]:
    """One paragraph per line of text."""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return tuple(Block(PARAGRAPH, line) for line in lines if line)
