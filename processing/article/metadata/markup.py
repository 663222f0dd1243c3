"""The markup that carries metadata, in document order: most is collected in one pass, bylines and dates only when asked for."""

from __future__ import annotations

import re
from functools import cached_property

from processing.article.tree.parse import Node, Tree
from processing.article.tree.visible import texts_after

# One selector list costs one traversal. Selectors on parts of attribute values cost another one, so they run only when needed.
_DECLARATIONS = 'meta, title, link[rel~=canonical i], script[type*="ld+json" i], h1, time, [itemprop]'
_AUTHOR_PATHS = ("author", "contributor", "profile/", "people/", "writers/", "staff/", "by/")
_AUTHORS = ", ".join(
    [
        "[rel~=author]",
        *(f'a[href*="/{word}" i]' for word in _AUTHOR_PATHS),
        *(f"[class*={word} i]" for word in ("author", "byline", "contributor")),
        *(f"[id*={word} i]" for word in ("author", "byline")),
        *(f'[data-testid*="{word}" i]' for word in ("author", "byline")),
    ]
)
_DATES = ", ".join(
    [
        "time",
        *(f"[class*={word} i]" for word in ("date", "time", "publish", "posted", "meta-", "byline", "datum", "fecha")),
        *(f"[id*={word} i]" for word in ("date", "byline")),
    ]
)
MAX_NODES = 4000
NEAR_TEXTS = 40
_AUTHOR_PATH = re.compile(r"/(?:authors?|contributors?|profile|people|writers|staff|by)/[^/?#]", re.IGNORECASE)


class Markup:
    """`meta` maps lower-case names and properties to their contents; `headings`, `times`, `properties` and the bylines are nodes."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._texts_after: dict[int, list[tuple[str, Node]]] = {}
        self.meta: dict[str, list[str]] = {}
        self.canonical: str | None = None
        self.title = ""
        self.json_ld: list[str] = []
        self.headings: list[Node] = []
        self.times: list[Node] = []
        self.properties: dict[str, list[Node]] = {}

    def first(self, *names: str) -> str | None:
        """The first content that is not empty, in the order of the names."""
        meta = self.meta
        return next((meta[name][0] for name in names if name in meta), None)

    def all(self, *names: str) -> list[str]:
        """All contents of the names, in their order."""
        meta = self.meta
        return [value for name in names if name in meta for value in meta[name]]

    def texts_after(self, heading: Node) -> list[tuple[str, Node]]:
        """The first NEAR_TEXTS texts behind a heading, each with its element."""
        found = self._texts_after.get(heading.mem_id)
        if found is None:
            found = self._texts_after[heading.mem_id] = texts_after(heading, NEAR_TEXTS)
        return found

    @cached_property
    def authors(self) -> list[Node]:
        """The elements with `author`, `byline` or `contributor` in their names."""
        return [node for node in self._bylines if _is_named(node, ("author", "byline", "contributor"))]

    @cached_property
    def author_links(self) -> list[Node]:
        """The links to authors' pages."""
        return [node for node in self._bylines if node.tag == "a" and _is_author_link(node.attributes)]

    @cached_property
    def dates(self) -> list[Node]:
        """The elements with a word for dates in their names."""
        return self._in_body(_DATES)

    @cached_property
    def _bylines(self) -> list[Node]:
        return self._in_body(_AUTHORS)

    def _in_body(self, selectors: str) -> list[Node]:
        body = self._tree.body
        return (self._tree.css(selectors) if body is None else body.css(selectors))[:MAX_NODES]


def read_markup(tree: Tree) -> Markup:
    """Collect the markup of a page; at most the first MAX_NODES elements."""
    markup = Markup(tree)
    for node in tree.css(_DECLARATIONS)[:MAX_NODES]:
        attributes = node.attributes
        if node.tag == "meta":
            _add_meta(markup, attributes)
        else:
            _add_element(markup, node, attributes)
        if name := attributes.get("itemprop"):
            for word in name.lower().split():
                markup.properties.setdefault(word, []).append(node)
    return markup


def meta_source(name: str) -> str:
    """The source's name of a `<meta>`: `og:title` is clear by itself, `description` becomes `meta description`."""
    return name if ":" in name else f"meta {name}"


def _add_element(markup: Markup, node: Node, attributes: dict[str, str | None]) -> None:
    match node.tag:
        case "link":
            if markup.canonical is None and "canonical" in (attributes.get("rel") or "").lower().split():
                markup.canonical = attributes.get("href") or ""
        case "title":
            if not markup.title and _in_head(node):
                markup.title = node.text()
        case "script":
            markup.json_ld.append(node.text())
        case "h1":
            markup.headings.append(node)
        case "time":
            markup.times.append(node)


def _add_meta(markup: Markup, attributes: dict[str, str | None]) -> None:
    content = (attributes.get("content") or "").strip()
    if not content:
        return
    for key in ("property", "name", "itemprop", "http-equiv"):
        if name := attributes.get(key):
            markup.meta.setdefault(name.strip().lower(), []).append(content)


def _in_head(node: Node) -> bool:
    """Whether a `<title>` is the page's and not an SVG's."""
    parent = node.parent
    return parent is not None and parent.tag in {"head", "html", "body"}


def _is_named(node: Node, words: tuple[str, ...]) -> bool:
    attributes = node.attributes
    names = " ".join(attributes.get(key) or "" for key in ("class", "id", "data-testid", "rel")).lower()
    return any(word in names for word in words)


def _is_author_link(attributes: dict[str, str | None]) -> bool:
    return "author" in (attributes.get("rel") or "") or _AUTHOR_PATH.search(attributes.get("href") or "") is not None
