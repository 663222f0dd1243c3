"""The form of an article page, and which of several articles on a page is its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from processing.article.kinds import CAPTION, HEADING
from processing.article.metadata.metadata import Metadata
from processing.article.outline.outline import Element, Outline
from processing.article.tree.parse import Tree
from schemas.article import Block
from schemas.numbers import plural

STUB_LENGTH = 1_500  # characters: a locked page with less has only the opening
GALLERY_SHARE = 0.5  # of the blocks are captions
MIN_CAPTIONS = 4
OWN_PROSE = 400  # characters: an `article` with less is a teaser, not a further article
MIN_POSTS = 3  # of a live blog

_LIVE_NAMES = re.compile(r"(?<![a-z])live-?(?:blog|stream|post|update|entry)|amp-live-list", re.IGNORECASE)
_PRINT_URL = re.compile(r"[?&/](?:print|printable|printpage|printview|output=print|view=print)(?:[=/&.]|$)", re.IGNORECASE)
_PAYWALL_NAMES = re.compile(r"(?<![a-z])(?:paywall|gated|subscriber-only|premium-wall|regwall|piano)", re.IGNORECASE)


def mark_other_articles(outline: Outline, title: str | None) -> None:
    """Mark the further articles of an infinite scroll as boilerplate: `article` elements side by side, each with a headline and prose."""
    whole = [element for element in outline.elements if element.tag == "article" and _is_whole(outline, element)]
    apart = _outermost(whole)
    if len(apart) < 2:
        return
    own = next((element for element in apart if title and _has_headline(outline, element, title)), apart[0])
    for element in apart:
        if element is not own:
            for block in outline.text_blocks[element.start : element.end]:
                block.boilerplate = True


def form_of(tree: Tree, url: str, metadata: Metadata, outline: Outline, blocks: tuple[Block, ...]) -> str:
    """One of `live_blog`, `gallery`, `paywalled_stub`, `amp`, `print`, `article`: the first that fits."""
    return next(forms(tree, url, metadata, outline, blocks))[0]


def forms(tree: Tree, url: str, metadata: Metadata, outline: Outline, blocks: tuple[Block, ...]) -> Iterator[tuple[str, str]]:
    """The forms that fit, with the evidence; the most reliable first, `article` last."""
    names = "\n".join([element.names for element in outline.elements])
    if "LiveBlogPosting" in metadata.json_ld_types:
        yield "live_blog", "json-ld LiveBlogPosting"
    if "live" in names.lower() and len(posts := _LIVE_NAMES.findall(names)) >= MIN_POSTS:
        yield "live_blog", f"{len(posts)} elements with a class or id such as {posts[0]}"
    captions = sum([block.kind is CAPTION for block in blocks])
    if gallery := metadata.json_ld_types & {"ImageGallery", "MediaGallery"}:
        yield "gallery", f"json-ld {min(gallery)}"
    if captions >= MIN_CAPTIONS and captions >= GALLERY_SHARE * len(blocks):
        yield "gallery", f"{captions} of {len(blocks)} blocks are captions"
    if sign := _stub_evidence(metadata, names, blocks):
        yield "paywalled_stub", sign
    root = tree.root
    if root is not None and ("amp" in root.attributes or "⚡" in root.attributes):
        yield "amp", "<html amp>"
    if _PRINT_URL.search(url):
        yield "print", "the URL"
    yield "article", "no sign of another form"


def _stub_evidence(metadata: Metadata, names: str, blocks: tuple[Block, ...]) -> str | None:
    """The evidence that the page has only the opening of a paid article."""
    length = sum([len(block.text) for block in blocks])
    if length >= STUB_LENGTH or metadata.paywalled is False:
        return None
    if metadata.paywalled:
        return f"paywalled, and only {plural(length, 'character')}"
    named = _PAYWALL_NAMES.search(names)
    return f"a class or id with {named[0]}, and only {plural(length, 'character')}" if named else None


def _outermost(elements: list[Element]) -> list[Element]:
    """The elements that are not inside another of them, in document order. If two have the same text blocks, neither is returned."""
    runs = Counter((element.start, element.end) for element in elements)
    found: list[Element] = []
    covered = -1
    for element in sorted(elements, key=lambda element: (element.start, -element.end)):
        if element.end > covered and runs[element.start, element.end] == 1:
            found.append(element)
        covered = max(covered, element.end)
    return found


def _is_whole(outline: Outline, element: Element) -> bool:
    text_blocks = outline.text_blocks[element.start : element.end]
    headline = any(block.kind is HEADING and block.level == 1 for block in text_blocks[:5])
    return headline and sum([block.prose for block in text_blocks]) >= OWN_PROSE


def _has_headline(outline: Outline, element: Element, title: str) -> bool:
    return any(p.kind is HEADING and p.text.casefold() == title.casefold() for p in outline.text_blocks[element.start : element.end])
