"""One walk over the tree makes the outline. Python sees every node here, so this is where the time goes: keep it lean."""

from __future__ import annotations

from dataclasses import dataclass

from processing.article.outline.names import is_hidden, is_spoken, names_of, read_names
from processing.article.outline.outline import Element, Kind, Outline, Piece, prose_length
from processing.article.outline.tags import ACTIONS, BLOCK, BREAK, ITEMS, JUNK_TAGS, KINDS, KNOWN, LINK, NEVER_JUNK, SILENT, TEXT
from processing.article.tree.parse import Node
from processing.article.tree.scripts import IDEOGRAPH_LETTERS, reading_length
from schemas.article import BlockKind

MAX_DEPTH = 400  # block elements inside each other; what lies deeper belongs to the deepest one
MAX_TABLE_CELL = 400  # characters: a longer cell means that the table is there for the layout
MIN_TEXT = 40  # characters: shorter text is a label
MAX_WALKS = 4
LITTLE_TEXT = 500  # characters: a page of which less was seen has its article in what was left out
NEVER_JUNK_SHARE = 0.4  # of the page's text: an element that holds more is no furniture, whatever it is called

_NO_LINK, _LINKED, _ANCHORED = range(3)


def read_outline(root: Node | None) -> Outline:
    """Walk everything in `root`, usually the body; then what was left out, where that is too much to be furniture."""
    if root is None:  # a page of frames
        return Outline([Element("", "", -1, 0, 0, body=False, kind=(BlockKind.PARAGRAPH, 0))], [])
    walk = _Walk()
    walk.run(root)
    for _ in range(MAX_WALKS - 1):
        misnamed = _misnamed(walk)
        if not misnamed:
            break
        for place in reversed(misnamed):
            walk.put_back(place)
    return Outline(walk.elements, walk.pieces, [gap.names for gap in walk.gaps])


def _misnamed(walk: _Walk) -> list[int]:
    """The places among the walk's gaps that hold too much of the page's text."""
    seen = sum([own for piece in walk.pieces if (own := reading_length(piece.text) - piece.linked) >= MIN_TEXT])
    # None can be more than its share of what was seen and itself, and most are so short, links and all, that they need no closer look.
    enough = NEVER_JUNK_SHARE / (1 - NEVER_JUNK_SHARE) * seen
    sizes = [len(gap.node.text(skip_empty=True)) for gap in walk.gaps]
    if not any(size >= enough for size in sizes):
        return []
    lengths = {place: _text_length(walk.gaps[place].node) for place, size in enumerate(sizes) if size * IDEOGRAPH_LETTERS >= enough}
    if not any(length >= enough for length in lengths.values()):
        return []
    missed = [lengths[place] if place in lengths else _text_length(gap.node) for place, gap in enumerate(walk.gaps)]
    limit = NEVER_JUNK_SHARE * (seen + sum(missed))
    longest = max(missed, default=0)
    if seen < LITTLE_TEXT <= longest:  # nothing that could be an article: it is in what was left out
        limit = min(limit, longest)
    return [place for place, length in enumerate(missed) if length >= limit > 0]


def _text_length(node: Node) -> int:
    """Characters of an element's longer runs of text outside links."""
    length = 0
    for child in node.traverse(include_text=True, skip_empty=True):
        text = child.text_content or ""
        if len(text) * IDEOGRAPH_LETTERS >= MIN_TEXT and (own := reading_length(text)) >= MIN_TEXT:
            parent = child.parent
            if parent is not None and parent.tag != "a" and ACTIONS.get(parent.tag) != SILENT:
                length += own - len(text) + len(text.strip())
    return length


@dataclass(slots=True)
class _Gap:
    """An element that a walk left out, and the walk's state there: how much was read, what was open, whether a link was around."""

    node: Node
    tag: str
    names: str
    body: bool
    elements: int
    pieces: int
    open: list[int]
    link: int


class _Walk:
    """The state of one walk: the open block elements and the text gathered since the last boundary."""

    def __init__(self) -> None:
        self.elements: list[Element] = []
        self.pieces: list[Piece] = []
        self.gaps: list[_Gap] = []
        self.open: list[int] = []
        self.text: list[str] = []
        self.linked = 0
        self.anchored = 0
        self.breaks = 0

    def run(self, root: Node) -> None:
        """Walk from the root."""
        self.add(root.tag or "", "", (BlockKind.PARAGRAPH, 0), body=False)
        self.go(root, _NO_LINK)

    def put_back(self, place: int) -> None:
        """Read a gap after all, and put what is in it where it belongs."""
        gap = self.gaps[place]
        elements, pieces, gaps = self.elements[gap.elements :], self.pieces[gap.pieces :], self.gaps[place + 1 :]
        del self.elements[gap.elements :], self.pieces[gap.pieces :], self.gaps[place:]
        self.open = list(gap.open)
        self.add(gap.tag, gap.names, self.kind_inside(gap.tag), body=gap.body)
        self.go(gap.node, gap.link)
        more, longer = len(self.elements) - gap.elements, len(self.pieces) - gap.pieces

        def moved(index: int) -> int:
            return index + more if index >= gap.elements else index

        for index in set(gap.open):
            self.elements[index].end += longer
        for element in elements:
            element.parent, element.start, element.end = moved(element.parent), element.start + longer, element.end + longer
        for piece in pieces:
            piece.element = moved(piece.element)
        for later in gaps:
            later.elements, later.pieces, later.open = later.elements + more, later.pieces + longer, [moved(index) for index in later.open]
        self.elements += elements
        self.pieces += pieces
        self.gaps += gaps

    def go(self, root: Node, link: int) -> None:  # noqa: C901, PLR0912 a call per node would cost more than all else here
        """Read the inside of the element just opened and close it. Without recursion: pages nest deeper than Python's stack."""
        stack: list[tuple[Node | None, bool, int]] = []  # (next sibling to visit, whether a block element ends, link state around)
        known, text = KNOWN.get, self.text
        node = root.first_child
        while node is not None or stack:
            if node is None:
                node, ends, link = stack.pop()
                if ends:
                    self.leave()
                continue
            number = node.tag_id
            if number == TEXT:
                said = node.text_content or ""
                if not said.isspace():
                    self.say(said, link)
                elif text:
                    text.append(" ")
                node = node.next
                continue
            tag, action = known(number) or _named(node)
            if action == BLOCK:
                goes_in = self.enter(node, tag, link)
            elif action == BREAK:
                self.line_break()
                goes_in = False
            else:
                goes_in = action != SILENT and (tag != "span" or not is_spoken(node.attributes))
            following = node.next
            if goes_in and (first := node.first_child) is not None:
                stack.append((following, action == BLOCK, link))
                if action == LINK:
                    link = _link_state(node)
                node = first
            else:
                if goes_in and action == BLOCK:
                    self.leave()
                node = following
        self.leave()

    def enter(self, node: Node, tag: str, link: int) -> bool:
        """Open a block element; False for furniture, and for tables and preformatted text, which are read as one piece."""
        if self.text:
            self.flush()
        if (tag == "pre" and self.code(node)) or (tag == "table" and self.table(node)):
            return False
        if len(self.open) >= MAX_DEPTH:
            self.open.append(self.open[-1])
            return True
        names, junk, body = "", tag in JUNK_TAGS, False
        if attributes := node.attributes:
            names = names_of(tag, attributes)
            if names:
                named_junk, body = read_names(names)
                junk = junk or named_junk
            junk = junk or is_hidden(attributes)
            body = body or attributes.get("itemprop") == "articleBody"
        if junk and tag not in NEVER_JUNK:
            self.gaps.append(_Gap(node, tag, names, body, len(self.elements), len(self.pieces), list(self.open), link))
            return False
        self.add(tag, names, self.kind_inside(tag), body=body)
        return True

    def kind_inside(self, tag: str) -> Kind:
        """What text directly inside an element is, given what it would be around it."""
        around = self.elements[self.open[-1]].kind
        if tag in ITEMS:
            return BlockKind.LIST_ITEM, around[1] + 1 if around[0] is BlockKind.LIST_ITEM else 1
        return KINDS.get(tag, around)

    def add(self, tag: str, names: str, kind: Kind, *, body: bool) -> None:
        """Note a block element as open; `kind` is what text directly inside it is."""
        parent = self.open[-1] if self.open else -1
        self.open.append(len(self.elements))
        self.elements.append(Element(tag, names, parent, len(self.pieces), 0, body, kind))

    def leave(self) -> None:
        """Close the innermost block element."""
        if self.text:
            self.flush()
        self.elements[self.open.pop()].end = len(self.pieces)

    def say(self, text: str, link: int) -> None:
        """Add text to the current piece."""
        self.breaks = 0
        self.text.append(text)
        if link == _LINKED:
            self.linked += len(text.strip())
        elif link == _ANCHORED:
            self.anchored += len(text.strip())

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
        text = _folded("".join(self.text))
        if text:
            element = self.open[-1]
            kind, level = self.elements[element].kind
            linked = min(self.linked, len(text))
            self.pieces.append(Piece(kind, text, linked, element, level, self.anchored, prose_length(kind, text, linked)))
        self.text.clear()
        self.linked = self.anchored = 0

    def code(self, node: Node) -> bool:
        """Preformatted text, line breaks kept."""
        text = node.text().strip("\n")
        if text.strip():
            self.pieces.append(Piece(BlockKind.CODE, text, 0, self.open[-1], prose=prose_length(BlockKind.CODE, text, 0)))
        return True

    def table(self, node: Node) -> bool:
        """A table of data as one piece, a line per row; False for one that lays out the page."""
        if node.css_first("table table, script, form") is not None:
            return False
        rows = [[" ".join(cell.text(separator=" ").split()) for cell in row.css("td, th")] for row in node.css("tr")]
        rows = [row for row in rows if any(row)]
        longest = max((len(cell) for row in rows for cell in row), default=0)
        if len(rows) < 2 or max(map(len, rows)) < 2 or longest > MAX_TABLE_CELL:
            return False
        text = "\n".join(" | ".join(cell for cell in row if cell) for row in rows)
        linked = min(sum(len(link.text(strip=True)) for link in node.css("a")), len(text))
        self.pieces.append(Piece(BlockKind.TABLE, text, linked, self.open[-1], prose=prose_length(BlockKind.TABLE, text, linked)))
        return True


def _named(node: Node) -> tuple[str, int]:
    """The name of a rare tag, and what to do with it."""
    tag = node.tag
    return tag or "", ACTIONS.get(tag, BLOCK)


def _folded(text: str) -> str:
    """White space folded; most texts are so already, and to see it costs less than to split and join."""
    return text.strip() if text.isprintable() and "  " not in text else " ".join(text.split())


def _link_state(node: Node) -> int:
    href = node.attributes.get("href")
    if href is None:
        return _NO_LINK
    return _ANCHORED if href.startswith("#") else _LINKED
