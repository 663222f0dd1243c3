"""The markup that carries metadata, in document order: most is collected in one pass, bylines and dates only when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from processing.article.tree.parse import Node, Tree, tag_number, tag_numbers
from processing.article.tree.visible import texts_after, visible_text

# One selector list costs one traversal. Selectors on parts of attribute values cost another one, so they run only when needed.
_DECLARATIONS = 'meta, title, link[rel~=canonical i], script[type*="ld+json" i], h1, time, [itemprop]'
_AUTHOR_PATHS = ("author", "contributor", "profile/", "people/", "writers/", "staff/", "by/")
_AUTHOR_LINKS = ", ".join(
    ["[rel~=author]", *(f'[href*="/{word}" i]' for word in _AUTHOR_PATHS)]  # without the tag: to compare its name costs more than all else
)
_AUTHORS = ", ".join(
    [
        "[rel~=author]",
        *(f"[class*={word} i]" for word in ("author", "byline", "contributor")),
        *(f"[id*={word} i]" for word in ("author", "byline")),
        *(f'[data-testid*="{word}" i]' for word in ("author", "byline")),
    ]
)
_TITLED = ", ".join(
    [
        *(f"[class~={kind}-title i]" for kind in ("entry", "post", "article", "news", "page", "topic", "story")),
        *(f"[class~={name} i]" for name in ("headline", "contentheading", "p-name", "article_title", "post_title", "itemtitle")),
        "[itemprop=headline]",
    ]
)
_DATES = ", ".join(
    [
        "time",
        *(f"[class*={word} i]" for word in ("date", "time", "publish", "posted", "meta", "byline", "datum", "fecha")),
        *(f"[id*={word} i]" for word in ("date", "byline")),
    ]
)
_ON_THE_RIGHT = '[align=right i], [style*="text-align:right" i], [style*="text-align: right" i]'
_META_NAMES = frozenset(("property", "name", "itemprop", "http-equiv"))  # the attributes that name what a `<meta>` declares
_INLINE = frozenset(("a", "abbr", "b", "cite", "em", "font", "i", "nobr", "small", "span", "strong", "u"))
_SIGNED = frozenset(("p", "div", "address", "em", "strong", "span", "h5", "h6"))
# By number: to read the name of a tag takes five times as long.
_META, _ADDED = tag_number("meta"), tag_numbers(("link", "title", "script", "h1", "time"))
MAX_LABELLED = 120  # characters
MAX_ALONE = 50  # characters of a date that stands alone
MAX_SCOPE_ANCESTORS = 20
_OTHER_WORKS = re.compile(r"(?:ImageObject|VideoObject|Comment|UserComments|UserReview|Rating)$", re.IGNORECASE)
_OTHER_RDFA_WORKS = re.compile(r"(?:ImageObject|VideoObject|Comment|Review|Rating|Book|Movie|Product)$", re.IGNORECASE)
_WORKS_OF_OTHERS = frozenset(("citation", "comment", "review", "reviews", "image", "video", "mentions", "isbasedon", "isrelatedto"))
MAX_NODES = 4000
NEAR_TEXTS = 40
MAX_SUBHEADINGS = 100
_AUTHOR_PATH = re.compile(r"/(?:authors?|contributors?|profile|people|writers|staff|by)/[^/?#]", re.IGNORECASE)


class Markup:
    """`meta` maps lower-case names and properties to their contents; `headings`, `times`, `properties` and the bylines are nodes."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._texts_after: dict[int, tuple[list[tuple[str, Node]], Iterator[tuple[str, Node]]]] = {}
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

    def texts_after(self, heading: Node) -> Iterator[tuple[str, Node]]:
        """The first NEAR_TEXTS texts behind a heading, each with its element. Only those that are asked for are read, each once."""
        known = self._texts_after.get(heading.mem_id)
        if known is None:
            known = self._texts_after[heading.mem_id] = ([], islice(texts_after(heading), NEAR_TEXTS))
        read, rest = known
        for place in range(NEAR_TEXTS):
            if place == len(read):
                if (more := next(rest, None)) is None:
                    return
                read.append(more)
            yield read[place]

    @cached_property
    def subheadings(self) -> list[Node]:
        """The headings below the main ones, in document order."""
        return self._in_body("h2, h3, h4")[:MAX_SUBHEADINGS]

    @cached_property
    def titled(self) -> list[Node]:
        """The elements that are the title by their names, in document order."""
        return self._in_body(_TITLED)[:MAX_SUBHEADINGS]

    @cached_property
    def authors(self) -> list[Node]:
        """The elements with `author`, `byline` or `contributor` in their names."""
        return [node for node in self._in_body(_AUTHORS) if _is_named(node, ("author", "byline", "contributor"))]

    @cached_property
    def author_links(self) -> list[Node]:
        """The links to authors' pages."""
        return [node for node in self._in_body(_AUTHOR_LINKS) if node.tag == "a" and _is_author_link(node.attributes)]

    @cached_property
    def on_the_right(self) -> list[Node]:
        """The elements that are aligned to the right."""
        return [node for node in self._in_body(_ON_THE_RIGHT) if node.tag in _SIGNED]

    @cached_property
    def all_texts(self) -> str:
        """The texts between the body's tags, with a null character between two; without those that are only white space."""
        body = self._tree.body
        return body.text(separator="\0", skip_empty=True) if body is not None else ""

    @cached_property
    def numbered_texts(self) -> frozenset[str]:
        """The short texts in `all_texts` that have a digit, as every date has one."""
        short = {text for text in map(str.strip, self.all_texts.split("\0")) if 8 <= len(text) <= MAX_ALONE}
        return frozenset(text for text in short if any(map(str.isdigit, text)))

    def short_texts(self, sign: re.Pattern[str]) -> Iterator[str]:
        """The short texts in `all_texts` in which a sign begins; it starts with the null character before the text."""
        texts = self.all_texts
        for match in sign.finditer(texts):
            end = texts.find("\0", match.start() + 1)
            text = texts[match.start() + 1 : end if end >= 0 else None].strip()
            if len(text) <= MAX_LABELLED:
                yield text

    def labelled(self, label: re.Pattern[str]) -> Iterator[tuple[str, Node]]:
        """The short texts that begin with a label, each with its element; the whole line where a text is only the label.

        If there are any, it visits every text, which takes ten times as long as `short_texts`.
        """
        short = {text for text in map(str.strip, self.all_texts.split("\0")) if len(text) <= MAX_LABELLED}
        ends = {text: match.end() for text in short if (match := label.match(text)) is not None}
        body = self._tree.body
        for node in body.traverse(include_text=True, skip_empty=True) if body is not None and ends else ():
            if not node.is_text_node or (text := (node.text_content or "").strip()) not in ends or (around := node.parent) is None:
                continue
            line = _line_of(around)
            yield (visible_text(line, MAX_LABELLED), line) if ends[text] >= len(text) - 1 else (text, around)

    @cached_property
    def rdfa(self) -> dict[str, list[Node]]:
        """The elements with RDFa properties of the page, by the properties' names in lower case, without their vocabulary."""
        found: dict[str, list[Node]] = {}
        of_others: dict[int, bool] = {}
        for node in self._in_body("[property]"):
            if node.tag_id != _META and not _is_of_other(node, of_others) and not _in_figure(node):
                for name in (node.attributes.get("property") or "").lower().split():
                    found.setdefault(name.rpartition(":")[2].rpartition("/")[2], []).append(node)
        return found

    @cached_property
    def dates(self) -> list[Node]:
        """The elements with a word for dates in their names."""
        return self._in_body(_DATES)

    def _in_body(self, selectors: str) -> list[Node]:
        body = self._tree.body
        return (self._tree.css(selectors) if body is None else body.css(selectors))[:MAX_NODES]


def read_markup(tree: Tree) -> Markup:
    """Collect the markup of a page; at most the first MAX_NODES elements."""
    markup = Markup(tree)
    of_others: dict[int, bool] = {}  # by an element's number: whether what stands in it belongs to another work
    for node in tree.css(_DECLARATIONS)[:MAX_NODES]:
        attributes = node.attributes
        name = attributes.get("itemprop")
        is_own = "itemprop" not in attributes or not _is_of_other(node, of_others)
        number = node.tag_id
        if number == _META:
            if is_own:
                _add_meta(markup, attributes)
        elif number in _ADDED:
            _add_element(markup, node, attributes)
        if name and is_own:
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
    for key, name in attributes.items():
        if name and key in _META_NAMES:
            markup.meta.setdefault(name.strip().lower(), []).append(content)


def _is_of_other(node: Node, known: dict[int, bool]) -> bool:
    """Whether a property of microdata or RDFa belongs to another work than the page: a picture, a comment, what the page cites.

    `known` has the answers for the elements around the properties before it.
    """
    around = node.parent
    if around is None:
        return False
    found = known.get(around.mem_id)
    if found is None:
        found = known[around.mem_id] = _is_other_work(around)
    return found


def _is_other_work(around: Node | None) -> bool:
    for _ in range(MAX_SCOPE_ANCESTORS):
        if around is None or around.tag in {"body", "head", "html"}:
            return False
        attributes = around.attributes
        if "itemscope" in attributes:
            own = (attributes.get("itemprop") or "").lower()
            if own in _WORKS_OF_OTHERS or _OTHER_WORKS.search(attributes.get("itemtype") or ""):
                return True
        if _OTHER_RDFA_WORKS.search(attributes.get("typeof") or ""):
            return True
        around = around.parent
    return False


def _in_figure(node: Node) -> bool:
    around = node.parent
    for _ in range(MAX_SCOPE_ANCESTORS):
        if around is None or around.tag == "figure":
            break
        around = around.parent
    return around is not None and around.tag == "figure"


def _in_head(node: Node) -> bool:
    """Whether a `<title>` is the page's and not an SVG's."""
    parent = node.parent
    return parent is not None and parent.tag in {"head", "html", "body"}


def _line_of(node: Node) -> Node:
    """The nearest element around that is not inline, or the node itself; of many nested inline elements one of them."""
    for _ in range(MAX_SCOPE_ANCESTORS):
        if node.tag not in _INLINE or (parent := node.parent) is None:
            break
        node = parent
    return node


def _is_named(node: Node, words: tuple[str, ...]) -> bool:
    attributes = node.attributes
    names = " ".join(attributes.get(key) or "" for key in ("class", "id", "data-testid", "rel")).lower()
    return any(word in names for word in words)


def _is_author_link(attributes: dict[str, str | None]) -> bool:
    return "author" in (attributes.get("rel") or "") or _AUTHOR_PATH.search(attributes.get("href") or "") is not None
