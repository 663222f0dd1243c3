"""Rows by selectors: CSS in the page's one tree, XPath in lxml's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from processing.article.site_rules import selector_errors
from processing.article.tree.parse import Node
from processing.article.tree.visible import spaced_text
from processing.datasets.page_view import PageView
from processing.datasets.row_matches import RowElements, found_once, page_selector
from runtime.patterns import UrlPattern
from schemas.config.crawl import SiteRules
from schemas.datasets.dataset import Dataset
from schemas.datasets.field_types import Kind
from schemas.datasets.sources import Selector, Source

ADDRESS_ATTRIBUTES = frozenset({"href", "src", "action", "poster", "data-src"})
SILENT_TAGS = frozenset(
    {"script", "style", "title", "noscript", "template", "button", "textarea"}
)  # their text counts where it is asked for
MAX_MATCHES = 20_000  # of one selector on a page: more than rows and values are taken, so that too many are seen
MAX_XPATHS = 1_000  # expressions that are kept compiled
FEW_ROWS = 3  # a query for each is as quick as one for the page
RawRow = dict[str, Any]  # Any: text, or a list of texts
Matches = Sequence[Any]  # Any: nodes of either tree; XPath finds texts and numbers too


class SelectorReader:
    """Reads the rows of a page by a dataset's selectors; made once, used for many pages."""

    def __init__(self, dataset: Dataset) -> None:
        assert dataset.source is not None
        self._each = dataset.source.each
        self._fields = [
            (name, selector, dataset.fields[name].field_type.kind is Kind.LIST, _pattern(selector))
            for name, selector in (dataset.source.selectors or {}).items()
        ]
        self._none: list[None] = [None] * len(self._fields)
        css = self._each.css if self._each is not None else None
        self._page_selectors = [page_selector(css, one.css) if css and one.css else None for _, one, _, _ in self._fields]

    def rows(self, view: PageView) -> Iterator[RawRow]:
        """The rows of a page in the order in which they stand there: one, or one for each element of `each`."""
        if self._each is None:
            if (row := self._row(view, None, self._none)) is not None:
                yield row
            return
        elements = _elements(view, self._each, None)
        columns = self._columns(view, elements)
        for number, element in enumerate(elements):
            if (row := self._row(view, element, [None if one is None else one[number] for one in columns])) is not None:
                yield row

    def _columns(self, view: PageView, elements: Sequence[Any]) -> Sequence[list[list[Node]] | None]:
        """By field the matches of each row; None for a field that each row has to be asked for."""
        if len(elements) <= FEW_ROWS:
            return self._none
        rows = RowElements(elements)
        return [None if one is None else rows.matches(view.tree, one) for one in self._page_selectors]

    def _row(self, view: PageView, element: Any, found: Sequence[Matches | None]) -> RawRow | None:
        """One row; None where no selector finds anything, as on a page of another kind or in a table's head."""
        row: RawRow = {}
        is_found = False
        for (name, selector, is_list, pattern), known in zip(self._fields, found, strict=True):
            matches = _matches(view, selector, element) if known is None else known
            if is_list:
                value: str | list[str] | None = [text for one in matches[:MAX_MATCHES] if (text := _value(view, selector, one, pattern))]
            else:
                value = _first(view, selector, matches, pattern)
            is_found = is_found or bool(value)
            row[name] = value or selector.default
        return row if is_found else None


def count_matches(view: PageView, dataset: Dataset) -> dict[str, int]:
    """How many elements of a page `each` finds, and the selector of each field, there inside of these elements."""
    source = dataset.source
    assert source is not None
    elements = [None] if source.each is None else _elements(view, source.each, None)
    selectors = (source.selectors or {}).items()
    found = {name: sum(len(_matches(view, selector, element)) for element in elements) for name, selector in selectors}
    return found if source.each is None else {"each": len(elements), **found}


def selector_mistakes(source: Source) -> Iterator[tuple[tuple[str, ...], str]]:
    """The invalid selectors of a source: the keys that lead to each in the YAML, and what is wrong with it."""
    located = [(("each",), source.each)] if source.each is not None else []
    for place, selector in [*located, *((("selectors", name), one) for name, one in (source.selectors or {}).items())]:
        if selector.css is not None and (problem := _css_problem(selector.css)):
            yield (*place, "css"), problem
        elif selector.xpath is not None and (problem := _xpath_problem(selector.xpath)):
            yield (*place, "xpath"), problem


def _first(view: PageView, selector: Selector, matches: Matches, pattern: UrlPattern | None) -> str | None:
    """The value of the first match that has one."""
    for match in matches:
        if text := _value(view, selector, match, pattern):
            return text
    return None


def _value(view: PageView, selector: Selector, match: Any, pattern: UrlPattern | None) -> str | None:
    text = _text(view, match, selector.attr)
    return pattern.find(text) if text and pattern is not None else text


def _matches(view: PageView, selector: Selector, element: Any) -> list[Any]:
    if selector.css is None and selector.xpath is None:
        return [view.tree.root if element is None else element]
    return _elements(view, selector, element)


def _elements(view: PageView, selector: Selector, element: Any) -> list[Any]:
    """What a selector finds in the page, or in the element of a row."""
    if selector.css is not None:
        found = view.tree.css(selector.css) if element is None else _inside(element, selector.css)
        return found_once(found, selector.css)[:MAX_MATCHES]
    assert selector.xpath is not None
    matches = _compiled(selector.xpath)(view.xpath_tree if element is None else element)
    return matches[:MAX_MATCHES] if isinstance(matches, list) else [matches]


@lru_cache(maxsize=MAX_XPATHS)
def _compiled(xpath: str) -> Any:  # Any: lxml has no types
    from lxml import etree

    return etree.XPath(xpath)


def _inside(element: Node, css: str) -> list[Node]:
    """What a selector finds inside an element, without the element itself."""
    return [node for node in element.css(css) if node.mem_id != element.mem_id]


def _text(view: PageView, match: Any, attribute: str | None) -> str | None:
    """The text of a node of either tree, or its attribute; of XPath also texts and numbers."""
    if isinstance(match, Node):
        if attribute is not None:
            return _attribute(view, attribute, match.attributes.get(attribute))
        return " ".join(match.text().split()) if match.tag in SILENT_TAGS else spaced_text(match)
    if isinstance(match, (str, bool, float)):
        return " ".join(str(match).split())
    if attribute is not None:
        return _attribute(view, attribute, match.get(attribute))
    return " ".join(_lxml_text(match).split())


def _attribute(view: PageView, name: str, value: str | None) -> str | None:
    if not value or not value.strip():
        return None
    return view.absolute(value) if name in ADDRESS_ATTRIBUTES else value.strip()


def _lxml_text(element: Any) -> str:
    if element.tag in SILENT_TAGS:
        return element.text or ""
    # the text behind an element that is not seen is seen
    return "".join(element.xpath(".//text()[not(parent::script or parent::style or parent::noscript or parent::template)]"))


def _pattern(selector: Selector) -> UrlPattern | None:
    return UrlPattern(selector.regex) if selector.regex else None


def _css_problem(selector: str) -> str | None:
    return next((problem for _, problem in selector_errors(SiteRules(body=selector))), None)


def _xpath_problem(expression: str) -> str | None:
    from lxml import etree

    try:
        etree.XPath(expression)
    except (etree.XPathError, ValueError) as error:
        return f"{expression!r} is not XPath: {error}"
    return None
