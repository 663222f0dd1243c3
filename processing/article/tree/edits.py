"""Struck and inserted text: an old price and its new one must not become one number."""

from __future__ import annotations

from unicodedata import category

from processing.article.tree.characters import folded_text
from processing.article.tree.parse import Node
from processing.article.tree.short import beginning, short_texts

MAX_STRUCK_CHARACTERS = 40  # longer struck text is text like any other


def edited_text(before: str, node: Node) -> str | None:
    """How a `<del>`, `<s>`, `<strike>` or `<ins>` is written behind the text `before`. None: like any other text.

    A `<del>` that an `<ins>` replaces is not part of the page any more (HTML, 4.7). Otherwise a space parts what would melt.
    """
    following = node.next
    if node.tag == "del" and _replaces(following):
        return ""
    text = folded_text("".join(short_texts(node, MAX_STRUCK_CHARACTERS) or ()))
    if not text or len(text) > MAX_STRUCK_CHARACTERS:
        return None
    melts_before = before[-1:].isdigit() and text[0].isdigit()
    melts_behind = text[-1].isalnum() and _begins_with_word_or_sign(following)
    return f"{' ' if melts_before else ''}{text}{' ' if melts_behind else ''}" if melts_before or melts_behind else None


def _replaces(node: Node | None) -> bool:
    while node is not None and node.tag == "-text" and (node.text_content or "").isspace():
        node = node.next
    return node is not None and node.tag == "ins"


def _begins_with_word_or_sign(node: Node | None) -> bool:
    """Whether a word, a number or the currency sign of a price begins a node."""
    first = beginning(node, 1) if node is not None else ""
    return first.isalnum() or category(first or " ") == "Sc"
