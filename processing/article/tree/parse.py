"""The one parse of a page: everything that reads the page reads this tree.

lexbor through selectolax: parses as fast as resiliparse (the same engine, 0.4 ms for a page of 180 kB) and its CSS selectors, typed
nodes and document-order traversal do in C what would else be loops in Python.
"""

from __future__ import annotations

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

Tree = LexborHTMLParser
Node = LexborNode
_OPTIONS = LexborDocumentOptions.WO_EVENTS  # nobody listens: a seventh less time


def parse(html: str) -> Tree:
    """The tree of a page's HTML; null characters become spaces. Never fails on markup, however broken."""
    return LexborHTMLParser(html.replace("\x00", " ") or "<html></html>", options=_OPTIONS)


def tag_number(tag: str) -> int:
    """The engine's own number of a tag (`tag_id` of its nodes): to read and to look up, it is cheaper than the name."""
    tree = LexborHTMLParser("<body>-<!---->")
    if tag.startswith("-") and tree.body is not None:
        return next(node.tag_id for node in tree.body.iter(include_text=True) if node.tag == tag)
    return tree.create_node(tag).tag_id
