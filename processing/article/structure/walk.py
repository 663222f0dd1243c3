"""Read a page's structure in one walk over the tree, by the same rules as the outline, but with boilerplate and inline elements."""

from __future__ import annotations

from processing.article.outline.names import is_hidden
from processing.article.outline.special import code_text, is_cell, is_drop_cap, is_unread_span, linked_note_mark, span_text, special_text
from processing.article.outline.table import between_lines, read_table, table_caption
from processing.article.outline.tags import (
    BLOCK,
    BREAK,
    CODE_TAGS,
    IGNORED,
    ITEMS,
    KINDS,
    KNOWN,
    LINK,
    SPECIAL,
    TABLE_ROLES,
    TEXT,
    rare_action,
)
from processing.article.structure.addresses import base_url, image_source, link_target
from processing.article.structure.code import code_language
from processing.article.structure.containers import Containers
from processing.article.structure.pieces import folded_pieces, join_drop_cap, plain
from processing.article.structure.structure import (
    CODE,
    EMPHASIS,
    STRONG,
    Mark,
    Marks,
    Piece,
    Structure,
    StructureBlock,
    StructureElement,
)
from processing.article.structure.structure import (
    LINK as LINKED,
)
from processing.article.structure.tables import read_cells
from processing.article.tree.formulas import shows_formula
from processing.article.tree.images import image_text
from processing.article.tree.inline import IN_TABLES, cell_mark
from processing.article.tree.parse import Node, Tree
from processing.article.tree.quotes import quotation_marks
from schemas.article import BlockKind

MAX_DEPTH = 400  # nested block elements; deeper text belongs to the deepest one
MAX_MARKS = 6  # nested inline elements
MAX_BLOCKS = 20_000  # what is behind them is left out, which bounds the time
MAX_ELEMENTS = 100_000
LITTLE_TEXT = 500  # characters: if a page has less, scripts make its text, and what it says without them is read
_MARKS = {
    **dict.fromkeys(("strong", "b"), Mark(STRONG)),
    **dict.fromkeys(("em", "i", "cite", "dfn", "var"), Mark(EMPHASIS)),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), Mark(CODE)),
}
_NOTHING, _ELEMENT, _MARK, _QUOTED, _LINE = range(5)  # what ends where an open node ends


def read_structure(tree: Tree, url: str) -> Structure:
    """The structure of everything in the page's body. `url` is the page's, for relative addresses."""
    walk = _Walk(base_url(tree, url))
    if tree.body is not None:
        walk.read(tree.body)
        if sum([len(block.text) for block in walk.blocks]) < LITTLE_TEXT and tree.body.css_first("noscript") is not None:
            walk = _Walk(base_url(tree, url))
            walk.reads_noscript = True
            walk.read(tree.body)
    return Structure(walk.elements, walk.blocks)


def read_pieces(node: Node, base: str) -> list[Piece]:
    """The inline pieces of one element, as of a table's cell; blocks in it are parts of one line."""
    walk = _Walk(base)
    walk.in_line = True
    walk.read(node)
    return _in_one_line(walk.blocks[0].pieces) if walk.blocks else []


def _in_one_line(pieces: list[Piece]) -> list[Piece]:
    """The pieces of a table's cell, with what the outline writes between its lines."""
    line: list[Piece] = []
    for place, piece in enumerate(pieces):
        if piece.is_break:
            before, behind = line[-1].text if line else "", pieces[place + 1].text if place + 1 < len(pieces) else ""
            line.append(Piece(between_lines(before, behind)))
        else:
            line.append(piece)
    return line


class _Walk:
    """The state of one walk: the open block elements, the open inline elements, and the pieces since the last boundary."""

    def __init__(self, base: str) -> None:
        self.elements: list[StructureElement] = []
        self.blocks: list[StructureBlock] = []
        self.in_line = False
        self.reads_noscript = False
        self._base = base
        self._open: list[int] = []
        self._marks: Marks = ()
        self._raw: list[Piece] = []
        self._closes: list[str] = []  # the closing marks of open quotations
        self._dates: list[str] = []
        self._last_image = ""
        self._breaks = 0
        self._drop_cap = False  # the block begins with a large first letter
        self._containers = Containers()

    def read(self, root: Node) -> None:
        """Walk from the root. Without recursion: pages nest deeper than Python's stack."""
        self._open_element(root, root.tag or "")
        stack: list[tuple[Node | None, int, Marks]] = []
        node = root.first_child
        while (node is not None or stack) and len(self.blocks) < MAX_BLOCKS and len(self.elements) < MAX_ELEMENTS:
            if node is None:
                node, ending, self._marks = stack.pop()
                if ending == _ELEMENT:
                    self._close_element()
                elif ending == _LINE:
                    self._raw.append(Piece(" ", (), is_break=True))
                elif ending == _QUOTED:
                    self._add_text(self._closes.pop())
                continue
            following = node.next
            if node.tag_id == TEXT:
                self._add_text(node.text_content or "")
                node = following
                continue
            opened, marks = self._enter(node), self._marks
            if opened is None:
                node = following
                continue
            if opened == _MARK:
                self._add_mark(node)
            stack.append((following, opened, marks))
            node = node.first_child
        self._end_block()
        for index in self._open:
            self.elements[index].end = len(self.blocks)

    def _enter(self, node: Node) -> int | None:
        """Read a node that is no text; what ends at its end, None if its inside is not read."""
        tag, action = KNOWN.get(node.tag_id) or (node.tag or "", rare_action(node))
        if action == BLOCK:
            return self._enter_block(node, tag)
        if action == BREAK:
            self._line_break()
            return None
        if tag == "time":
            self._dates.append((node.attributes.get("datetime") or "")[:50])
        if action == IGNORED:
            return self._enter_block(node, tag) if tag == "noscript" and self.reads_noscript else None
        if action == SPECIAL:
            return self._enter_special(node, tag)
        if action == LINK:
            return None if self._is_note_mark(node) else _MARK
        if not (self._opens_span(node) if tag == "span" else not node.attributes or not is_unread_span(node, node.attributes)):
            return None
        self._drop_cap = self._drop_cap or (tag == "span" and not self._raw and is_drop_cap(node, node.attributes))
        return _MARK if tag in _MARKS else _NOTHING

    def _opens_span(self, node: Node) -> bool:
        """Whether a span is read like any inline element."""
        attributes = node.attributes
        if not attributes or is_unread_span(node, attributes):
            return not attributes
        if not self._raw:
            return True
        if is_cell(attributes):
            self._raw.append(Piece(" ", self._marks))
        written = span_text(node, attributes, self._text_before())
        if written:
            self._add_text(written)
        return written is None

    def _enter_block(self, node: Node, tag: str) -> int | None:
        if self.in_line:
            if tag in IN_TABLES and (mark := cell_mark(node)):
                self._end_with(mark)
                self._raw.append(Piece(" ", self._marks))
            else:
                self._raw.append(Piece(" ", (), is_break=True))
            return _LINE
        self._end_block()
        if tag in CODE_TAGS:
            self._add_code(node)
            return None
        if len(self._open) >= MAX_DEPTH:
            return _NOTHING
        is_table = tag == "table" or (node.attributes.get("role") or "") in TABLE_ROLES
        if is_table and self._add_table(node):
            return None
        self._open_element(node, tag)
        return _ELEMENT

    def _enter_special(self, node: Node, tag: str) -> int | None:
        if tag == "img":
            self._add_image(node)
            return None
        if tag == "q" and (marks := quotation_marks(node))[0]:
            self._add_text(marks[0])
            self._closes.append(marks[1])
            return _QUOTED
        in_heading = tag == "button" and self._kind()[0] is BlockKind.HEADING
        anchored = any(mark.kind == LINKED and not mark.target for mark in self._marks)
        written = special_text(node, tag, self._text_before(), anchored=anchored, in_heading=in_heading)
        if written:
            self._add_text(written)
        return _NOTHING if written is None else None

    def _add_mark(self, node: Node) -> None:
        tag = node.tag or ""
        mark = Mark(LINKED, link_target(node, self._base)) if tag == "a" else _MARKS[tag]
        if tag == "a" and not mark.target and not (node.attributes.get("href") or "").startswith("#"):
            return
        if mark not in self._marks and len(self._marks) < MAX_MARKS and not (tag == "a" and any(m.kind == LINKED for m in self._marks)):
            self._marks = (*self._marks, mark)

    def _is_note_mark(self, node: Node) -> bool:
        """Whether a link within the page is the mark of a note, which is written behind a number as text."""
        before = self._text_before()
        href = node.attributes.get("href") or ""
        if not href or (href[0] != "#" and not before[-1:].isdigit()):
            return False
        mark = linked_note_mark(node, before)
        if mark:
            self._add_text(mark)
        return mark is not None

    def _text_before(self) -> str:
        return "".join([piece.text for piece in self._raw[-3:] if not piece.image])

    def _add_text(self, text: str) -> None:
        if text and not text.isspace():
            self._breaks = 0
        self._raw.append(Piece(text, self._marks))

    def _add_image(self, node: Node) -> None:
        if text := image_text(node, is_first=not self._text_before()):
            self._add_text(text)
            return
        if shows_formula(node):  # which stands beside it as text
            return
        source = image_source(node, self._base)
        if source and not (source == self._last_image and node.parent is not None and node.parent.tag == "noscript"):
            self._last_image = source
            self._raw.append(Piece((node.attributes.get("alt") or "")[:500], self._marks, source))

    def _end_with(self, mark: str) -> None:
        """End the text of a table's cell with a mark, in place of the blanks at its end."""
        raw = self._raw
        while raw and not raw[-1].image and not raw[-1].text.strip():
            raw.pop()
        if raw and not raw[-1].image:
            raw[-1].text = raw[-1].text.rstrip()
        raw.append(Piece(mark))

    def _line_break(self) -> None:
        """Two line breaks in a row end a paragraph."""
        self._breaks += 1
        if self._breaks > 1 and not self.in_line:
            self._end_block()
        else:
            self._raw.append(Piece(" ", (), is_break=True))

    def _kind(self) -> tuple[BlockKind, int]:
        return self.elements[self._open[-1]].kind

    def _end_block(self) -> None:
        """End the current block."""
        self._breaks = 0
        raw, self._raw = self._raw, []
        dates, self._dates = tuple(self._dates), []
        if not raw:
            return
        pieces = folded_pieces(raw)
        if self._drop_cap:
            self._drop_cap = False
            join_drop_cap(pieces)
        if pieces:
            kind, level = self._kind()
            linked = sum([len(piece.text.strip()) for piece in pieces if not piece.image and _is_linked(piece.marks)])
            text = plain(pieces)
            self._add_block(StructureBlock(kind, text, pieces, self._open[-1], level, min(linked, len(text)), dates=dates))

    def _add_block(self, block: StructureBlock) -> None:
        block.containers = self.elements[block.element].containers
        self.blocks.append(block)

    def _add_code(self, node: Node) -> None:
        if text := code_text(node):
            self._add_block(StructureBlock(BlockKind.CODE, text, [Piece(text)], self._open[-1], language=code_language(node)))

    def _add_table(self, node: Node) -> bool:
        text = read_table(node)
        if text is None:
            return False
        if caption := table_caption(node):
            self._add_block(StructureBlock(BlockKind.CAPTION, caption, [Piece(caption)], self._open[-1]))
        cells = read_cells(node, lambda cell: read_pieces(cell, self._base))
        linked = sum(len(link.text(strip=True)) for link in node.css("a"))
        self._add_block(StructureBlock(BlockKind.TABLE, text, [], self._open[-1], linked=min(linked, len(text)), cells=cells))
        return True

    def _open_element(self, node: Node, tag: str) -> None:
        """Open a block element. The kind of text directly inside it follows from its tag and the kind around it."""
        attributes = node.attributes
        parent = self._open[-1] if self._open else -1
        around = self.elements[parent] if self._open else None
        kind = KINDS.get(tag) or (around.kind if around is not None else (BlockKind.PARAGRAPH, 0))
        if tag in ITEMS:
            kind = BlockKind.LIST_ITEM, kind[1] + 1 if kind[0] is BlockKind.LIST_ITEM else 1
        hidden = (around is not None and around.is_hidden) or is_hidden(attributes) or attributes.get("aria-hidden") == "true"
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}".strip()[:300] if attributes else ""
        role = f"{attributes.get('role') or ''} {attributes.get('itemprop') or ''}".strip().lower()[:60] if attributes else ""
        containers = self._containers.inside(node, tag, around.containers if around is not None else (), self._list_around())
        depth = 0 if around is None else around.depth + 1
        self._open.append(len(self.elements))
        self.elements.append(StructureElement(tag, names, parent, len(self.blocks), 0, role, hidden, kind, containers, depth))

    def _list_around(self) -> int:
        """The element of the list that an item is in. In a `dl`, a `div` may hold a term and its definitions."""
        if not self._open:
            return 0
        inner = self._open[-1]
        outer = self._open[-2] if len(self._open) > 1 else inner
        return outer if self.elements[inner].tag == "div" and self.elements[outer].tag == "dl" else inner

    def _close_element(self) -> None:
        self._end_block()
        self.elements[self._open.pop()].end = len(self.blocks)


def _is_linked(marks: Marks) -> bool:
    return any(mark.kind == LINKED and bool(mark.target) for mark in marks)
