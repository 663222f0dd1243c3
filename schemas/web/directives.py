"""Robots directives: what a page asks of crawlers, in its robots meta elements and in X-Robots-Tag headers.

This is the only reader, for `spiders` (links and archiving) and for `processing` (publishing). Both give the headers to
`header_directives` and the meta elements to `meta_directives`; `meta_elements` picks these from a parsed page.

The words are those that search engines document. Here `noindex` means that the page is not published, `nofollow` that its links are not
followed, `noarchive` (or `nocache`) that it is not stored. After the date of `unavailable_after` it is neither stored nor published.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

UNAVAILABLE = "unavailable_after"
WORDS = frozenset(
    {"all", "none", "index", "noindex", "follow", "nofollow", "archive", "noarchive", "nocache", "nosnippet", "noimageindex", "notranslate"}
)
KEYED = frozenset({UNAVAILABLE, "max-snippet", "max-image-preview", "max-video-preview"})
HEADER = b"x-robots-tag"
HEADER_LENGTH = len(HEADER)
AGENT = re.compile(r"\s*([^\s:,]+)\s*:\s*([^\s:,]+)")
EVERYONE = frozenset({"robots", "*"})
MAX_DEPTH = 50  # around a meta element, in which a noscript is looked for; those of real pages are at most five deep
MAX_META_ELEMENTS = 1_000  # of a page; chosen far above real pages


class Element(Protocol):
    """Any element of a parsed page, as selectolax has it."""

    @property
    def parent(self) -> Element | None:
        """The element that has this one."""
        ...

    @property
    def tag(self) -> str | None:
        """Its name in lower case."""
        ...


class MetaElement(Protocol):
    """An element of a parsed page, as selectolax has it."""

    @property
    def attributes(self) -> Mapping[str, str | None]:
        """The attributes, decoded; None is an attribute without a value."""
        ...

    @property
    def parent(self) -> Element | None:
        """The element that has this one."""
        ...


class Document(Protocol):
    """A parsed page, as selectolax has it."""

    def css(self, query: str, /) -> Sequence[MetaElement]:
        """The elements that a CSS selector finds, in the order of the page."""
        ...


@dataclass(frozen=True, slots=True)
class Directives:
    """The words asked for, and the date after which the page is unavailable (aware, UTC)."""

    words: frozenset[str] = frozenset()
    unavailable_after: datetime | None = None

    def combined(self, other: Directives) -> Directives:
        """Both together: the stricter one counts."""
        dates = [moment for moment in (self.unavailable_after, other.unavailable_after) if moment is not None]
        return Directives(self.words | other.words, min(dates) if dates else None)

    def is_expired(self, now: datetime) -> bool:
        """Whether the date of `unavailable_after` has passed."""
        return self.unavailable_after is not None and now >= self.unavailable_after

    def forbids_indexing(self, now: datetime) -> bool:
        """Whether the page is not to be published."""
        return not self.words.isdisjoint({"noindex", "none"}) or self.is_expired(now)

    def forbids_following(self) -> bool:
        """Whether the page's links are not to be followed."""
        return not self.words.isdisjoint({"nofollow", "none"})

    def forbids_archiving(self, now: datetime) -> bool:
        """Whether the page is not to be kept."""
        return not self.words.isdisjoint({"noarchive", "nocache"}) or self.is_expired(now)


SEPARATOR = re.compile("[,;]")  # a semicolon is a mistake, but what is meant is clear
BLANKS = re.compile(r"[\s/|]+")  # between words, as a mistake too
AROUND = " \t\r\n\u00a0\"'."
NO_DIRECTIVES = Directives()


def read_directives(text: str) -> Directives:
    """The directives of one list, such as a meta element's content: `noarchive, unavailable_after: 25 Jun 2010 15:00:00 GMT`."""
    words: set[str] = set()
    date: datetime | None = None
    tokens = [token.strip(AROUND).lower() for token in SEPARATOR.split(text)]
    for index, token in enumerate(tokens):
        name, colon, value = token.partition(":")
        parts = BLANKS.split(token)
        if colon and name.strip() == UNAVAILABLE:
            date = _parse_date(value, tokens[index + 1] if index + 1 < len(tokens) else "")
        elif WORDS.issuperset(parts):
            words.update(parts)
        elif token:
            words.add(token)
    return Directives(frozenset(words), date)


def header_directives(headers: Iterable[tuple[bytes, bytes]], product: str) -> Directives:
    """The directives in X-Robots-Tag headers for all crawlers and for the one with this product token.

    `headers` are all headers of a response, as pairs of name and value.
    """
    directives = NO_DIRECTIVES
    for name, value in headers:
        if len(name) != HEADER_LENGTH or name.lower() != HEADER:  # the length first: this runs for every header of every response
            continue
        for agent, text in _by_agent(value.decode("latin-1")):
            if agent in EVERYONE or agent == product.lower():
                directives = directives.combined(read_directives(text))
    return directives


def meta_elements(page: Document) -> list[tuple[str, str]]:
    """The name and the content of each meta element of a page, also outside of its head.

    Those in `noscript` are left out: they are for readers without scripts, such as `noindex` behind a wall of scripts.
    """
    found = page.css("meta[name][content]")[:MAX_META_ELEMENTS]
    attributes = (element.attributes for element in found if not is_in_noscript(element.parent))
    pairs = ((one["name"], one["content"]) for one in attributes)
    return [(name, content) for name, content in pairs if name and content]


def is_in_noscript(element: Element | None) -> bool:
    """Whether an element is a `noscript` or in one."""
    for _ in range(MAX_DEPTH):
        if element is None or (tag := element.tag) == "head":  # around it is only the root
            return False
        if tag == "noscript":
            return True
        element = element.parent
    return False


def meta_directives(elements: Iterable[tuple[str, str]], product: str) -> Directives:
    """The directives in meta elements, as pairs of name and content, for all crawlers and for the one with this product token."""
    names = {"robots", product.lower()}
    found = NO_DIRECTIVES
    for name, content in elements:
        if name.lower() in names or not names.isdisjoint(one.strip() for one in name.lower().split(",")):
            found = found.combined(read_directives(content))
    return found


def _by_agent(value: str) -> list[tuple[str, str]]:
    """The parts of a header, each with the crawler it is for. A name counts until the next name."""
    parts: list[tuple[str, list[str]]] = [("*", [])]
    for token in SEPARATOR.split(value):
        match = AGENT.match(token)
        rest = token
        if match and match[1].lower() not in KEYED and match[2].lower() in WORDS | KEYED:
            parts.append((match[1].lower().partition("/")[0], []))  # without a version
            rest = token.partition(":")[2]
        parts[-1][1].append(rest)
    return [(agent, ",".join(tokens)) for agent, tokens in parts if tokens]


def _parse_date(text: str, following: str) -> datetime | None:
    """A date in UTC, in any form. `following` is what comes after a comma in it. A date without a zone is UTC."""
    from schemas.web.list_dates import read_date  # few pages have one, and the names of months take memory

    for written in (f"{text}, {following}", text):
        moment = read_date(written)
        if moment is not None:
            return moment.astimezone(UTC)
    return None
