"""The places of a page where metadata stands, gathered in one pass over the tree, in document order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from processing.article.parse import Node, Tree

# One selector list costs one traversal, however many parts it has.
_PLACES = ", ".join(
    [
        "meta",
        "title",
        "link[rel]",
        'script[type*="ld+json" i]',
        "h1",
        "time",
        "[itemprop]",
        "[rel~=author]",
        *(f'a[href*="/{word}" i]' for word in ("author", "contributor", "profile/", "people/", "writers/", "staff/", "by/")),
        *(f"[class*={word} i]" for word in ("author", "byline", "date", "time", "publish", "posted", "meta-", "paywall", "contributor")),
        *(f"[id*={word} i]" for word in ("author", "byline", "date")),
        '[data-testid*="author" i]',
        '[data-testid*="byline" i]',
    ]
)
MAX_PLACES = 4000
_AUTHOR_PATH = re.compile(r"/(?:authors?|contributors?|profile|people|writers|staff|by)/[^/?#]", re.IGNORECASE)


@dataclass(slots=True)
class Markup:
    """`meta` maps lower-case names and properties to their contents; the rest are nodes."""

    meta: dict[str, list[str]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    title: str = ""
    json_ld: list[str] = field(default_factory=list)
    headings: list[Node] = field(default_factory=list)
    times: list[Node] = field(default_factory=list)
    properties: dict[str, list[Node]] = field(default_factory=dict)
    authors: list[Node] = field(default_factory=list)
    author_links: list[Node] = field(default_factory=list)
    dates: list[Node] = field(default_factory=list)
    paywalls: list[Node] = field(default_factory=list)

    def first(self, *names: str) -> str | None:
        """The first content that is not empty, in the order of the names."""
        return next((value for name in names for value in self.meta.get(name, ())), None)

    def all(self, *names: str) -> list[str]:
        """All contents of the names, in their order."""
        return [value for name in names for value in self.meta.get(name, ())]


def read_markup(tree: Tree) -> Markup:
    """The metadata's places of one page, at most the first MAX_PLACES."""
    markup = Markup()
    for node in tree.css(_PLACES)[:MAX_PLACES]:
        attributes = node.attributes
        match node.tag:
            case "meta":
                _add_meta(markup, attributes)
            case "link":
                for rel in (attributes.get("rel") or "").lower().split():
                    markup.links.setdefault(rel, attributes.get("href") or "")
            case "title":
                if not markup.title and _in_head(node):
                    markup.title = node.text()
            case "script":
                markup.json_ld.append(node.text())
            case _:
                _add_element(markup, node, attributes)
    return markup


def _add_meta(markup: Markup, attributes: dict[str, str | None]) -> None:
    content = (attributes.get("content") or "").strip()
    if not content:
        return
    for key in ("property", "name", "itemprop", "http-equiv"):
        if name := attributes.get(key):
            markup.meta.setdefault(name.strip().lower(), []).append(content)


def _in_head(node: Node) -> bool:
    """An SVG's `<title>` is not the page's."""
    parent = node.parent
    return parent is not None and parent.tag in {"head", "html", "body"}


def _add_element(markup: Markup, node: Node, attributes: dict[str, str | None]) -> None:
    tag = node.tag
    if tag == "h1":
        markup.headings.append(node)
    elif tag == "time":
        markup.times.append(node)
    for name in (attributes.get("itemprop") or "").lower().split():
        markup.properties.setdefault(name, []).append(node)
    if tag == "a" and ("author" in (attributes.get("rel") or "") or _AUTHOR_PATH.search(attributes.get("href") or "")):
        markup.author_links.append(node)
    words = " ".join(attributes.get(key) or "" for key in ("class", "id", "data-testid", "rel")).lower()
    if "author" in words or "byline" in words or "contributor" in words:
        markup.authors.append(node)
    if "date" in words or "time" in words or "publish" in words or "posted" in words or "byline" in words or "meta" in words:
        markup.dates.append(node)
    if "paywall" in words:
        markup.paywalls.append(node)
