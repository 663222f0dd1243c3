"""The text of a main heading: without kickers, marks of notes and what only screen readers say."""

from __future__ import annotations

import re
from itertools import pairwise
from unicodedata import category

from processing.article.tree.characters import folded_text
from processing.article.tree.inline import inline_text
from processing.article.tree.parse import Node
from processing.article.tree.raised import is_raised_number, is_simple
from processing.article.tree.short import beginning, short_texts
from processing.article.tree.visible import text_parts, visible_text

_KICKER = re.compile(
    r"kicker|overline|over-?title|eyebrow|top-?line|dachzeile|spitzmarke|roof-?line|supra-?title|sur-?titre?|ante-?titulo|pre-?title"
    r"|vignette|catchline|flag-?line|ressort|rubri[ck]|sub-?(?:title|headline|heading)|untertitel|unterzeile|sous-?titre|sub-?t[ií]tulo",
    re.IGNORECASE,
)
PERMALINK_SIGNS = frozenset(
    ("¶", "#", "§", "🔗", "⚓", "⚓︎", "∞", "↩", "↩︎", "\uf0c1")
)  # of a link to the heading that it stands in, or back to the mark of a note
MAX_SIGN = 3
MAX_NOTE_MARK = 100  # characters
MAX_PARTS = 20
MAX_HEADING_NODES = 1000  # of an element with more, or with more characters, the beginning is read
MIN_PART = 3  # characters: shorter ones are the beginning of a word, as in McDonald
_MELTED = re.compile(r"[^\W\d_A-Z][A-ZÄÖÜ]")
_ASIDE_TAGS = frozenset(("span", "small", "div", "p", "em", "strong", "a", "b", "i"))


def heading_text(node: Node) -> str:
    """The heading without marks of notes and what only screen readers say; with its button if it has nothing else."""
    if (child := node.first_child) is not None and child.next is None and child.tag == "-text":
        return folded_text(child.text_content or "")  # the common case
    text = _parted(folded_text(inline_text(node, skip=_is_mark, most=MAX_HEADING_NODES)), node)
    return text or visible_text(node, MAX_HEADING_NODES) or folded_text(beginning(node, MAX_HEADING_NODES))


def _parted(text: str, node: Node) -> str:
    """The text with a space where an element begins with a capital behind a small letter: most likely a line of its own."""
    if _MELTED.search(text):
        for before, behind in pairwise(text_parts(node, MAX_HEADING_NODES)[:MAX_PARTS]):
            if len(before) > MIN_PART and before[-1].islower() and behind[0].isupper():
                text = text.replace(before + behind, f"{before} {behind}", 1)
    return text


def without_kicker(node: Node) -> str:
    """The heading without a kicker above it or a subtitle below it; empty if it has none."""
    if not any(map(_is_kicker, node.css("[class]"))):
        return ""
    return folded_text(inline_text(node, skip=lambda child: _is_kicker(child) or _is_mark(child), most=MAX_HEADING_NODES)).lstrip(" :|–-")


def _is_mark(node: Node) -> bool:
    if node.tag == "a":
        return "".join(map(str.strip, short_texts(node, MAX_SIGN) or ())) in PERMALINK_SIGNS
    if node.attributes.get("aria-hidden") == "true":  # a drawn sign, such as a triangle
        return is_simple(node) and all(category(sign) == "So" for sign in node.text(strip=True))
    return node.tag == "sup" and is_raised_number("".join(map(str.strip, short_texts(node, MAX_NOTE_MARK) or ())))


def _is_kicker(node: Node) -> bool:
    return node.tag in _ASIDE_TAGS and _KICKER.search(node.attributes.get("class") or "") is not None
