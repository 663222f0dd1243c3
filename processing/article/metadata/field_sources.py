"""Sources of metadata fields: `<meta>` elements and JSON-LD keys, each with the name by which it is found in the HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from processing.article.metadata.jsonld import JsonLd, texts
from processing.article.metadata.markup import Markup, meta_source
from processing.article.tree.entities import folded


class SourcedText(NamedTuple):
    """A text and the name of its source, such as `og:title`."""

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class MetaElements:
    """`<meta>` elements by their names, the most reliable first."""

    names: tuple[str, ...]

    def first(self, markup: Markup, json_ld: JsonLd) -> SourcedText | None:
        """The first text, folded. It is empty where the element holds only entities for white space."""
        return next(self.each(markup, json_ld), None)

    def each(self, markup: Markup, json_ld: JsonLd) -> Iterator[SourcedText]:
        """All their texts, folded, with the name of each."""
        meta = markup.meta
        return (SourcedText(meta_source(name), folded(text)) for name in self.names if name in meta for text in meta[name])

    def values(self, markup: Markup, json_ld: JsonLd) -> list[str]:
        """All their texts, as written."""
        return markup.all(*self.names)

    def source(self, markup: Markup) -> str:
        """The names of those that the page has."""
        return " and ".join(meta_source(name) for name in self.names if name in markup.meta)


@dataclass(frozen=True, slots=True)
class JsonLdValue:
    """A value in the page's JSON-LD: its key, and the function that reads it."""

    name: str
    read: Callable[[JsonLd], Any]  # Any: a page's JSON can be anything

    def first(self, markup: Markup, json_ld: JsonLd) -> SourcedText | None:
        """The first of its texts."""
        return next(self.each(markup, json_ld), None)

    def each(self, markup: Markup, json_ld: JsonLd) -> Iterator[SourcedText]:
        """Each of its texts, folded."""
        return (SourcedText(self.source(markup), text) for text in self.values(markup, json_ld))

    def values(self, markup: Markup, json_ld: JsonLd) -> list[str]:
        """All of its texts, folded."""
        return texts(self.read(json_ld))

    def source(self, markup: Markup) -> str:
        """Its name: `json-ld` and the key."""
        return f"json-ld {self.name}"


FieldSource = MetaElements | JsonLdValue


def of_article(key: str) -> JsonLdValue:
    """A key of the article in the page's JSON-LD."""
    return JsonLdValue(key, lambda json_ld: (json_ld.article or {}).get(key))


def first_value(sources: tuple[FieldSource, ...], markup: Markup, json_ld: JsonLd) -> str | None:
    """The text of the first source whose first text is not empty."""
    for source in sources:
        if (found := source.first(markup, json_ld)) is not None and found.text:
            return found.text
    return None
