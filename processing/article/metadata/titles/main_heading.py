"""The main heading that is the title, and which part of it: without kickers, dates and the site's name."""

from __future__ import annotations

import re

from processing.article.metadata.markup import Markup
from processing.article.metadata.surroundings import ancestors, node_names
from processing.article.metadata.titles.letters import letters_of
from processing.article.metadata.titles.placeholders import is_placeholder
from processing.article.metadata.titles.site_names import SEPARATING, is_home, separator_in, without_site
from processing.article.tree.entities import folded
from processing.article.tree.headings import MAX_HEADING_NODES, heading_text, without_kicker
from processing.article.tree.parse import Node
from processing.article.tree.visible import text_parts

MAX_HEADINGS = 30
MAX_HEADING_CHARACTERS = 1000
MAX_HEADING_PARTS = 20  # texts of a heading's inline elements that are compared with the declared titles
MAX_SITE_WORDS = 4  # behind a heading of one word with which a declared title begins
MIN_BEGINNING_WORDS = 3  # of a heading with which a longer title begins
_BETWEEN = re.compile(r"\s*[:|–—-]\s+")  # a kicker and a heading
_BEHIND_HEADING = re.compile(r"\s*[|:/<>»›·•–—-]\s")
_LEADING_SIGNS = " :|–—-"
_GOES_ON = frozenset(",([")
_QUOTES = frozenset("\"'“”„«»‘’")
_LOGO = re.compile(r"\bsite[-_]?(?:name|logo|brand|title)|\bblog[-_]?name|\blogo\b|navbar-brand", re.IGNORECASE)
_APART = re.compile(r"cookie|consent|newsletter|modal|pop-?up|overlay|sidebar|dialog", re.IGNORECASE)
_APART_TAGS = frozenset(("aside", "nav", "footer", "dialog"))
_WORD = re.compile(r"\w+")
ALIKE = 0.45  # of the words of a heading and of a declared title, for the two to be the same title


def headings_and_logos(markup: Markup, url: str) -> tuple[dict[str, Node], list[str]]:
    """The main headings by their texts, and the texts of those that are only a link to the home page: they name the site."""
    headed: dict[str, Node] = {}
    logos: list[str] = []
    on_home = is_home(url)
    for node in markup.headings[:MAX_HEADINGS]:
        if not (text := heading_text(node)[:MAX_HEADING_CHARACTERS]):
            continue
        if not on_home and (_leads_home(node, text) or _LOGO.search(node_names(node))):
            logos.append(text)
        else:
            headed[text] = node
    if len(headed) > 1:
        headed = dict(sorted(headed.items(), key=lambda item: _is_apart(item[1])))
    return headed, logos


def _is_apart(node: Node) -> bool:
    """Whether a heading stands beside the content, such as in a sidebar or a dialog."""
    return any(around.tag in _APART_TAGS or _APART.search(node_names(around)) is not None for around in ancestors(node))


def _leads_home(heading: Node, text: str) -> bool:
    """Whether the whole text of a heading is a link to the site's home page."""
    link = heading.css_first("a[href]")
    return link is not None and is_home(link.attributes.get("href") or "") and folded(link.text()) in {text, ""}


def best_heading(headings: list[str], declared: list[str]) -> str | None:
    """The heading with which a declared title begins; otherwise the one that shares most words with it, if these are about half of them."""
    if not headings:
        return None
    wanted = [set(_WORD.findall(title.casefold())) for title in declared]
    best, best_score = None, 0.0
    for heading in sorted(headings, key=is_placeholder):
        words = set(_WORD.findall(heading.casefold()))
        score = max((_overlap(words, other) for other in wanted), default=0.0)
        if score > best_score:
            best, best_score = heading, score
    if best_score < 1:
        beginnings = _beginnings(headings, declared)
        most_alike = best if best_score >= ALIKE else None
        best = next((heading for heading in headings if letters_of(heading) in beginnings), most_alike)
    return best


def _beginnings(headings: list[str], declared: list[str]) -> set[str]:
    """What declared titles begin with, letters only: their first parts, and headings before a separator."""
    divided = [parts for title in declared if len(parts := separator_in(title).split(title)) > 1]
    found = {letters_of(parts[0]) for parts in divided if " " in parts[0] or sum(len(part.split()) for part in parts[1:]) <= MAX_SITE_WORDS}
    long = [heading for heading in headings if len(heading.split()) >= MIN_BEGINNING_WORDS]
    return found.union(letters_of(heading) for heading in long if any(_begins_with(title, heading) for title in declared))


def _begins_with(title: str, heading: str) -> bool:
    """Whether a title is a heading with more behind a separator, such as the path `Title / Section / Home`."""
    return title.casefold().startswith(heading.casefold()) and _BEHIND_HEADING.match(title, len(heading)) is not None


def _overlap(one: set[str], other: set[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def own_part(heading: str, node: Node, stripped: dict[str, str], site: frozenset[str]) -> str:
    """The part of a heading that is a declared title: without a kicker or date in an element of its own, and without the site's name.

    `stripped` are the declared titles, each with what is left of it without the site's name.
    """
    declared = list(stripped.values())
    wanted = {letters_of(title) for title in declared if len(title.split()) > 1}
    texts = text_parts(node, MAX_HEADING_NODES)[:MAX_HEADING_PARTS]
    if letters_of(heading) in wanted:
        rest = " ".join(texts[1:]).lstrip(_LEADING_SIGNS)
        if letters_of(rest) in wanted and len(rest.split()) >= MIN_BEGINNING_WORDS:
            return rest  # one declared title has the kicker, another one has not
        return _behind_hidden_separator(node, heading) or _without_set_apart(texts, declared) or heading
    if any(letters_of(title) == letters_of(heading) and _is_apart_from_site(title, own) for title, own in stripped.items()):
        return heading  # readers see what looks like a site's name
    last = separator_in(heading).split(heading)[-1]
    parts = [without_site(heading, site), last, *(" ".join(texts[start:]).lstrip(_LEADING_SIGNS) for start in range(1, len(texts)))]
    parts += (" ".join(texts[:end]) for end in range(len(texts) - 1, 0, -1))
    own = next((part for part in parts if letters_of(part) in wanted), None)
    return own or without_kicker(node) or heading


def _is_apart_from_site(title: str, own: str) -> bool:
    """Whether what looks like a site's name stands before the title, or behind it where sentences go on: `Good night, Berlin`."""
    return title.endswith(own) or (title.startswith(own) and title[len(own) :].lstrip()[:1] in _GOES_ON)


def _behind_hidden_separator(node: Node, heading: str) -> str | None:
    """What stands behind a separator that is hidden from screen readers, as between a kicker and the heading below it."""
    for child in node.css("[aria-hidden=true]"):
        sign = child.text(strip=True)
        if len(sign) == 1 and SEPARATING.match(sign):
            _, separator, rest = heading.partition(f" {sign} ")
            return rest if separator and " " in rest else None
    return None


def _without_set_apart(texts: list[str], declared: list[str]) -> str | None:
    """The heading without its first text, if only the declared title writes a separator between the two: the first is a kicker."""
    if len(texts) < 2 or not texts[0][-1:].isalnum() or (not texts[1][0].isalnum() and texts[1][0] not in _QUOTES):
        return None
    rest = " ".join(texts[1:])
    for title in declared:
        kicker, separator, behind = title.partition(separated[0]) if (separated := _BETWEEN.search(title, len(texts[0]))) else ("", "", "")
        if (
            separator
            and letters_of(kicker) == letters_of(texts[0])
            and letters_of(behind)
            and letters_of(rest).startswith(letters_of(behind))
        ):
            return rest
    return None
