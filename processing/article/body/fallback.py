"""Fallback for the few pages with low confidence: another extractor, trafilatura."""

from __future__ import annotations

from processing.article.body.blocks import to_paragraphs
from schemas.article import Block

# trafilatura's work grows with the square of a page's paragraphs, most of all in its own fallbacks.
MAX_TAGS_WITH_FALLBACKS = 6_000
MAX_TAGS = 20_000


def read_with_trafilatura(html: str) -> tuple[Block, ...]:
    """The page's paragraphs as trafilatura extracts them, at ten times the cost of our own code; empty if the page has too many tags."""
    from trafilatura import extract

    tags = html.count("<")
    if tags > MAX_TAGS:
        return ()
    return to_paragraphs(extract(html, include_comments=False, fast=tags > MAX_TAGS_WITH_FALLBACKS) or "")
