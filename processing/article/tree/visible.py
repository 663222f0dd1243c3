"""The text that readers see: without scripts, styles and titles of icons."""

from __future__ import annotations

from collections.abc import Iterator

from processing.article.tree.characters import folded_text
from processing.article.tree.inline import BLOCKS
from processing.article.tree.parse import Node, tag_number, tag_numbers

# Tags by number: to read the name of a tag takes five times as long.
_INVISIBLE = tag_numbers(("svg", "title", "script", "style", "noscript", "button", "template", "rt", "rp"))
_BREAKING = tag_numbers(BLOCKS | {"br", "option"})
MAX_NODES = 300
_TEXT, _BREAK, _BODY = map(tag_number, ("-text", "br", "body"))


def visible_text(node: Node, most: int | None = None) -> str:
    """The visible text of a node, white space folded.

    `most`: of a text with more characters only the beginning is read, and of one with far more elements than such a text has.
    """
    if (text := _only_text(node)) is not None:
        return text
    if most is not None:
        return _beginning(node, most)
    parts = []
    for child in node.traverse(include_text=True):
        number = child.tag_id
        if number == _TEXT:
            if _is_visible(child):
                parts.append(child.text_content or "")
        elif number == _BREAK:
            parts.append(" ")
    return folded_text("".join(parts))


def _beginning(node: Node, most: int) -> str:
    parts, left = [], most
    for count, child in enumerate(node.traverse(include_text=True)):
        if left < 0 or count > most + MAX_NODES:
            break
        number = child.tag_id
        if number == _TEXT:
            if _is_visible(child):
                text = child.text_content or ""
                left -= sum(map(len, text.split()))
                parts.append(text)
        elif number == _BREAK:
            parts.append(" ")
    return folded_text("".join(parts))


def spaced_text(node: Node) -> str:
    """The visible text of a node, with a space where a block, a cell or an item of a list begins or ends."""
    if (text := _only_text(node)) is not None:
        return text
    parts = []
    for child in node.traverse(include_text=True):
        number = child.tag_id
        if number in _BREAKING or ((before := child.prev) is not None and before.tag_id in _BREAKING):
            parts.append(" ")
        if number == _TEXT and _is_visible(child):
            parts.append(child.text_content or "")
    return folded_text("".join(parts))


def _only_text(node: Node) -> str | None:
    """The text of a node that has nothing but one text, as most elements with a single value; None of any other node."""
    only = node.first_child
    if only is None or not only.is_text_node or only.next is not None:
        return None
    return "" if node.tag_id in _INVISIBLE else folded_text(only.text_content or "")


def text_parts(node: Node, most: int | None = None) -> list[str]:
    """The visible texts between a node's tags, each folded, none empty. `most`: only the first ones, of so many characters, or more."""
    parts: list[str] = []
    for count, child in enumerate(node.traverse(include_text=True, skip_empty=True)):
        if child.is_text_node and _is_visible(child) and (part := folded_text(child.text_content or "")):
            parts.append(part)
            most = None if most is None else most - len(part)
        if most is not None and (most < 0 or count > MAX_NODES):
            break
    return parts


def texts_after(node: Node) -> Iterator[tuple[str, Node]]:
    """The texts behind a node in document order, folded, each with its element."""
    current: Node | None = node
    while current is not None and current.tag_id != _BODY:
        following = current.next
        while following is not None:
            if following.tag_id not in _INVISIBLE:
                yield from _texts_in(following)
            following = following.next
        current = current.parent


def _texts_in(node: Node) -> Iterator[tuple[str, Node]]:
    for child in node.traverse(include_text=True, skip_empty=True):
        if child.tag_id != _TEXT or (parent := child.parent) is None or parent.tag_id in _INVISIBLE:
            continue
        if text := folded_text(child.text_content or ""):
            yield text, parent


def texts_before(node: Node, around: Node) -> Iterator[str]:
    """The texts before a node in an element around it, folded, the nearest first; those that readers do not see, too."""
    current: Node | None = node
    while current is not None:
        before = current.prev
        if before is None:
            current = current.parent
            if current is None or current.mem_id == around.mem_id:
                return
            continue
        current = before
        while (last := current.last_child) is not None:
            current = last
        if current.tag_id == _TEXT:
            yield folded_text(current.text_content or "")


def _is_visible(text: Node) -> bool:
    parent = text.parent
    return parent is None or parent.tag_id not in _INVISIBLE
