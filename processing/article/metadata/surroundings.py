"""Whether a place of a page belongs to what surrounds the article: navigation, related stories, comments."""

from __future__ import annotations

import re
from functools import lru_cache

from processing.article.tree.parse import Node

MAX_ANCESTORS = 25
MAX_NAME_CHARACTERS = 400
# A teaser links to another page with its title, this near to its date.
TEASER_ANCESTORS = 4
TEASER_WORDS = 4
_TAGS = frozenset({"nav", "aside", "footer", "form", "select", "noscript"})
_WORDS = re.compile(
    r"related|recommend|recirc|sidebar|comment|respond|footer|widget|popular|trending|most-?read|more-?(?:stories|news|posts|from)"
    r"|also-?like|read-?next|next-?up|latest|carousel|slider|newsletter|(?:^|[\s_-])nav(?:$|[\s_-])|menu|promo|teaser|listing|archive-?list"
    r"|post-?list|article-?list|card-?grid|(?:^|[\s_-])cards?(?:$|[\s_-])",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"related|recommend|recirc|comment|popular|trending|more-?(?:stories|news|posts|from|articles)|also-?like|read-?next|latest|carousel|slider|teaser"
    r"|listing|post-?list|article-?list",
    re.IGNORECASE,
)


def among_others(node: Node) -> bool:
    """Whether the node stands in a list of other pages, a teaser or comments: the furniture that may never speak for the page."""
    current: Node | None = node
    for step in range(MAX_ANCESTORS):
        if current is None or current.tag in {"body", "html", "main"}:
            return False
        if current.tag == "nav" or _OTHERS.search(names_of(current)):
            return current.css_first("h1") is None
        if step < TEASER_ANCESTORS and (link := current.css_first("a")) is not None and len(link.text().split()) >= TEASER_WORDS:
            return current.css_first("h1") is None
        current = current.parent
    return False


def in_furniture(node: Node) -> bool:
    """Whether the node or one of its ancestors below `<body>` is furniture by tag or class."""
    current: Node | None = node
    for _ in range(MAX_ANCESTORS):
        if current is None or current.tag in {"body", "html", "main"}:
            return False
        if _is_furniture(current):
            # a bad name on the wrapper of the article itself means nothing
            return current.css_first("h1") is None
        current = current.parent
    return False


def _is_furniture(node: Node) -> bool:
    if node.tag in _TAGS:
        return True
    return _names_furniture(names_of(node))


def names_of(node: Node) -> str:
    """The class and id of a node; of absurdly long ones the beginning."""
    attributes = node.attributes
    return f"{(attributes.get('class') or '')[:MAX_NAME_CHARACTERS]} {(attributes.get('id') or '')[:MAX_NAME_CHARACTERS]}"


@lru_cache(maxsize=8192)  # a page repeats its classes
def _names_furniture(words: str) -> bool:
    return len(words) > 1 and _WORDS.search(words) is not None
