"""Titles below the main headings: in lower headings and in elements that are named titles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from processing.article.metadata.markup import Markup
from processing.article.metadata.surroundings import MAX_ANCESTORS, ancestors, in_boilerplate, node_names, with_ancestors
from processing.article.metadata.titles.letters import letters_of
from processing.article.metadata.titles.site_names import is_site, separator_in
from processing.article.tree.entities import folded
from processing.article.tree.headings import MAX_HEADING_NODES, heading_text
from processing.article.tree.parse import Node
from processing.article.tree.visible import text_parts

MAX_HEADINGS = 30
MAX_TEXT = 400
_FOR_SEARCH = re.compile(r"breadcrumb|seo-?_?(?:title|headline|heading)", re.IGNORECASE)  # of a heading that is not the one above the text
_NEWS = re.compile(r"(?:^|[\s_-])(?:news|article|item|post|blog)[-_]?(?:single|detail|page|entry|view)|tx-(?:tt)?news", re.IGNORECASE)
_LOWER_TAGS = frozenset(("h2", "h3", "h4"))
_SHOWN_SOURCES = ("og:title", "json-ld headline")
_HEADER = re.compile(r"header|banner|masthead|branding|logo|menu", re.IGNORECASE)


def shown_instead(markup: Markup, nodes: dict[str, Node], declared: dict[str, str], stripped: dict[str, str]) -> tuple[str, str] | None:
    """The source and text of a lower heading that is a declared title, where the main heading is in a breadcrumb or for search engines."""
    if not any(map(_is_for_search, nodes.values())):
        return None
    lower = {
        letters: node.tag
        for node in reversed(markup.subheadings[:MAX_HEADINGS])
        for letters in map(letters_of, (heading_text(node), *text_parts(node, MAX_HEADING_NODES)[-1:]))
    }
    for title in (stripped[declared[source]] for source in _SHOWN_SOURCES if source in declared):
        if " " in title and (tag := lower.get(letters_of(title))) is not None:
            return f"<{tag}>", title
    return None


def _is_for_search(heading: Node) -> bool:
    around = heading.parent
    attributes = [heading.attributes, around.attributes if around is not None else {}]
    return any(_FOR_SEARCH.search(f"{key} {value}") for names in attributes for key, value in names.items())


def part_with_heading(markup: Markup, declared: list[str], site: frozenset[str]) -> tuple[str, str] | None:
    """The source and text of a lower heading that is a declared title, or one of its parts, as in `Site - Section - Title`."""
    whole = {letters_of(title): len(title.split()) for title in declared if " " in title}
    parts = [letters_of(part) for title in declared if len(found := separator_in(title).split(title)) > 1 for part in found if " " in part]
    tails = [letters_of(tail) for title in declared if " " in (tail := title.partition(": ")[2])]
    if not whole and not parts:
        return None
    lower = _lower_headings(markup)
    for node in markup.titled[:MAX_HEADINGS]:
        lower.setdefault(letters_of(heading_text(node)), node)
    for node in (lower[letters] for wanted in (whole, parts, tails) for letters in lower if letters in wanted):
        text = heading_text(node)
        if not is_site(text, site) and whole.get(letters_of(text), words := len(text.split())) == words:  # no sign before it
            return f"<{node.tag}>", text
    return None


def _lower_headings(markup: Markup) -> dict[str, Node]:
    """The first headings below the main ones, by their letters, in document order."""
    headings: dict[str, Node] = {}
    for node in markup.subheadings[:MAX_HEADINGS]:
        headings.setdefault(letters_of(heading_text(node)), node)
    return headings


def beside_site_heading(markup: Markup, nodes: dict[str, Node], declared: list[str]) -> tuple[str, str] | None:
    """The source and text of a lower heading that is one part of a declared title, where the main heading is the other one.

    Then the main heading names the blog or the book: it stands before a colon, or last and outside of the content.
    """
    main = {letters_of(text): node for text, node in nodes.items()}
    for title in declared if main else ():
        for heading, rest, is_last in _divided(title, main):
            node = _lower_headings(markup).get(letters_of(rest))
            if node is not None and (is_last is None or (_in_content(node) and (is_last or _in_header(heading)))):
                return f"<{node.tag}>", heading_text(node)
    return None


def _divided(title: str, main: dict[str, Node]) -> Iterator[tuple[Node, str, bool | None]]:
    """The main heading that is a part of a title, the rest, and whether the part is the last one; None before a colon."""
    first, colon, rest = title.partition(": ")
    if colon and " " in rest and (heading := main.get(letters_of(first))) is not None:
        yield heading, rest, None
    parts = separator_in(title).split(title)
    for part, other, is_last in ((parts[-1], title[: -len(parts[-1])], True), (parts[0], title[len(parts[0]) :], False)):
        heading = main.get(letters_of(part)) if len(parts) > 1 else None
        if heading is not None and not _in_content(heading):
            yield heading, other, is_last


def _in_header(node: Node) -> bool:
    return any(around.tag == "header" or _HEADER.search(node_names(around)) is not None for around in ancestors(node))


def _in_content(node: Node) -> bool:
    around = node.parent
    for _ in range(MAX_ANCESTORS):
        if around is None:
            return False
        if around.tag in {"main", "article"}:
            return True
        around = around.parent
    return False


def headed_in_content(markup: Markup, site: frozenset[str], url: str) -> tuple[str, str] | None:
    """The source and text of the only lower heading that is a title by its names or its place, where the main one names a section."""
    titled = [node for node in markup.titled[:MAX_HEADINGS] if node.tag in _LOWER_TAGS]
    return declared_headline(markup, site, url) or _only(titled, site, url) or _only(list(_first_in_articles(markup)), site, url)


def declared_headline(markup: Markup, site: frozenset[str], url: str) -> tuple[str, str] | None:
    """The source and text of the lower heading that microdata declares as the headline, if there is only one."""
    return _only([node for node in markup.properties.get("headline", ())[:MAX_HEADINGS] if node.tag in _LOWER_TAGS], site, url)


def _only(nodes: list[Node], site: frozenset[str], url: str) -> tuple[str, str] | None:
    """The source and text of a heading, if there is only one outside boilerplate, and it is no link to another page."""
    found = {text: node for node in nodes if not in_boilerplate(node) and not is_site(text := heading_text(node), site)}
    text, node = next(iter(found.items()), ("", None))
    if node is None or len(found) > 1 or not 0 < len(text) < MAX_TEXT or _leads_elsewhere(node, url):
        return None
    return f"<{node.tag}>", text


def _leads_elsewhere(heading: Node, url: str) -> bool:
    """Whether a link in a heading, or directly around it, leads to another page: it is that of a teaser."""
    around = heading.parent
    link = around if around is not None and around.tag == "a" else heading.css_first("a[href]")
    target = link.attributes.get("href") or "" if link is not None else ""
    path, own = (address.partition("#")[0].partition("?")[0].rstrip("/") for address in (target, url))
    return bool(path) and not own.endswith(path.partition("://")[2] or path)


def _first_in_articles(markup: Markup) -> Iterator[Node]:
    """The first heading of each element that holds an article or a piece of news, but not the main heading."""
    known: set[int] = set()
    for node in markup.subheadings[:MAX_HEADINGS]:
        holder = next((around for around in with_ancestors(node) if around.tag == "article" or _NEWS.search(node_names(around))), None)
        if holder is not None and holder.mem_id not in known and holder.css_first("h1") is None:
            known.add(holder.mem_id)
            yield node


def undeclared(markup: Markup, site: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What is named a title, otherwise the first lower heading outside boilerplate: for pages that declare only their site's name."""
    for node in (*markup.properties.get("headline", ())[:MAX_HEADINGS], *markup.titled[:MAX_HEADINGS], *markup.subheadings[:MAX_HEADINGS]):
        text = folded(node.attributes.get("content") or "") or heading_text(node)
        if " " in text and len(text) < MAX_TEXT and not is_site(text, site) and not in_boilerplate(node):
            yield f"<{node.tag}>", text
