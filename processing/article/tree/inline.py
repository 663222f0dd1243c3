"""Read an element as one run of text: table cells, preformatted text, headings."""

from __future__ import annotations

import re
from collections.abc import Callable

from processing.article.tree.edits import edited_text
from processing.article.tree.formulas import formula_text, script_formula
from processing.article.tree.images import image_text
from processing.article.tree.parse import Node, tag_number
from processing.article.tree.quotes import quotation_marks
from processing.article.tree.raised import raised_kind, raised_text

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
_READERS: dict[str | None, Callable[[Node], str]] = {"math": formula_text, "img": image_text, "script": script_formula}
_HIDDEN = re.compile(r"display:\s*none|clip:\s*rect", re.IGNORECASE)
_HIDDEN_NAMES = re.compile(
    r"(?:^|\s)(?:sr-only|visually-?hidden|screen-reader(?:-text)?|show-for-sr|a11y-hidden|offscreen|sortkey|mw-editsection|MathJax_Preview)(?:\s|$)"
)


def inline_text(root: Node, *, edge: str = " ", skip: Callable[[Node], bool] | None = None) -> str:
    """The text of an element, not folded. `edge` is written for line breaks and around blocks; what `skip` names is left out."""
    parts: list[str] = []
    stack: list[tuple[Node | None, str]] = []  # (next sibling to visit, what ends the element)
    node = root.first_child
    while node is not None or stack:
        if node is None:
            node, end = stack.pop()
            parts.append(end)
            continue
        if node.tag_id == _TEXT:
            parts.append(node.text_content or "")
            node = node.next
            continue
        end = edge if node.tag in BLOCKS else ""
        following, inside = node.next, None
        if (text := _own_text(node, parts, edge)) is not None:
            parts.append(text)
        elif not _is_unread(node) and not (skip is not None and skip(node)):
            if end and edge == " " and node.tag in IN_TABLES and (mark := cell_mark(node)):
                _end_with(parts, mark)
            parts.append(end if end and parts and not parts[-1].endswith(edge) else "")
            inside = node.first_child
        if inside is None:
            node = following
        else:
            stack.append((following, end))
            node = inside
    return "".join(parts)


def _own_text(node: Node, parts: list[str], edge: str) -> str | None:
    """The text of a node that is read without its children; None for other nodes."""
    match node.tag:
        case "br":
            return edge
        case "sup" | "sub":
            return raised_text("".join(parts[-3:])[-20:], node)
        case "del" | "s" | "strike" | "ins":
            return edited_text("".join(parts[-3:]), node)
        case "q":
            opening, closing = quotation_marks(node)
            return f"{opening}{inline_text(node, edge=edge)}{closing}" if opening else None
        case "span":
            kind = raised_kind(node.attributes)
            return raised_text("".join(parts[-3:])[-20:], node, kind=kind) if kind else None
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


def _is_unread(node: Node) -> bool:
    return node.tag in _UNREAD or is_unseen(node)


def is_unseen(node: Node) -> bool:
    """Whether an element inside a text is hidden, is for screen readers only, or repeats a formula beside it."""
    attributes = node.attributes
    if not attributes:
        return False
    names = attributes.get("class") or ""
    if names == "MathJax_Preview":
        return True
    if "math" in names.lower():  # MathML for screen readers carries the formula's text
        return False
    if names == "katex-html":
        return node.prev is not None
    style = attributes.get("style")
    hidden = "hidden" in attributes or (style is not None and _HIDDEN.search(style) is not None) or _HIDDEN_NAMES.search(names) is not None
    # A hidden colon between two parts of a heading is part of it, and hidden MathML has a formula that is shown as an image.
    return hidden and any(map(str.isalnum, node.text())) and node.css_first("math") is None
