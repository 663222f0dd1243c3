"""Make the outline in one walk over the tree. Python visits every node here, so this code takes most of the time."""

from __future__ import annotations

from collections.abc import Iterable

from processing.article.kinds import CAPTION, CODE, HEADING, PARAGRAPH, QUOTE, TABLE
from processing.article.outline.names import Attributes, is_hidden, read_names
from processing.article.outline.outline import Element, Outline, TextBlock, text_block
from processing.article.outline.skipped import (
    LITTLE_TEXT,
    NO_TEXT,
    Insertion,
    SkippedElement,
    headline_element,
    misnamed_elements,
    text_length,
)
from processing.article.outline.special import code_text, is_cell, is_drop_cap, is_unread_span, linked_note_mark, span_text, special_text
from processing.article.outline.table import read_table, table_caption
from processing.article.outline.tags import (
    BLOCK,
    BOILERPLATE_TAGS,
    BREAK,
    CODE_TAGS,
    CONTENT_TAGS,
    IGNORED,
    KIND_TAGS,
    KNOWN,
    LINK,
    READ_WHOLE,
    SPECIAL,
    TABLE_ROLES,
    TEXT,
    kind_inside,
    rare_action,
)
from processing.article.tree.characters import without_invisible
from processing.article.tree.images import emoji_text
from processing.article.tree.parse import Node
from processing.article.tree.short import short_texts
from schemas.article import BlockKind

MAX_DEPTH = 400  # nested block elements; deeper text belongs to the deepest one
MAX_WALKS = 4
MAX_WALKS_WITHOUT_TEXT = 8  # while hardly anything was read
MAX_HEADLINE_WALKS = 3  # into elements with the headline, one in the other
MAX_CAPTION = 1000  # characters
_PARTS = "h1, h2, h3, h4, h5, h6, li, dt, dd"
MAX_CARD = 600  # characters: a link around more was never closed

_NO_LINK, _LINKED, _ANCHORED = range(3)
_CAPTION = (CAPTION, 0)


def read_outline(root: Node | None) -> Outline:
    """Outline everything in `root`, usually the body. What was left out is read too if it holds too much text to be boilerplate."""
    if root is None:  # a page of frames
        return Outline([Element("", "", -1, 0, 0, body=False, kind=(PARAGRAPH, 0))], [])
    walk = _Walk()
    walk.run(root)
    for _ in range(MAX_HEADLINE_WALKS):
        if not (around := headline_element(walk.skipped, walk.text_blocks)):
            break
        walk.restore(around)
    for number in range(1, MAX_WALKS_WITHOUT_TEXT):
        if number >= MAX_WALKS and sum([block.length for block in walk.text_blocks]) >= NO_TEXT:
            break
        misnamed = misnamed_elements(walk.skipped, walk.text_blocks)
        enough = number < MAX_WALKS or sum([text_length(walk.skipped[index]) for index in misnamed]) >= LITTLE_TEXT
        if not misnamed or not enough:
            break
        walk.restore(misnamed)
    return Outline(walk.elements, walk.text_blocks, [element.names for element in walk.skipped], walk.tags, walk.labels)


class _Walk:
    """The state of one walk: the open block elements and the text gathered since the last boundary."""

    def __init__(self) -> None:
        self.elements: list[Element] = []
        self.text_blocks: list[TextBlock] = []
        self.skipped: list[SkippedElement] = []
        self.tags: list[int] = []
        self.labels: list[Node] = []
        self.open: list[int] = []
        self.text: list[str] = []
        self.linked = 0
        self.anchored = 0
        self.breaks = 0
        self.drop_cap = False

    def run(self, root: Node) -> None:
        """Walk from the root."""
        self.open.append(0)
        self.elements.append(Element(root.tag or "", "", -1, 0, 0, False, (PARAGRAPH, 0)))
        self.walk_inside(root, _NO_LINK)

    def restore(self, indices: Iterable[int]) -> None:
        """Read skipped elements, given in document order, and insert their contents where they stand."""
        new = Insertion(self.elements, self.text_blocks, self.skipped)
        self.elements, self.text_blocks, self.skipped = new.elements, new.text_blocks, new.skipped
        for index in indices:
            gap = new.copy_before(index)
            self.open = opened = gap.opened(self.elements)
            around, before = set(opened), len(self.text_blocks)
            kind = kind_inside(gap.tag, self.elements[gap.inside].kind)
            opened.append(len(self.elements))
            self.elements.append(Element(gap.tag, gap.names, gap.inside, before, 0, gap.body, kind, gap.recipe_part))
            self.walk_inside(gap.node, gap.link)
            longer = len(self.text_blocks) - before
            for element in around:
                self.elements[element].end += longer
        new.copy_rest()

    def walk_inside(self, root: Node, link: int) -> None:  # noqa: C901, PLR0912, PLR0915 a call per node would cost more than all else here
        """Read the inside of the element just opened and close it. Without recursion: pages nest deeper than Python's stack."""
        # (next sibling to visit, what ends: a block element (-1) or a link (number of text blocks before it + 1), link state around)
        stack: list[tuple[Node | None, int, int]] = []
        known, text, count, label = KNOWN.get, self.text, self.tags.append, self.labels.append
        elements, text_blocks, opened = self.elements, self.text_blocks, self.open
        node, inside = root.first_child, link
        while node is not None or stack:
            if node is None:
                node, ends, link = stack.pop()
                if ends == -1:
                    if text:
                        self.end_text_block()
                    elements[opened.pop()].end = len(text_blocks)
                elif ends:
                    self.end_link(ends - 1)
                continue
            number = node.tag_id
            if number == TEXT:
                if node.is_empty_text_node:  # most texts between two tags are only indentation
                    if text:
                        text.append(" ")
                    node = node.next
                    continue
                content = node.text_content or ""
                if not content.isspace():
                    self.breaks = 0
                    text.append(content)
                    if link:
                        self.count_linked(content, link)
                elif text:
                    text.append(" ")
                node = node.next
                continue
            count(number)
            tag, action = known(number) or _named(node)
            if action == BLOCK:
                is_open = self.open_element(node, tag, link)
            elif action == BREAK:
                self.line_break()
                is_open = False
            elif action == LINK:
                label(node)
                href = node.attrs.get("href")
                inside = _NO_LINK if href is None else _ANCHORED if href[:1] == "#" else _LINKED
                marks_note = inside == _ANCHORED or (text and inside == _LINKED and text[-1][-1:].isdigit())
                is_open = not (marks_note and self.add_note_mark(node))
            elif action == SPECIAL:
                is_open = self.open_special(node, tag, link)
            elif tag == "span":
                attributes = node.attributes
                is_open = not attributes or not is_unread_span(node, attributes)
                if attributes and is_open:
                    is_open = self.open_span(node, attributes, link)
            else:
                is_open = action != IGNORED and not (node.attributes and is_unread_span(node, node.attributes))
            following = node.next
            first = node.first_child if is_open else None
            if first is not None and (first.tag_id != TEXT or first.next is not None):
                if action == LINK:
                    stack.append((following, len(text_blocks) + 1 if inside == _LINKED else 0, link))
                    link = inside
                else:
                    stack.append((following, -1 if action == BLOCK else 0, link))
                node = first
                continue
            if first is not None:  # most elements hold nothing but a text
                content = first.text_content or ""
                if not content.isspace():
                    self.breaks = 0
                    text.append(content)
                    if action == LINK:
                        if inside:
                            self.count_linked(content, inside)
                    elif link:
                        self.count_linked(content, link)
                elif text:
                    text.append(" ")
            if is_open and action == BLOCK:
                if text:
                    self.end_text_block()
                elements[opened.pop()].end = len(text_blocks)
            node = following
        self.close_element()

    def open_element(self, node: Node, tag: str, link: int) -> bool:
        """Open a block element; False for boilerplate, and for tables and preformatted text, which are read as one text block."""
        if self.text:
            self.end_text_block()
        opened = self.open
        if tag in READ_WHOLE and (self.add_code(node) if tag in CODE_TAGS else len(opened) < MAX_DEPTH and self.add_table(node)):
            return False
        if len(opened) >= MAX_DEPTH:
            opened.append(opened[-1])
            return True
        attributes = node.attributes
        elements = self.elements
        if attributes:
            names, boilerplate, body, recipe_part, caption = read_names(tag, attributes.get("class"), attributes.get("id"))
            if "style" in attributes or "hidden" in attributes:
                boilerplate = boilerplate or (is_hidden(attributes) and tag not in CONTENT_TAGS)
            if "role" in attributes and attributes["role"] in TABLE_ROLES and len(opened) < MAX_DEPTH and self.add_table(node):
                return False
            if "itemprop" in attributes:
                body = body or attributes["itemprop"] == "articleBody"
                boilerplate = boilerplate or attributes["itemprop"] == "comment"
            if tag == "footer" and elements[opened[-1]].kind[0] is QUOTE:
                boilerplate = False  # it names who is quoted
        else:
            names, boilerplate, body, recipe_part, caption = "", tag in BOILERPLATE_TAGS, False, False, False
            boilerplate = boilerplate and not (tag == "footer" and elements[opened[-1]].kind[0] is QUOTE)
        boilerplate = boilerplate or (caption and not _is_plain_caption(node))
        if boilerplate:
            place = len(elements), len(self.text_blocks), opened[-1], len(opened)
            self.skipped.append(SkippedElement(node, tag, names, body, recipe_part, *place, link))
            return False
        parent = opened[-1]
        opened.append(len(elements))
        kind = kind_inside(tag, elements[parent].kind) if tag in KIND_TAGS else elements[parent].kind
        kind = _CAPTION if caption and kind[0] is PARAGRAPH else kind
        elements.append(Element(tag, names, parent, len(self.text_blocks), 0, body, kind, recipe_part))
        return True

    def close_element(self) -> None:
        """Close the innermost block element."""
        if self.text:
            self.end_text_block()
        self.elements[self.open.pop()].end = len(self.text_blocks)

    def end_link(self, before: int) -> None:
        """Mark the text blocks inside a link, if they are several: such a link is a card for another page."""
        if len(self.text_blocks) - before > MAX_CARD:  # links in links: to add up all of them would take too long
            return
        inside = self.text_blocks[before:]
        if len(inside) > 1 and sum([block.length for block in inside]) <= MAX_CARD:
            for block in inside:
                block.card = True

    def add_text(self, text: str, link: int) -> None:
        """Add text to the current text block."""
        self.breaks = 0
        self.text.append(text)
        if link:
            self.count_linked(text, link)

    def count_linked(self, text: str, link: int) -> None:
        """Count the characters of a text inside a link."""
        if link == _LINKED:
            self.linked += len(text.strip())
        else:
            self.anchored += len(text.strip())

    def open_special(self, node: Node, tag: str, link: int) -> bool:
        """Read an element whose text depends on what is around it; True if it is read like any inline element."""
        if tag == "img" and not self.text and not emoji_text(node):
            return False
        if tag == "button":
            self.labels.append(node)
        in_heading = tag == "button" and self.elements[self.open[-1]].kind[0] is HEADING
        written = special_text(node, tag, self.text_before() if self.text else "", anchored=link == _ANCHORED, in_heading=in_heading)
        if written:
            self.add_text(written, _ANCHORED if tag == "sup" and written[0] == "[" else link)
        return written is None

    def open_span(self, node: Node, attributes: Attributes, link: int) -> bool:
        """Read a span; False if its text is written already."""
        if not self.text:
            self.drop_cap = self.drop_cap or is_drop_cap(node, attributes)
            return True
        if is_cell(attributes):
            self.text.append(" ")
        written = span_text(node, attributes, self.text_before())
        if written is not None:
            self.add_text(written, link)
        return written is None

    def add_note_mark(self, node: Node) -> bool:
        """Add a link within the page if it is only the mark of a note behind a number."""
        mark = linked_note_mark(node, self.text_before())
        if mark:
            self.add_text(mark, _ANCHORED)
        return mark is not None

    def text_before(self) -> str:
        """The end of the text gathered since the last boundary."""
        return "".join(self.text[-3:])

    def line_break(self) -> None:
        """Two line breaks in a row end a paragraph, one is a space."""
        self.breaks += 1
        if self.breaks > 1:
            self.end_text_block()
        else:
            self.text.append(" ")

    def end_text_block(self) -> None:
        """End the current text block."""
        self.breaks = 0
        parts = self.text
        text = parts[0] if len(parts) == 1 else "".join(parts)
        parts.clear()
        # Most texts have nothing to fold; to test that is cheaper than to split and join.
        text = text.strip() if text.isprintable() and "  " not in text else " ".join(without_invisible(text).split())
        if self.drop_cap:
            self.drop_cap = False
            text = text[0] + text[2:] if text[1:2] == " " and text[2:3].islower() else text
        if text:
            element = self.open[-1]
            kind, level = self.elements[element].kind
            linked = min(self.linked, len(text)) if self.linked else 0
            self.text_blocks.append(text_block(kind, text, linked, element, level, self.anchored))
        self.linked = self.anchored = 0

    def add_code(self, node: Node) -> bool:
        """Preformatted text, line breaks kept."""
        if text := code_text(node):
            self.add_whole(CODE, text, 0)
        return True

    def add_table(self, node: Node) -> bool:
        """A table of data as one text block, a line per row; False for one that lays out the page."""
        text = read_table(node)
        if text is None:
            return False
        if caption := table_caption(node):
            self.add_whole(CAPTION, caption, 0)
        self.add_whole(TABLE, text, min(sum(len(link.text(strip=True)) for link in node.css("a")), len(text)))
        return True

    def add_whole(self, kind: BlockKind, text: str, linked: int) -> None:
        """A text block that is not gathered from the walk."""
        self.text_blocks.append(text_block(kind, text, linked, self.open[-1]))


def _is_plain_caption(node: Node) -> bool:
    """Whether an element that is named a caption has no more text than one, and no parts, as the box of a film has."""
    return short_texts(node, MAX_CAPTION) is not None and node.css_first(_PARTS) is None


def _named(node: Node) -> tuple[str, int]:
    """The name and the action of a rare tag."""
    return node.tag or "", rare_action(node)
