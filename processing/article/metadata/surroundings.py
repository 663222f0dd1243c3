"""Whether an element belongs to boilerplate around the article: navigation, related stories, comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from processing.article.tree.parse import Node, tag_number, tag_numbers

MAX_ANCESTORS = 25
MAX_NAME_CHARACTERS = 400
# A teaser has a link with another page's title: at most so many ancestors above its date, and with at least so many words.
TEASER_ANCESTORS = 4
TEASER_WORDS = 4
_TAGS = tag_numbers(("nav", "aside", "footer", "form", "select", "noscript"))
_FOOTER = tag_number("footer")
_META = re.compile(r"(?:^|[\s_-])meta(?:$|[\s_-](?!nav|menu))")  # of an article's footer with the date and the author
_OUTERMOST = tag_numbers(("body", "html", "main"))
_CONTAINERS = tag_numbers(("body", "article", "main"))
_ARTICLE_INSIDE = "h1, .post-body, .entry-content, [itemprop=articleBody]"
# Parts of names in lower case. To look for each takes a fifth of the time that a pattern of all takes.
_LISTS = """
related recommend recirc comment popular trending morestories more-stories morenews more-news moreposts more-posts morefrom more-from
alsolike also-like readnext read-next latest carousel slider teaser listing postlist post-list articlelist article-list
"""
_PARTS = """
sidebar respond footer mostread most-read nextup next-up newsletter menu promo archivelist archive-list cardgrid card-grid
"""
_LISTS_OF_PAGES = (*_LISTS.split(), "morearticles", "more-articles")
_BOILERPLATE = (*_LISTS.split(), *_PARTS.split())
# Words that are boilerplate only where they stand apart.
_APART = ("widget", "nav", "card")
# What the words around a date say of it, in parts of words, too.
_CHANGES = """
updat modif revis edited actualis actualiz aktualis aktualiz atualiz aggiornat обновл оновл geändert änderung bearbeitet bijgewerkt
gewijzigd pdater uppfær päivit güncel 更新 수정
"""
_CHANGED = (*_CHANGES.split(), "mis à jour", "cập nhật")
_CHANGE = re.compile("|".join(("u?pp?dater", *_CHANGED)), re.IGNORECASE)
_PUBLISHED = ("publi", "postdate", "post-date", "poston", "post-on", "postedon", "posted-on", "created", "byline", "date", "datum", "fecha")
_EVENTS = ("today", "current", "expir", "event", "deadline", "birth", "valid", "until", "copyright", "©", "join", "since")
_EVENT = re.compile(
    r"\btodays?-?date|current-?date|expir|event|deadline|birth|valid|until|copyright|©|join(?:ed)?\b|since\b", re.IGNORECASE
)
_WORDS_APART = re.compile(r"(?<!elementor-)widget|(?:^|[\s_-])(?:nav|(?<!h-)cards?)(?:$|[\s_-])")


def in_list_of_pages(node: Node) -> bool:
    """Whether the node is in a list of other pages, a teaser or comments: its dates and names are not the page's."""
    current: Node | None = node
    for step in range(MAX_ANCESTORS):
        if current is None or current.tag_id in _OUTERMOST:
            return False
        if current.tag == "nav" or _is_named_list(node_names(current)):
            return current.css_first("h1") is None
        if step < TEASER_ANCESTORS and (link := current.css_first("a")) is not None and len(link.text().split()) >= TEASER_WORDS:
            return current.css_first("h1") is None
        current = current.parent
    return False


def in_boilerplate(node: Node) -> bool:
    """Whether the node or one of its ancestors below `<body>` is boilerplate by tag or class."""
    current: Node | None = node
    for _ in range(MAX_ANCESTORS):
        if current is None or (number := current.tag_id) in _OUTERMOST:
            return False
        by_tag = number in _TAGS and (number != _FOOTER or _META.search(node_names(current)) is None)
        if by_tag or _is_named_boilerplate(node_names(current)):
            # the article's own wrapper may have a boilerplate name
            return current.css_first(_ARTICLE_INSIDE) is None
        current = current.parent
    return False


def ancestors(node: Node) -> Iterator[Node]:
    """The elements around a node, up to the content's."""
    parent = node.parent
    for _ in range(MAX_ANCESTORS):
        if parent is None or parent.tag_id in _CONTAINERS:
            return
        yield parent
        parent = parent.parent


def with_ancestors(node: Node) -> Iterator[Node]:
    """A node and the elements around it, up to the body."""
    current: Node | None = node
    for _ in range(MAX_ANCESTORS):
        if current is None or current.tag_id in _OUTERMOST:
            return
        yield current
        current = current.parent


def are_close(one: Node, other: Node) -> bool:
    """Whether two nodes share a parent or a grandparent."""
    first, second = one.parent, other.parent
    if first is None or second is None:
        return False
    above, beside = first.parent, second.parent
    return first == second or (above is not None and beside is not None and above == beside)


def node_names(node: Node) -> str:
    """The class and id of a node; of absurdly long ones the beginning."""
    attributes = node.attributes
    if not attributes:
        return " "
    return f"{(attributes.get('class') or '')[:MAX_NAME_CHARACTERS]} {(attributes.get('id') or '')[:MAX_NAME_CHARACTERS]}"


def surrounding_names(node: Node) -> str:
    """The names of the node and of its parent."""
    parent = node.parent
    around = [node_names(node), node.attributes.get("itemprop") or ""]
    if parent is not None and parent.tag_id not in _CONTAINERS:
        around.append(node_names(parent))
    return " ".join(around)


def is_of_change(words: str) -> bool:
    """Whether the words around a date say that it is that of a change."""
    return _has_any(words.lower(), _CHANGED)


def change_in(text: str) -> int | None:
    """Where a text begins to speak of a change."""
    found = _CHANGE.search(text) if is_of_change(text) else None
    return found.start() if found else None


def is_of_publishing(words: str) -> bool:
    """Whether the words around a date say that it is that of publishing."""
    return _has_any(words.lower(), _PUBLISHED)


def is_of_event(words: str) -> bool:
    """Whether the words around a date say that it is that of an event, of today, of a person, of a copyright."""
    return _has_any(words.lower(), _EVENTS) and _EVENT.search(words) is not None


@lru_cache(maxsize=8192)  # a page repeats its classes
def _is_named_list(names: str) -> bool:
    return len(names) > 1 and _has_any(names.lower(), _LISTS_OF_PAGES)


@lru_cache(maxsize=8192)
def _is_named_boilerplate(names: str) -> bool:
    if len(names) <= 1:  # the space between class and id
        return False
    lower = names.lower()
    return _has_any(lower, _BOILERPLATE) or (_has_any(lower, _APART) and _WORDS_APART.search(lower) is not None)


def _has_any(text: str, parts: tuple[str, ...]) -> bool:
    return any(map(text.__contains__, parts))
