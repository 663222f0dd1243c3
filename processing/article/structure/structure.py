"""A page's structure: its blocks with their inline pieces, and the block elements that hold them."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from schemas.article import BlockKind, Container

STRONG, EMPHASIS, CODE, LINK = "strong", "emphasis", "code", "link"


class Mark(Struct, frozen=True, gc=False):
    """What an inline element says of its text: STRONG, EMPHASIS, CODE or LINK; `target` is a link's absolute URL."""

    kind: str
    target: str = ""


Marks = tuple[Mark, ...]


class Piece(Struct, gc=False):
    """Text with its marks, the outermost first. An image has its URL in `image` and its `alt` as text. `is_break`: a line break."""

    text: str
    marks: Marks = ()
    image: str = ""
    is_break: bool = False


class TableCells(Struct, gc=False):
    """The rows of a table, each a list of cells, which are lists of pieces.

    `has_header`: the first row is of `th`s, in a `thead` or in bold type.
    """

    rows: list[list[list[Piece]]]
    has_header: bool = True


class StructureElement(Struct, gc=False):
    """A block element: the range `start:end` of blocks inside it, and `parent`, an element's index (-1 for the root).

    `names` are its class and id, `role` its role or itemprop in lower case, `is_hidden` whether it or one around it is hidden.
    `containers` are the quotations and list items that its text is in. `depth` counts the elements around it.
    """

    tag: str
    names: str
    parent: int
    start: int
    end: int
    role: str
    is_hidden: bool
    kind: tuple[BlockKind, int]
    containers: tuple[Container, ...]
    depth: int = 0


class StructureBlock(Struct, gc=False):
    """A block of the page. `text` is what the outline has of it; an image that stands alone has none.

    `linked` counts its characters inside links, `element` is the index of the nearest element around it. A table has `cells`, code its
    `language`. `dates` are the `datetime`s of the `time` elements in it.
    """

    kind: BlockKind
    text: str
    pieces: list[Piece]
    element: int
    level: int = 0
    linked: int = 0
    containers: tuple[Container, ...] = ()
    cells: TableCells | None = None
    language: str = ""
    dates: tuple[str, ...] = ()

    @property
    def is_image(self) -> bool:
        """Whether it is an image that stands alone."""
        return not self.text


@dataclass(slots=True)
class Structure:
    """Elements in document order, the first is the root, and blocks in reading order."""

    elements: list[StructureElement]
    blocks: list[StructureBlock]
