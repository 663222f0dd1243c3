"""Site rules: the CSS selectors of a crawl's YAML that remove elements, name the body and override metadata fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING

from selectolax.lexbor import SelectolaxError

from processing.article.dates.dates import read_date
from processing.article.metadata.metadata import Metadata
from processing.article.metadata.people.names import names_in
from processing.article.tree.parse import Node, Tree, parse
from processing.article.tree.visible import visible_text

if TYPE_CHECKING:
    from schemas.config.crawl import SiteRules

_FIELDS = ("body", "title", "authors", "published_at", "description")
_NOT_CSS = (  # what users take for CSS, and the hint they get
    ("/", "this is XPath"),
    ("::", "pseudo-elements select no element: the text or `content` of what matches is taken anyway"),
    (":contains(", ":contains() is jQuery's"),
    (":eq(", ":eq() is jQuery's, see :nth-child()"),
    (":first", "in CSS it is :first-child"),
    (":last", "in CSS it is :last-child"),
)


def selector_errors(rules: SiteRules) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Each selector that cannot work: its place in the rules, such as `("remove", 0)`, and what is wrong with it."""
    for name in _FIELDS:
        selector = getattr(rules, name)
        if selector is not None and (problem := _problem(selector)):
            yield (name,), problem
    for place, selector in enumerate(rules.remove):
        if problem := _problem(selector):
            yield ("remove", place), problem
        elif any(node.tag in {"html", "body"} for node in _select(parse(""), selector)):
            yield ("remove", place), f"{selector!r} cuts out the whole page"


def remove_elements(tree: Tree, rules: SiteRules) -> None:
    """Remove from the tree the elements that the rules name under `remove`."""
    for selector in rules.remove:
        for node in _select(tree, selector):
            if node.tag != "html":  # the engine keeps the root
                node.decompose()


def body_element(tree: Tree, rules: SiteRules) -> Node | None:
    """The element that the rules name as the body, if the page has it."""
    return next(iter(_select(tree, rules.body)), None) if rules.body else None


def override_metadata(metadata: Metadata, tree: Tree, rules: SiteRules) -> Metadata:
    """The metadata, with the fields replaced that the rules' selectors find."""
    changes: dict[str, object] = {}
    for name, selector in (("title", rules.title), ("description", rules.description)):
        if text := _first_text(tree, selector):
            changes[name] = text
    if rules.authors:
        names = [name for node in _select(tree, rules.authors) for name in names_in(visible_text(node), whole=False)]
        if names:
            changes["authors"] = tuple(dict.fromkeys(names))
    return replace(_dated(metadata, tree, rules), **changes)  # type: ignore[arg-type]  # each name with its own type


def _dated(metadata: Metadata, tree: Tree, rules: SiteRules) -> Metadata:
    for node in _select(tree, rules.published_at) if rules.published_at else ():
        found = read_date(node.attributes.get("datetime") or node.attributes.get("content") or visible_text(node))
        if found:
            moment, zone = found
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return replace(metadata, published_at=moment, published_at_source="text", published_zone=zone)
    return metadata


def _first_text(tree: Tree, selector: str | None) -> str | None:
    found = (visible_text(node) or node.attributes.get("content") for node in (_select(tree, selector) if selector else ()))
    return next((text for text in found if text), None)


def _select(tree: Tree, selector: str) -> list[Node]:
    """The elements that match a selector; none for a selector with an error (`selector_errors` reported it when the crawl was read)."""
    try:
        return tree.css(selector)
    except (SelectolaxError, UnicodeEncodeError):
        return []


def _problem(selector: str) -> str | None:
    try:
        parse("").css(selector)
    except (SelectolaxError, UnicodeEncodeError):
        if not selector.strip():
            return "an empty selector finds nothing; leave the rule out"
        hint = next((f": {why}" for sign, why in _NOT_CSS if sign in selector), "")
        return f"{selector!r} is not a CSS selector{hint}"
    return None
