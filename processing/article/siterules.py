"""A site's own selectors, from the crawl's YAML: what to cut out first, where the body is, and fields that beat the page's metadata."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from selectolax.lexbor import SelectolaxError

from processing.article.authors import names_in
from processing.article.dates import read_date
from processing.article.metadata import Metadata
from processing.article.parse import Node, Tree
from processing.article.visible import visible_text
from schemas.crawl import SiteRules
from schemas.errors import ConfigError


def remove(tree: Tree, rules: SiteRules) -> None:
    """Cut what the rules remove out of the tree."""
    for selector in rules.remove:
        for node in _select(tree, selector):
            node.decompose()


def body(tree: Tree, rules: SiteRules) -> Node | None:
    """The element that the rules name as the body, if the page has it."""
    return next(iter(_select(tree, rules.body)), None) if rules.body else None


def amend(metadata: Metadata, tree: Tree, rules: SiteRules) -> Metadata:
    """The metadata with the fields that the rules' selectors find."""
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
    try:
        return tree.css(selector)
    except SelectolaxError as error:
        raise ConfigError(f"The site rule {selector!r} is not a CSS selector. Correct it in the crawl's YAML.") from error
