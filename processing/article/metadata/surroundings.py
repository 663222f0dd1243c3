"""Whether an element belongs to boilerplate around the article: navigation, related stories, comments."""

from __future__ import annotations

import re
from functools import lru_cache

from processing.article.tree.parse import Node

MAX_ANCESTORS = 25
MAX_NAME_CHARACTERS = 400
# A teaser has a link with another page's title: at most so many ancestors above its date, and with at least so many words.
TEASER_ANCESTORS = 4
TEASER_WORDS = 4
_TAGS = frozenset({"nav", "aside", "footer", "form", "select", "noscript"})
_ARTICLE_INSIDE = "h1, .post-body, .entry-content, [itemprop=articleBody]"
_WORDS = re.compile(
    r"related|recommend|recirc|sidebar|comment|respond|footer|(?<!elementor-)widget|popular|trending|most-?read|more-?(?:stories|news|posts|from)"
    r"|also-?like|read-?next|next-?up|latest|carousel|slider|newsletter|(?:^|[\s_-])nav(?:$|[\s_-])|menu|promo|teaser|listing|archive-?list"
    r"|post-?list|article-?list|card-?grid|(?:^|[\s_-])cards?(?:$|[\s_-])",
    re.IGNORECASE,
)
_LISTS_OF_PAGES = re.compile(
    r"related|recommend|recirc|comment|popular|trending|more-?(?:stories|news|posts|from|articles)|also-?like|read-?next|latest|carousel|slider|teaser"
    r"|listing|post-?list|article-?list",
    re.IGNORECASE,
)


def in_list_of_pages(node: Node) -> bool:
    """Whether the node is in a list of other pages, a teaser or comments: its dates and names are not the page's."""
    current: Node | None = node
    for step in range(MAX_ANCESTORS):
        if current is None or current.tag in {"body", "html", "main"}:
            return False
        if current.tag == "nav" or _LISTS_OF_PAGES.search(node_names(current)):
            return current.css_first("h1") is None
        if step < TEASER_ANCESTORS and (link := current.css_first("a")) is not None and len(link.text().split()) >= TEASER_WORDS:
            return current.css_first("h1") is None
        current = current.parent
    return False


def in_boilerplate(node: Node) -> bool:
    """Whether the node or one of its ancestors below `<body>` is boilerplate by tag or class."""
    current: Node | None = node
    for _ in range(MAX_ANCESTORS):
        if current is None or current.tag in {"body", "html", "main"}:
            return False
        if _is_boilerplate(current):
            # the article's own wrapper may have a boilerplate name
            return current.css_first(_ARTICLE_INSIDE) is None
        current = current.parent
    return False


def _is_boilerplate(node: Node) -> bool:
    if node.tag in _TAGS:
        return True
    return _is_named_boilerplate(node_names(node))


def node_names(node: Node) -> str:
    """The class and id of a node; of absurdly long ones the beginning."""
    attributes = node.attributes
    return f"{(attributes.get('class') or '')[:MAX_NAME_CHARACTERS]} {(attributes.get('id') or '')[:MAX_NAME_CHARACTERS]}"


@lru_cache(maxsize=8192)  # a page repeats its classes
def _is_named_boilerplate(words: str) -> bool:
    return len(words) > 1 and _WORDS.search(words) is not None
