"""The text that readers see: without scripts, styles and titles of icons."""

from __future__ import annotations

from processing.article.tree.characters import folded_text
from processing.article.tree.inline import BLOCKS
from processing.article.tree.parse import Node, tag_number, tag_numbers

# Tags by number: to read the name of a tag takes five times as long.
_INVISIBLE = tag_numbers(("svg", "title", "script", "style", "noscript", "button", "template", "rt", "rp"))
_BREAKING = tag_numbers(BLOCKS | {"br", "option"})
_TEXT, _BREAK, _BODY = map(tag_number, ("-text", "br", "body"))


def visible_text(node: Node) -> str:
    """The visible text of a node, white space folded."""
    if (text := _only_text(node)) is not None:
        return text
    parts = []
    for child in node.traverse(include_text=True):
        number = child.tag_id
        if number == _TEXT:
            if _is_visible(child):
                parts.append(child.text_content or "")
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


def text_parts(node: Node) -> list[str]:
    """The visible texts between a node's tags, each folded, none empty."""
    parts = (
        folded_text(child.text_content or "")
        for child in node.traverse(include_text=True, skip_empty=True)
        if child.is_text_node and _is_visible(child)
    )
    return [part for part in parts if part]


def texts_after(node: Node, most: int) -> list[tuple[str, Node]]:
    """The first texts behind a node in document order, folded, at most `most`, each with its element."""
    found: list[tuple[str, Node]] = []
    current: Node | None = node
    while current is not None and current.tag_id != _BODY and len(found) < most:
        following = current.next
        while following is not None and len(found) < most:
            found.extend(_leading(following, most - len(found)))
            following = following.next
        current = current.parent
    return found


def _leading(node: Node, most: int) -> list[tuple[str, Node]]:
    found: list[tuple[str, Node]] = []
    if node.tag_id in _INVISIBLE:
        return found
    for child in node.traverse(include_text=True, skip_empty=True):
        if child.tag_id != _TEXT or (parent := child.parent) is None or parent.tag_id in _INVISIBLE:
            continue
        if text := folded_text(child.text_content or ""):
            found.append((text, parent))
            if len(found) >= most:
                break
    return found


def _is_visible(text: Node) -> bool:
    parent = text.parent
    return parent is None or parent.tag_id not in _INVISIBLE
