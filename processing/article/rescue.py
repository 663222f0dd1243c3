"""The second opinion: trafilatura, a whole other extractor, for the few pages on which ours is in doubt."""

from __future__ import annotations

from processing.article.blocks import to_paragraphs
from schemas.article import Block

MAX_TAGS = 6_000  # on larger pages trafilatura goes without its own fallbacks, whose work grows with the square of a page's paragraphs


def rescue(html: str) -> tuple[Block, ...]:
    """The page's paragraphs as trafilatura sees them; costs ten times our own reading."""
    from trafilatura import extract

    return to_paragraphs(extract(html, include_comments=False, fast=html.count("<") > MAX_TAGS) or "")
