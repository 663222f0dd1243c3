"""Read an element as one run of text: table cells, preformatted text, headings."""

from __future__ import annotations

import re
from collections.abc import Callable

from processing.article.tree.edits import edited_text
from processing.article.tree.formulas import formula_text, script_formula
from processing.article.tree.images import image_text
from processing.article.tree.parse import Node, tag_number, tag_numbers
from processing.article.tree.quotes import quotation_marks
from processing.article.tree.raised import cents, raised_kind, raised_text
from processing.article.tree.short import holds_formula, holds_words

_BLOCK_TAGS = (
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hgroup hr legend li main menu ol p pre section summary table tbody td tfoot th thead tr ul"
)
_UNREAD_TAGS = """
style noscript svg template iframe object canvas audio video select textarea button datalist head title rt rp rtc noembed noframes -comment
"""
_TEXT = tag_number("-text")
CELLS = frozenset(("td", "th"))
IN_TABLES = CELLS | {"tr", "tbody", "thead", "tfoot"}
BLOCKS, _UNREAD = frozenset(_BLOCK_TAGS.split()), frozenset(_UNREAD_TAGS.split())
# By number: to read the name of a tag takes five times as long.
_BLOCK_NUMBERS, _UNREAD_NUMBERS, _TABLE_NUMBERS, _QUOTATION = map(tag_numbers, (BLOCKS, _UNREAD, IN_TABLES, ["q"]))
_OWN_NUMBERS = tag_numbers(("br", "sup", "sub", "del", "s", "strike", "ins", "span", "small", "font", "math", "img", "script"))
_READERS: dict[str | None, Callable[[Node], str]] = {"math": formula_text, "img": image_text, "script": script_formula}
_CODE_LINE = re.compile(r"(?:^|\s)(?:(?:code|token|view)-?)?line(?:\s|$)")  # of a `pre`, a line each if they stand together
_HIDDEN = re.compile(r"display:\s*none|clip:\s*rect", re.IGNORECASE)
_HIDDEN_NAMES = re.compile(
    r"(?:^|\s)(?:sr-only|visually-?hidden|screen-reader(?:-text)?|show-for-sr|a11y-hidden|(?:a-)?offscreen|sortkey|mw-editsection"
    r"|MathJax_Preview|material-(?:icons|symbols)\S*)(?:\s|$)"
)


def inline_text(root: Node, *, edge: str = " ", skip: Callable[[Node], bool] | None = None, most: int = -1) -> str:
    """The text of an element, not folded. `edge` is written for line breaks and around blocks; what `skip` names is left out.

    `most`: of an element with more nodes only the first ones are read.
    """
    parts: list[str] = []
    stack: list[tuple[Node | None, str]] = []  # (next sibling to visit, what ends the element)
    node = root.first_child
    while (node is not None or stack) and most:
        if node is None:
            node, end = stack.pop()
            parts.append(end)
            continue
        most -= 1
        number = node.tag_id
        if number == _TEXT:
            parts.append(node.text_content or "")
            node = node.next
            continue
        end = edge if number in _BLOCK_NUMBERS else ""
        following, inside = node.next, None
        if number in _OWN_NUMBERS and (text := _own_text(node, parts, edge)) is not None:
            parts.append(text)
        elif number not in _UNREAD_NUMBERS and not is_unseen(node) and not (skip is not None and skip(node)):
            if end and edge != "\n" and number in _TABLE_NUMBERS and (mark := cell_mark(node)):
                _end_with(parts, mark)
            parts.append(end if end and parts and not parts[-1].endswith(edge) else "")
            if number in _QUOTATION:
                opening, end = quotation_marks(node)
                parts.append(opening)
            inside = node.first_child
        if inside is None:
            node = following
        else:
            stack.append((following, end))
            node = inside
    return "".join(parts)


def _is_line(node: Node | None) -> bool:
    """Whether an element is a line of code by its class."""
    return node is not None and node.tag == "span" and _CODE_LINE.search(node.attributes.get("class") or "") is not None


def _own_text(node: Node, parts: list[str], edge: str) -> str | None:
    """The text of a node that is read without its children; None for other nodes."""
    match node.tag:
        case "br":
            return edge
        case "sup" | "sub" | "small" | "font":
            return raised_text("".join(parts[-3:])[-20:], node)
        case "del" | "s" | "strike" | "ins":
            return edited_text("".join(parts[-3:]), node)
        case "span":
            attributes = node.attributes
            if not attributes:
                return None
            if edge == "\n" and _is_line(node) and _is_line(node.prev) and not "".join(parts[-8:]).endswith("\n"):
                parts.append("\n")
            kind = raised_kind(node, attributes)
            before = "".join(parts[-3:])[-20:]
            return raised_text(before, node, kind=kind) if kind else cents(node, attributes, before)
    read = _READERS.get(node.tag)
    return read(node) if read else None


def cell_mark(node: Node) -> str:
    """What stands before a cell or a row of a table that is part of a text: `,` between cells, `;` between rows; else nothing."""
    if node.tag in CELLS:
        return "," if _has_before(node, CELLS) else ""
    return ";" if _has_before(node, IN_TABLES) else ""


def _has_before(node: Node, tags: frozenset[str]) -> bool:
    before = node.prev
    while before is not None and before.tag not in tags:
        before = before.prev
    return before is not None


def _end_with(parts: list[str], mark: str) -> None:
    """End a text with a mark, in place of the blanks at its end."""
    while parts and not parts[-1].strip():
        parts.pop()
    if parts:
        parts[-1] = parts[-1].rstrip()
    parts.append(mark)


def is_unseen(node: Node) -> bool:
    """Whether an element inside a text is hidden, is for screen readers only, or repeats a formula beside it."""
    attributes = node.attributes
    return bool(attributes) and is_unseen_by(attributes, node)


def is_drawn_formula(node: Node) -> bool:
    """Whether an element is MathJax's drawing of a formula that stands behind it as MathML."""
    return node.tag == "mjx-math" and (following := node.next) is not None and following.tag == "mjx-assistive-mml"


def is_unseen_by(attributes: dict[str, str | None], node: Node) -> bool:
    """The same, given the element's attributes."""
    names = attributes.get("class") or ""
    if names == "MathJax_Preview" or ("aria-hidden" in attributes and is_drawn_formula(node)):
        return True
    if names and "math" in names.lower():  # MathML for screen readers carries the formula's text
        return False
    if names == "katex-html":
        return node.prev is not None
    style = attributes.get("style")
    hidden = "hidden" in attributes or (style is not None and _HIDDEN.search(style) is not None)
    if not hidden and not (names and _HIDDEN_NAMES.search(names)):
        return False
    # A hidden colon between two parts of a heading is part of it, and hidden MathML has a formula that is shown as an image.
    return holds_words(node) and not holds_formula(node)
