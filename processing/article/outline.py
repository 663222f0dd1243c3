"""A page's outline: one walk over the tree gives its pieces of text and the block elements that hold them.

A piece is what a reader would call a paragraph, a heading, a list item. Every element covers a run of pieces, so whatever comes after
(container, furniture, forms) works on two short lists and never goes back to the tree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from processing.article.names import BODY, JunkNames
from processing.article.parse import Node, Tree
from schemas.article import BlockKind

MAX_DEPTH = 400  # block elements inside each other; what lies deeper belongs to the deepest one
MAX_ID_WORDS = 4  # a longer id is made from a heading's text
MAX_TABLE_CELL = 400  # characters: a longer cell means that the table is there for the layout

_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_SILENT = frozenset(
    "script style noscript svg template iframe object canvas audio video select option textarea button input math map "
    "progress meter datalist head link meta title".split()
)
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rp rt ruby s samp small span strike strong "
    "sub sup time tt u var wbr img picture source".split()
)
_JUNK_TAGS = frozenset("nav footer aside form dialog menu".split())
_NO_LINK, _LINK, _ANCHOR = range(3)
_SPOKEN = re.compile(r"(?:^|\s)(?:sr-only|visually-?hidden|screen-reader(?:-text)?|show-for-sr|hidden|a11y-hidden|offscreen)(?:\s|$)")
_NEVER_JUNK = frozenset("body main article".split())
_SELF_NAMED = frozenset("h1 h2 h3 h4 h5 h6 p li section".split())  # ids made from the text
_LISTS = frozenset(("ul", "ol", "dl"))
_ITEMS = frozenset(("li", "dt", "dd"))
_CAPTIONS = frozenset(("figcaption", "figure", "caption"))


@dataclass(slots=True)
class Element:
    """A block element and the run of pieces `start:end` inside it; `parent` is an index into the outline's elements, -1 for the body."""

    tag: str
    names: str
    parent: int
    start: int
    end: int = 0
    junk: bool = False
    body: bool = False


@dataclass(slots=True)
class Piece:
    """A run of text in its nearest block element, `element`.

    `linked` is how many of its characters are inside links to other pages, `anchored` inside links within the page.
    """

    kind: BlockKind
    text: str
    linked: int
    element: int
    level: int = 0
    anchored: int = 0
    junk: bool = False


@dataclass(slots=True)
class Outline:
    """Elements in document order (the first is the body) and pieces in reading order."""

    elements: list[Element]
    pieces: list[Piece]


def read_outline(tree: Tree) -> Outline:
    """Walk the page's body once."""
    body = tree.body
    walk = _Walk()
    if body is not None:
        walk.element(body, body.tag or "body", -1)
        walk.run(body)
        walk.leave(0)
    return Outline(walk.elements, walk.pieces)


class _Walk:
    """The state of one walk: the open block elements and the text gathered since the last boundary."""

    def __init__(self) -> None:
        self.elements: list[Element] = []
        self.pieces: list[Piece] = []
        self.open: list[int] = []
        self.text: list[str] = []
        self.linked = 0
        self.anchored = 0
        self.breaks = 0
        self.junk_names = JunkNames()

    def run(self, root: Node) -> None:
        """Depth first, without recursion: pages nest deeper than Python's stack."""
        stack: list[tuple[Node | None, int, int]] = []  # (next sibling to visit, element to leave or -1, link state around)
        node, link = root.first_child, _NO_LINK
        while True:
            while node is None:
                if not stack:
                    return
                node, index, link = stack.pop()
                if index >= 0:
                    self.flush()
                    self.leave(index)
            if node.is_text_node:
                self.say(node.text_content or "", link)
                node = node.next
                continue
            tag = node.tag or ""
            if not tag or tag in _SILENT or tag[0] == "-":
                node = node.next
            elif tag in _INLINE:
                if tag == "span" and _is_clipped(node):
                    node = node.next
                    continue
                stack.append((node.next, -1, link))
                if tag == "a":
                    link = _link_state(node)
                node = node.first_child
            elif tag == "br":
                self.line_break()
                node = node.next
            else:
                node = self.block(node, tag, stack, link)

    def block(self, node: Node, tag: str, stack: list[tuple[Node | None, int, int]], link: int) -> Node | None:
        """Enter a block element; a data table or preformatted text is read as one piece. The next node to visit."""
        self.flush()
        if tag == "hr" or (tag == "pre" and self.code(node)) or (tag == "table" and self.table(node)):
            return node.next
        if len(self.open) >= MAX_DEPTH:
            stack.append((node.next, -1, link))
            return node.first_child
        index = self.element(node, tag, self.open[-1])
        stack.append((node.next, index, link))
        return node.first_child

    def element(self, node: Node, tag: str, parent: int) -> int:
        """Note a block element as open."""
        attributes = node.attributes
        names = attributes.get("class") or ""
        own = attributes.get("id")
        if own and tag not in _SELF_NAMED and len(own.split("-")) <= MAX_ID_WORDS:
            names = f"{names} {own}"
        junk = tag not in _NEVER_JUNK and (tag in _JUNK_TAGS or self.junk_names.match(names) or _is_hidden(attributes))
        index = len(self.elements)
        body = parent >= 0 and (attributes.get("itemprop") == "articleBody" or BODY.search(names) is not None)
        self.elements.append(Element(tag, names, parent, len(self.pieces), 0, junk, body))
        self.open.append(index)
        return index

    def leave(self, index: int) -> None:
        """Note a block element as complete."""
        self.elements[index].end = len(self.pieces)
        self.open.pop()

    def say(self, text: str, link: int) -> None:
        """Add text to the current piece."""
        self.text.append(text)
        if link == _LINK:
            self.linked += len(text.strip())
        elif link == _ANCHOR:
            self.anchored += len(text.strip())
        if self.breaks and not text.isspace():
            self.breaks = 0

    def line_break(self) -> None:
        """Two line breaks in a row end a paragraph, one is a space."""
        self.breaks += 1
        if self.breaks > 1:
            self.flush()
        else:
            self.text.append(" ")

    def flush(self) -> None:
        """End the current piece."""
        self.breaks = 0
        if not self.text:
            return
        text = " ".join("".join(self.text).split())
        if text:
            kind, level = self.kind()
            self.pieces.append(Piece(kind, text, min(self.linked, len(text)), self.open[-1], level, self.anchored))
        self.text.clear()
        self.linked = self.anchored = 0

    def kind(self) -> tuple[BlockKind, int]:
        """What the current piece is, by the innermost open element that says so."""
        for index in reversed(self.open):
            tag = self.elements[index].tag
            if tag == "div":
                continue
            if tag in _HEADINGS:
                return BlockKind.HEADING, _HEADINGS[tag]
            if tag in _ITEMS:
                return BlockKind.LIST_ITEM, max(1, sum(self.elements[i].tag in _LISTS for i in self.open))
            if tag == "blockquote":
                return BlockKind.QUOTE, 0
            if tag in _CAPTIONS:
                return BlockKind.CAPTION, 0
        return BlockKind.PARAGRAPH, 0

    def code(self, node: Node) -> bool:
        """Preformatted text, line breaks kept."""
        text = node.text().strip("\n")
        if text.strip():
            self.pieces.append(Piece(BlockKind.CODE, text, 0, self.open[-1]))
        return True

    def table(self, node: Node) -> bool:
        """A table of data as one piece, a line per row; False for one that lays out the page."""
        rows = [[" ".join(cell.text(separator=" ").split()) for cell in row.css("td, th")] for row in node.css("tr")]
        rows = [row for row in rows if any(row)]
        longest = max((len(cell) for row in rows for cell in row), default=0)
        if len(rows) < 2 or max(map(len, rows)) < 2 or longest > MAX_TABLE_CELL or node.css_first("table table, script, form") is not None:
            return False
        linked = sum(len(link.text(strip=True)) for link in node.css("a"))
        text = "\n".join(" | ".join(cell for cell in row if cell) for row in rows)
        self.pieces.append(Piece(BlockKind.TABLE, text, min(linked, len(text)), self.open[-1]))
        return True


def _link_state(node: Node) -> int:
    href = node.attributes.get("href")
    if href is None:
        return _NO_LINK
    return _ANCHOR if href.startswith("#") else _LINK


def _is_clipped(node: Node) -> bool:
    """Whether a span is for screen readers only."""
    attributes = node.attributes
    style, names = attributes.get("style"), attributes.get("class")
    return (style is not None and ("clip:rect" in style or "display:none" in style)) or (
        names is not None and _SPOKEN.search(names) is not None
    )


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    style = attributes.get("style")
    if "hidden" in attributes:
        return not (attributes.get("id") or "").startswith("S:")  # React's streamed content, shown by a script
    return style is not None and "display:none" in style.replace(" ", "").lower()
