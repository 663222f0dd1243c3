"""Where a page's fields stand, place by place in the order in which extraction asks, each by the words that find it in the HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from processing.article.metadata.jsonld import JsonLd, texts
from processing.article.metadata.markup import Markup, meta_place
from processing.article.metadata.titles import folded


class Found(NamedTuple):
    """What a place says: `og:title`, and the text there."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Metas:
    """`<meta>` elements by their names, the surest first."""

    names: tuple[str, ...]

    def first(self, markup: Markup, json_ld: JsonLd) -> Found | None:
        """What the first of them says, folded; its text is empty where it holds nothing but entities for blanks."""
        return next(self.each(markup, json_ld), None)

    def each(self, markup: Markup, json_ld: JsonLd) -> Iterator[Found]:
        """What each of them says, folded."""
        meta = markup.meta
        return (Found(meta_place(name), folded(text)) for name in self.names if name in meta for text in meta[name])

    def values(self, markup: Markup, json_ld: JsonLd) -> list[str]:
        """All that they say, as it was written."""
        return markup.all(*self.names)

    def place(self, markup: Markup) -> str:
        """Those of them that the page has."""
        return " and ".join(meta_place(name) for name in self.names if name in markup.meta)


@dataclass(frozen=True, slots=True)
class InJsonLd:
    """A part of the page's JSON-LD: the word to look for, and how it is read."""

    name: str
    read: Callable[[JsonLd], Any]  # Any: a page's JSON can be anything

    def first(self, markup: Markup, json_ld: JsonLd) -> Found | None:
        """The first of its texts."""
        return next(self.each(markup, json_ld), None)

    def each(self, markup: Markup, json_ld: JsonLd) -> Iterator[Found]:
        """Each of its texts, folded."""
        return (Found(self.place(markup), text) for text in self.values(markup, json_ld))

    def values(self, markup: Markup, json_ld: JsonLd) -> list[str]:
        """All of its texts, folded."""
        return texts(self.read(json_ld))

    def place(self, markup: Markup) -> str:
        """Its name, as a person would search for it."""
        return f"json-ld {self.name}"


Place = Metas | InJsonLd


def of_article(key: str) -> InJsonLd:
    """A key of the article in the page's JSON-LD."""
    return InJsonLd(key, lambda json_ld: (json_ld.article or {}).get(key))


def first_said(places: tuple[Place, ...], markup: Markup, json_ld: JsonLd) -> str | None:
    """The text of the first place whose first text is not empty."""
    for place in places:
        if (found := place.first(markup, json_ld)) is not None and found.text:
            return found.text
    return None
