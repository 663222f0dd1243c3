"""Short texts of elements: reading stops where an element has more, so that elements within elements are not read whole for each."""

from __future__ import annotations

from collections.abc import Iterator

from processing.article.tree.parse import Node, tag_number

MAX_NODES = 300  # an element with more is not short, however little text is in it
_TEXT, _MATH = map(tag_number, ("-text", "math"))


def short_texts(node: Node, limit: int) -> list[str] | None:
    """The texts in an element, as they are written. None if they have more than `limit` characters without the blanks around them."""
    child = node.first_child
    if child is None:
        return []
    if child.next is None and child.tag_id == _TEXT:  # the common case
        text = child.text_content or ""
        return [text] if len(text.strip()) <= limit else None
    texts: list[str] = []
    for count, inner in enumerate(node.traverse(include_text=True)):
        if count > MAX_NODES:
            return None
        if inner.tag_id == _TEXT:
            text = inner.text_content or ""
            limit -= len(text.strip())
            if limit < 0:
                return None
            texts.append(text)
    return texts


def beginning(node: Node, characters: int) -> str:
    """The first characters of an element's text, or of a text."""
    if node.tag_id == _TEXT:
        return (node.text_content or "")[:characters]
    text = ""
    for part in first_texts(node):
        text += part
        if len(text) >= characters:
            break
    return text[:characters]


def first_texts(node: Node) -> Iterator[str]:
    """The texts among an element's first MAX_NODES nodes."""
    for _, inner in zip(range(MAX_NODES), node.traverse(include_text=True), strict=False):
        if inner.tag_id == _TEXT:
            yield inner.text_content or ""


def holds_formula(node: Node) -> bool:
    """Whether a `<math>` is among an element's first MAX_NODES nodes."""
    child = node.first_child
    if child is None or (child.next is None and child.tag_id == _TEXT):
        return False
    return any(inner.tag_id == _MATH for _, inner in zip(range(MAX_NODES), node.traverse(), strict=False))


def holds_words(node: Node) -> bool:
    """Whether an element has letters or digits. An element with more than MAX_NODES nodes counts as one that has."""
    for count, inner in enumerate(node.traverse(include_text=True)):
        if count > MAX_NODES or (inner.tag_id == _TEXT and any(map(str.isalnum, inner.text_content or ""))):
            return True
    return False
