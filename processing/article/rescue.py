"""The second opinion: trafilatura, a whole other extractor, for the few pages on which ours is in doubt."""

from __future__ import annotations

from processing.article.blocks import to_paragraphs
from schemas.article import Block


def rescue(html: str) -> tuple[Block, ...]:
    """The page's paragraphs as trafilatura sees them; costs ten times our own reading."""
    from trafilatura import extract

    return to_paragraphs(extract(html, include_comments=False) or "")
