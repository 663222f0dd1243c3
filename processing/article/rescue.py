"""The second opinion: trafilatura, a whole other extractor, for the few pages on which ours is in doubt."""

from __future__ import annotations

from processing.article.blocks import to_paragraphs
from schemas.article import Block

# Trafilatura's work grows with the square of a page's paragraphs, most of all that of its own fallbacks.
MAX_TAGS_WITH_FALLBACKS = 6_000
MAX_TAGS = 20_000


def rescue(html: str) -> tuple[Block, ...]:
    """The page's paragraphs as trafilatura sees them; costs ten times our own reading. None of a page with too many tags."""
    from trafilatura import extract

    tags = html.count("<")
    if tags > MAX_TAGS:
        return ()
    return to_paragraphs(extract(html, include_comments=False, fast=tags > MAX_TAGS_WITH_FALLBACKS) or "")
