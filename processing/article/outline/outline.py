"""A page's outline: its pieces of text and the block elements that hold them.

A piece is what a reader would call a paragraph, a heading, a list item. Every element covers a run of pieces, so whatever comes after
(container, furniture, forms) works on two short lists and never goes back to the tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from processing.article.tree.scripts import reading_length
from schemas.article import BlockKind

MIN_PROSE = 40  # characters outside links: shorter text is a label, not prose

Kind = tuple[BlockKind, int]


@dataclass(slots=True)
class Element:
    """A block element and the run of pieces `start:end` inside it; `parent` is an index into the outline's elements, -1 for the root.

    `body`: its names promise the article's body. `kind`: what text directly inside it is.
    """

    tag: str
    names: str
    parent: int
    start: int
    end: int
    body: bool
    kind: Kind


@dataclass(slots=True)
class Piece:
    """A run of text in its nearest block element, `element`.

    `linked` is how many of its characters are inside links to other pages, `anchored` inside links within the page; `prose` is what
    `prose_length` says of it, kept since everything that weighs pieces asks for it.
    """

    kind: BlockKind
    text: str
    linked: int
    element: int
    level: int = 0
    anchored: int = 0
    prose: int = 0
    junk: bool = False


@dataclass(slots=True)
class Outline:
    """Elements in document order (the first is the root) and pieces in reading order; furniture by tag or name is left out.

    `left_out` are the furniture's names.
    """

    elements: list[Element]
    pieces: list[Piece]
    left_out: list[str] = field(default_factory=list)


def prose_length(kind: BlockKind, text: str, linked: int) -> int:
    """How many characters of prose a piece has."""
    length = len(text)
    own = length - linked
    if not text.isascii() and (longer := reading_length(text)) > length:
        own = own * longer // length
    if own < MIN_PROSE or own * 2 < linked or kind is BlockKind.HEADING or kind is BlockKind.CAPTION:
        return 0
    return own
