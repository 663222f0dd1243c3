"""Elements whose text depends on what is around them: raised numbers, formulas, buttons in headings, marks of notes."""

from __future__ import annotations

import re
from functools import lru_cache

from processing.article.outline.names import Attributes, is_screen_reader_only
from processing.article.tree.characters import without_invisible
from processing.article.tree.edits import edited_text
from processing.article.tree.formulas import formula_text, script_formula
from processing.article.tree.headings import PERMALINK_SIGNS
from processing.article.tree.images import image_text
from processing.article.tree.inline import inline_text
from processing.article.tree.parse import Node
from processing.article.tree.quotes import quotation_marks
from processing.article.tree.raised import MAX_RAISED_CHARACTERS, cents, ends_with_number, note_mark, raised_kind, raised_text
from processing.article.tree.short import holds_formula, short_texts

_DROP_CAP = re.compile(r"drop-?cap|(?:initial|first|capital)-?(?:letter|cap)|lettrine|(?:^|\s)initiale?(?:$|\s)", re.IGNORECASE)
_WORDS_OF_A_LETTER = frozenset("AÀÁEÈÉIÍOÒÓUÚYZWKSVВИКСУОЯАІЙЗ")  # in one language or another
_CELL_ROLES = frozenset(("cell", "gridcell", "columnheader", "rowheader"))
_LINE_NUMBERS = re.compile(
    r"(?:^|[\s_-])(?:line-?nos?|line-?num(?:ber)?s?|ln|ln-?num(?:ber)?s?|gutter|blob-num|hljs-ln-numbers|lnt)(?:$|[\s_-])", re.I
)
_BLANK_BEHIND_NUMBER = re.compile(r"^ ", re.MULTILINE)
_ONLY_NUMBERS = re.compile(r"[\d\s]*")
_PERMALINK = re.compile(r"(?:^|\s)(?:headerlink|heading-?anchor|header-?anchor|anchor-?link|hash-?link|permalink)(?:\s|$)", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_BEFORE_NOTE = re.compile(r"\d$|\d[!?”\"’')»%]+$|\d{3}\.[”\"’')»]*$")  # not 3.2, nor a list or a range of notes
MAX_BUTTON_CHARACTERS = 300
MAX_BUTTON_ANCESTORS = 4  # between a heading and its button
_LONG = "long"  # in place of a text that is too long for a mark or a sign
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


def special_text(node: Node, tag: str, before: str, *, anchored: bool, in_heading: bool) -> str | None:
    """What is written for an element behind the text `before`; None if it is read like any inline element.

    `anchored`: it stands in a link within the page. `in_heading`: it stands in a heading.
    """
    match tag:
        case "script":
            return script_formula(node)
        case "sup" | "sub" | "small" | "font":
            return raised_text(before, node, anchored=anchored) if before else None
        case "math":
            return formula_text(node)
        case "del" | "s" | "strike" | "ins":
            return edited_text(before, node)
        case "img":
            return image_text(node, is_first=not before)
        case "q":
            opening, closing = quotation_marks(node)
            return f"{opening}{inline_text(node)}{closing}" if opening else None
        case "nobr":  # MathJax hides its own drawing from screen readers, which get MathML instead
            return "" if node.attributes.get("aria-hidden") == "true" else None
    return None if in_heading and _is_alone(node) else ""


def span_text(node: Node, attributes: Attributes, before: str) -> str | None:
    """What is written for a span behind the text `before`, if it is raised or lowered by its class or style. None for others."""
    if not before[-1:].isdigit() and not before[-1:].isspace() and not ends_with_number(before[-4:]):
        return None
    kind = raised_kind(node, attributes)
    return raised_text(before, node, kind=kind) if kind else cents(node, attributes, before)


def is_cell(attributes: Attributes) -> bool:
    """Whether a span is a cell of a table that is made of other elements."""
    return (attributes.get("role") or "") in _CELL_ROLES or "table-cell" in (attributes.get("style") or "")


def code_text(node: Node) -> str:
    """The text of a `<pre>` with its lines, without their numbers; empty for one that holds only the numbers of lines beside it."""
    numbers: list[Node] = []

    def is_number(inner: Node) -> bool:
        if is_number := _numbers_lines(inner):
            numbers.append(inner)
        return is_number

    text = without_invisible(inline_text(node, edge="\n", skip=is_number)).strip("\n")
    if numbers:
        lines = text.split("\n")
        are_numbered = len(numbers) >= len(lines) and all(line[:1] in {" ", ""} for line in lines)
        text = _BLANK_BEHIND_NUMBER.sub("", text) if are_numbered else text
    are_numbers = _ONLY_NUMBERS.fullmatch(text) is not None and any(
        _is_named_numbers(one) for one in (node, node.parent) if one is not None
    )
    return "" if are_numbers or not text.strip() else text


def _numbers_lines(node: Node) -> bool:
    return _is_named_numbers(node) and _ONLY_NUMBERS.fullmatch(node.text()) is not None


def _is_named_numbers(node: Node) -> bool:
    """Whether an element's classes say that it numbers lines."""
    return _LINE_NUMBERS.search(node.attributes.get("class") or "") is not None


def linked_note_mark(node: Node, before: str) -> str | None:
    """What is written for a link within the page: the mark of a note behind a number, nothing for a sign of the link to a heading.

    None for other links.
    """
    texts = short_texts(node, MAX_RAISED_CHARACTERS)
    text = _LONG if texts is None else "".join(map(str.strip, texts))
    if text in PERMALINK_SIGNS or (_PERMALINK.search(node.attributes.get("class") or "") and (not text or _LETTER.search(before))):
        return ""  # in some systems the heading itself is such a link
    if not text.isdecimal() or not _BEFORE_NOTE.search(before) or before.rfind("[") > before.rfind("]"):
        return None
    return note_mark(before, text)


def is_unread_span(node: Node, attributes: Attributes) -> bool:
    """Whether a span is for screen readers only, or shows again the formula before it. Hidden MathML has the text of a formula."""
    return (is_screen_reader_only(attributes) and not holds_formula(node)) or (
        attributes.get("class") == "katex-html" and node.prev is not None
    )


def is_drop_cap(node: Node, attributes: Attributes) -> bool:
    """Whether a span is the large first letter of a paragraph: one letter that is no word by itself."""
    names = attributes.get("class")
    if not names or not _is_named_drop_cap(names):
        return False
    letter = "".join(map(str.strip, short_texts(node, 1) or ()))
    return len(letter) == 1 and letter.isupper() and letter not in _WORDS_OF_A_LETTER


@lru_cache(maxsize=8192)  # a page repeats its classes
def _is_named_drop_cap(names: str) -> bool:
    return _DROP_CAP.search(names) is not None


def _is_alone(button: Node) -> bool:
    """Whether a button is all the text of its heading."""
    heading = button.parent
    for _ in range(MAX_BUTTON_ANCESTORS):
        if heading is None or heading.tag in _HEADINGS:
            break
        heading = heading.parent
    texts = short_texts(button, MAX_BUTTON_CHARACTERS)
    return heading is not None and texts is not None and short_texts(heading, sum(len(text.strip()) for text in texts)) is not None
