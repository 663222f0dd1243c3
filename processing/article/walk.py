"""One walk over the tree makes the outline. Python sees every node here, so this is where the time goes: keep it lean."""

from __future__ import annotations

from processing.article.names import is_hidden, is_spoken, names_of, read_names
from processing.article.outline import Element, Kind, Outline, Piece
from processing.article.parse import Node
from processing.article.scripts import reading_length
from schemas.article import BlockKind

MAX_DEPTH = 400  # block elements inside each other; what lies deeper belongs to the deepest one
MAX_TABLE_CELL = 400  # characters: a longer cell means that the table is there for the layout
MIN_TEXT = 40  # characters: shorter text is a label
MAX_WALKS = 4
LITTLE_TEXT = 500  # characters: a page of which less was seen has its article in what was left out
NEVER_JUNK_SHARE = 0.4  # of the page's text: an element that holds more is no furniture, whatever it is called

_BLOCK, _INLINE, _LINK, _BREAK, _SILENT = range(5)
_LEAF = _BREAK  # from here on nothing inside is visited
_NO_LINK, _LINKED, _ANCHORED = range(3)
_INLINE_TAGS = (
    "abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rp rt ruby s samp small span strike strong "
    "sub sup time tt u var wbr img picture source"
)
_SILENT_TAGS = (
    "script style noscript svg template iframe object canvas audio video select option textarea button input math map progress meter "
    "datalist head link meta title nav"
)
_ACTIONS: dict[str | None, int] = {
    **dict.fromkeys(_INLINE_TAGS.split(), _INLINE),
    **dict.fromkeys(_SILENT_TAGS.split(), _SILENT),
    "a": _LINK,
    "br": _BREAK,
    "-comment": _SILENT,
    None: _SILENT,
}
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_JUNK_TAGS = frozenset(("footer", "aside", "form", "dialog", "menu"))
_NEVER_JUNK = frozenset(("body", "main", "article", "figcaption"))
_ITEMS = frozenset(("li", "dt", "dd"))
_KINDS: dict[str, Kind] = {
    **{tag: (BlockKind.HEADING, level) for tag, level in _HEADINGS.items()},
    "blockquote": (BlockKind.QUOTE, 0),
    **dict.fromkeys(("figcaption", "figure", "caption"), (BlockKind.CAPTION, 0)),
}


def read_outline(root: Node | None) -> Outline:
    """Walk everything in `root`, usually the body; again with what was left out, where that is too much to be furniture."""
    if root is None:  # a page of frames
        return Outline([Element("", "", -1, 0, 0, body=False, kind=(BlockKind.PARAGRAPH, 0))], [])
    wanted: frozenset[int] = frozenset()
    for _ in range(MAX_WALKS):
        walk = _Walk(wanted)
        walk.run(root)
        misnamed = _misnamed(walk)
        if not misnamed:
            break
        wanted |= misnamed
    return Outline(walk.elements, walk.pieces, walk.left_out_names)


def _misnamed(walk: _Walk) -> frozenset[int]:
    """The elements left out that hold too much of the page's text."""
    seen = sum(own for piece in walk.pieces if (own := reading_length(piece.text) - piece.linked) >= MIN_TEXT)
    # Most are so short, links and all, that none can hold its share of what was seen and itself.
    enough = NEVER_JUNK_SHARE / (1 - NEVER_JUNK_SHARE) * seen
    if not any(len(node.text(skip_empty=True)) >= enough for node in walk.left_out):
        return frozenset()
    missed = [(node.mem_id, _text_length(node)) for node in walk.left_out]
    limit = NEVER_JUNK_SHARE * (seen + sum(length for _, length in missed))
    longest = max((length for _, length in missed), default=0)
    if seen < LITTLE_TEXT <= longest:  # nothing that could be an article: it is in what was left out
        limit = min(limit, longest)
    return frozenset(mem_id for mem_id, length in missed if length >= limit > 0)


def _text_length(node: Node) -> int:
    """Characters of an element's longer runs of text outside links."""
    length = 0
    for child in node.traverse(include_text=True):
        if child.is_text_node and (own := reading_length(text := child.text_content or "")) >= MIN_TEXT:
            parent = child.parent
            if parent is not None and parent.tag != "a" and _ACTIONS.get(parent.tag) != _SILENT:
                length += own - len(text) + len(text.strip())
    return length


class _Walk:
    """The state of one walk: the open block elements and the text gathered since the last boundary."""

    def __init__(self, wanted: frozenset[int]) -> None:
        self.wanted = wanted
        self.elements: list[Element] = []
        self.pieces: list[Piece] = []
        self.left_out: list[Node] = []
        self.left_out_names: list[str] = []
        self.open: list[int] = []
        self.text: list[str] = []
        self.linked = 0
        self.anchored = 0
        self.breaks = 0

    def run(self, root: Node) -> None:
        """Depth first, without recursion: pages nest deeper than Python's stack."""
        self.add(root.tag or "", "", body=False)
        stack: list[tuple[Node | None, bool, int]] = []  # (next sibling to visit, whether a block element ends, link state around)
        node, link = root.first_child, _NO_LINK
        while node is not None or stack:
            if node is None:
                node, ends, link = stack.pop()
                if ends:
                    self.leave()
                continue
            tag = node.tag
            if tag == "-text":
                self.say(node.text_content or "", link)
                node = node.next
                continue
            action = _ACTIONS.get(tag, _BLOCK)
            if action >= _LEAF or not self.goes_in(node, tag or "", action):
                if action == _BREAK:
                    self.line_break()
                node = node.next
                continue
            stack.append((node.next, action == _BLOCK, link))
            if action == _LINK:
                link = _link_state(node)
            node = node.first_child
        self.leave()

    def goes_in(self, node: Node, tag: str, action: int) -> bool:
        """Whether what is inside an element is to be visited; opens it when it is a block element."""
        if action == _BLOCK:
            return self.enter(node, tag)
        return tag != "span" or not is_spoken(node.attributes)

    def enter(self, node: Node, tag: str) -> bool:
        """Open a block element; False for furniture, and for tables and preformatted text, which are read as one piece."""
        if self.text:
            self.flush()
        if (tag == "pre" and self.code(node)) or (tag == "table" and self.table(node)):
            return False
        if len(self.open) >= MAX_DEPTH:
            self.open.append(self.open[-1])
            return True
        attributes = node.attributes
        names = ""
        junk, body = tag in _JUNK_TAGS, False
        if attributes:
            names = names_of(tag, attributes)
            if names:
                named_junk, body = read_names(names)
                junk = junk or named_junk
            junk = junk or is_hidden(attributes)
            body = body or attributes.get("itemprop") == "articleBody"
        if junk and tag not in _NEVER_JUNK and node.mem_id not in self.wanted:
            self.left_out.append(node)
            self.left_out_names.append(names)
            return False
        self.add(tag, names, body=body)
        return True

    def add(self, tag: str, names: str, *, body: bool) -> None:
        """Note a block element as open."""
        parent, kind = -1, (BlockKind.PARAGRAPH, 0)
        if self.open:
            parent = self.open[-1]
            kind = _kind_inside(tag, self.elements[parent].kind)
        self.open.append(len(self.elements))
        self.elements.append(Element(tag, names, parent, len(self.pieces), 0, body, kind))

    def leave(self) -> None:
        """Close the innermost block element."""
        if self.text:
            self.flush()
        self.elements[self.open.pop()].end = len(self.pieces)

    def say(self, text: str, link: int) -> None:
        """Add text to the current piece."""
        if text.isspace():
            if self.text:
                self.text.append(" ")
            return
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
            self.pieces.append(Piece(kind, text, min(self.linked, len(text)), element, level, self.anchored))
        self.text.clear()
        self.linked = self.anchored = 0

    def code(self, node: Node) -> bool:
        """Preformatted text, line breaks kept."""
        text = node.text().strip("\n")
        if text.strip():
            self.pieces.append(Piece(BlockKind.CODE, text, 0, self.open[-1]))
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
        linked = sum(len(link.text(strip=True)) for link in node.css("a"))
        text = "\n".join(" | ".join(cell for cell in row if cell) for row in rows)
        self.pieces.append(Piece(BlockKind.TABLE, text, min(linked, len(text)), self.open[-1]))
        return True


def _kind_inside(tag: str, around: Kind) -> Kind:
    """What text directly inside an element is, given what it would be around it."""
    if tag in _ITEMS:
        return BlockKind.LIST_ITEM, around[1] + 1 if around[0] is BlockKind.LIST_ITEM else 1
    return _KINDS.get(tag, around)


def _folded(text: str) -> str:
    """White space folded; most texts are so already, and to see it costs less than to split and join."""
    return text.strip() if text.isprintable() and "  " not in text else " ".join(text.split())


def _link_state(node: Node) -> int:
    href = node.attributes.get("href")
    if href is None:
        return _NO_LINK
    return _ANCHORED if href.startswith("#") else _LINKED
