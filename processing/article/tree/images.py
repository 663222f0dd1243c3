"""The text of small images in a line: formulas and emoji, which have it in `alt`."""

from __future__ import annotations

import re

from processing.article.tree.characters import folded_text
from processing.article.tree.formulas import image_formula
from processing.article.tree.parse import Node

MAX_EMOJI_CHARACTERS = 20
_EMOJI = re.compile(r"emoji|smil(?:ey|ie)|emoticon", re.IGNORECASE)


def image_text(node: Node, *, is_first: bool = False) -> str:
    """The `alt` of an image that stands for text; empty for other images. `is_first`: nothing is before it, so it is no formula."""
    return emoji_text(node) or ("" if is_first else image_formula(node))


def emoji_text(node: Node) -> str:
    """The sign that an image shows, by the names that blogs and forums give to such images."""
    names = node.attrs.get("class")
    if not names or not _EMOJI.search(names):
        return ""
    alt = folded_text(node.attributes.get("alt") or "")
    return alt if len(alt) <= MAX_EMOJI_CHARACTERS else ""
