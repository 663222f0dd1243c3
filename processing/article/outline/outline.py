"""A page's outline: its text blocks and the block elements that hold them.

A text block is what readers call a paragraph, a heading or a list item. Every element covers a range of text blocks. So all later
steps (container, boilerplate, forms) work on two short lists and not on the tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from processing.article.kinds import CAPTION, HEADING
from processing.article.tree.parse import Node
from processing.article.tree.scripts import reading_length
from schemas.article import BlockKind

MIN_PROSE = 40  # characters outside links: a shorter text is a label, not prose

Kind = tuple[BlockKind, int]


class Element(Struct, gc=False):  # a struct is made several times faster than a dataclass, and the collector does not look at it
    """A block element and the range `start:end` of text blocks inside it; `parent` is an element's index, -1 for the root.

    `body`: it is named like the article's body. `kind`: the kind of text directly inside it. `recipe_part`: it is named like ingredients or
    steps of a recipe.
    """

    tag: str
    names: str
    parent: int
    start: int
    end: int
    body: bool
    kind: Kind
    recipe_part: bool = False


class TextBlock(Struct, gc=False):
    """The text between two boundaries of block elements; `element` is the index of the nearest one around it.

    `linked` counts its characters inside links to other pages, `anchored` those inside links within the page. `length` is its
    `reading_length` and `prose` its `prose_length`, stored because most steps need them. `boilerplate`: a rule has excluded it.
    `card`: it is one of several in one link.
    """

    kind: BlockKind
    text: str
    linked: int
    element: int
    level: int = 0
    anchored: int = 0
    length: int = 0
    prose: int = 0
    boilerplate: bool = False
    card: bool = False


@dataclass(slots=True)
class Outline:
    """Elements in document order (the first is the root) and text blocks in reading order, without boilerplate by tag or name.

    `left_out` has the names of the elements that were left out. `tags` has lexbor's number of each element that was visited, `labels` the
    links and buttons among them.
    """

    elements: list[Element]
    text_blocks: list[TextBlock]
    left_out: list[str] = field(default_factory=list)
    tags: list[int] = field(default_factory=list)
    labels: list[Node] = field(default_factory=list)


def text_block(kind: BlockKind, text: str, linked: int, element: int, level: int = 0, anchored: int = 0) -> TextBlock:
    """A text block with its lengths."""
    length = len(text) if text.isascii() else reading_length(text)
    prose = prose_length(kind, len(text), length, linked) if length >= MIN_PROSE else 0
    return TextBlock(kind, text, linked, element, level, anchored, length, prose)


def prose_length(kind: BlockKind, characters: int, length: int, linked: int) -> int:
    """How many characters of prose a text block has; `length` is its reading length."""
    own = characters - linked
    if length > characters:
        own = own * length // characters
    if own < MIN_PROSE or own * 2 < linked or kind is HEADING or kind is CAPTION:
        return 0
    return own
