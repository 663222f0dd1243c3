"""Quotation marks of `<q>`: browsers write them, the page does not."""

from __future__ import annotations

from processing.article.tree.parse import Node

MAX_NESTED = 3
ANCESTORS = 8
_MARKS = (("“", "”"), ("‘", "’"))
_SIGNS = frozenset("\"'“”„‚‘’«»‹›「」『』")


def quotation_marks(node: Node) -> tuple[str, str]:
    """The marks around a `<q>`; two empty texts where the page writes its own, or where it nests too deeply to tell."""
    depth, around = 0, node.parent
    for _ in range(ANCESTORS):
        if around is None:
            break
        depth += around.tag == "q"
        around = around.parent
    if depth >= MAX_NESTED or not _is_bare(node):
        return "", ""
    return _MARKS[depth % 2]


def _is_bare(node: Node) -> bool:
    """Whether a `<q>` has text, and no quotation mark is written at its beginning or before it."""
    before, first = node.prev, node.first_child
    written = (before.text_content or "").rstrip()[-1:] if before is not None and before.tag == "-text" else ""
    for _ in range(ANCESTORS):
        if first is None or first.tag == "-text":
            break
        first = first.first_child
    text = (first.text_content or "").lstrip() if first is not None and first.tag == "-text" else ""
    return bool(text) and text[0] not in _SIGNS and (not written or written not in _SIGNS)
