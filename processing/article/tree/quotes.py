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
    text, before = node.text(strip=True), node.prev
    written = (before.text_content or "").rstrip()[-1:] if before is not None and before.tag == "-text" else ""
    if depth >= MAX_NESTED or not text or text[0] in _SIGNS or (written in _SIGNS and bool(written)):
        return "", ""
    return _MARKS[depth % 2]
