"""Fallbacks for pages on which our reading finds little: JSON-LD's `articleBody`, and another extractor, trafilatura."""

from __future__ import annotations

import re

from processing.article.body.blocks import to_paragraphs
from schemas.article import Block

# trafilatura's work grows with the square of a page's paragraphs, most of all in its own fallbacks.
MAX_TAGS_WITH_FALLBACKS = 6_000
MAX_TAGS = 20_000
LITTLE_TEXT = 1_000  # characters: a page that shows less may have its article in its data only
DECLARED_RATIO = 2  # JSON-LD's body must be so many times as long as what was found
MIN_DECLARED = 600  # characters
_LINE_TAG = re.compile(r"<(?:/p|br|/h\d|/li)\b[^<>]*>", re.IGNORECASE)
_SPAN = re.compile(r"\b(?:col|row)span\s*=", re.IGNORECASE)
MAX_SPANS = 300  # trafilatura writes every cell that one covers; a page with more spans is read without them
_TAG = re.compile(r"<[a-z/][^<>]*>", re.IGNORECASE)


def declared_blocks(body: str | None, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The paragraphs of JSON-LD's article body where the page itself shows little of it; else nothing."""
    if body is None or len(body) < MIN_DECLARED:
        return ()
    found = sum(len(block.text) for block in blocks)
    if found >= LITTLE_TEXT or len(body) < DECLARED_RATIO * found:
        return ()
    return to_paragraphs(_TAG.sub(" ", _LINE_TAG.sub("\n", body)))


def read_with_trafilatura(html: str) -> tuple[Block, ...]:
    """The page's paragraphs as trafilatura extracts them, at ten times the cost of our own code; empty if the page has too many tags."""
    from trafilatura import extract

    tags = html.count("<")
    if tags > MAX_TAGS:
        return ()
    if len(_SPAN.findall(html)) > MAX_SPANS:
        html = _SPAN.sub("data-span=", html)
    return to_paragraphs(extract(html, include_comments=False, fast=tags > MAX_TAGS_WITH_FALLBACKS) or "")
