"""Read the authors of a page: from the most reliable source that names a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain
from urllib.parse import urlsplit

from processing.article.metadata.jsonld import JsonLd, texts
from processing.article.metadata.markup import Markup
from processing.article.metadata.people import bylines, declared
from processing.article.metadata.people.candidate import Candidate
from processing.article.metadata.people.labels import BY_PREFIX, PREFIX, TAIL
from processing.article.metadata.people.names import MAX_NAME_WORDS, bare_name, is_address, is_day, is_generic
from processing.article.metadata.surroundings import in_boilerplate, node_names
from processing.article.tree.entities import folded
from processing.article.tree.visible import visible_text

MAX_AUTHORS = 20
MAX_LINE = 200  # characters
MAX_INITIALS = 3  # letters: so much behind a newsroom's name names nobody
_NO_NAME = re.compile(r"(?!the\s)[a-zäöü]")  # the next words are prose
_LOGIN = re.compile(r"[^\sA-Z]*[a-z\d][._\d][^\sA-Z]*")  # `jane_doe`, `jane.doe`, `jdoe42`: a name for machines
_NAMED = re.compile(
    r"(?:author|byline)[-_]*(?:full)?name\b|(?<![\w-])(?:(?:post|article|entry|blog|story|news)-)?author(?![\w-])", re.IGNORECASE
)  # of an element that is only the name
_PARTED = re.compile(r"\s?(?:[|•·(\[@]|\bhttps?:).*$", re.DOTALL)  # what follows the name of a desk or an organization
_SHORTENED = re.compile(r"\.[^\W\d_]{1,2}\.$")  # e.V.
_LETTER = re.compile(r"[^\W\d_]")
_MAIL = re.compile(r"[^\s@]@[\w-]+\.\w")


def read_authors(markup: Markup, json_ld: JsonLd, site_name: str | None = None) -> tuple[str, ...]:
    """The authors, from the most reliable source that names a person, without the site's name beside others."""
    names = next((names for _, names in authors(markup, json_ld, site_name)), ())
    site = bare_name(site_name or "")
    others = tuple(name for name in names if bare_name(name) != site)
    if any(len(bare_name(name)) > MAX_INITIALS for name in others):
        return others
    return tuple(name for name in names if name not in others) or others


def authors(markup: Markup, json_ld: JsonLd, site_name: str | None = None) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The sources with their names of persons, the most reliable first; then those that name only the site or a login; then desks."""
    publishers = _publishers(json_ld, site_name)
    weak: list[tuple[str, tuple[str, ...]]] = []
    for read in _READERS:
        named = [(candidate.source, found) for candidate in read(markup, json_ld) if (found := candidate.names())]
        names = list(dict.fromkeys(name for _, found in named for name in found))
        if names:
            sourced = " and ".join(dict.fromkeys(source for source, _ in named)), tuple(_distinct(names))[:MAX_AUTHORS]
            others = [name for name in names if not _LOGIN.fullmatch(name) and not _is_publisher(name, publishers)]
            if len(others) < len(names) and all(len(bare_name(name)) <= MAX_INITIALS for name in others):
                weak.append(sourced)
            else:
                yield sourced
    yield from weak
    yield from _desks_and_organizations(markup, json_ld)


def site_of(site_name: str | None, url: str) -> str | None:
    """The site's declared name, otherwise the main label of its host, such as `valley-post`."""
    labels = (urlsplit(url).hostname or "").split(".")
    return site_name or next((label for label in reversed(labels[:-1]) if len(label) > MAX_INITIALS), None)


def _publishers(json_ld: JsonLd, site_name: str | None) -> set[str]:
    """The names of the site and of its publisher, letters only."""
    named = texts(json_ld.resolve((json_ld.article or {}).get("publisher")))
    return {bare for name in (site_name or "", *named) if len(bare := bare_name(name)) > 1}


def _is_publisher(name: str, publishers: set[str]) -> bool:
    """Whether a name is the site's, perhaps with an ending such as `.com` more or less."""
    bare = bare_name(name)
    return any(
        bare == publisher or (len(bare) > 3 and (publisher.startswith(bare) or bare.startswith(publisher))) for publisher in publishers
    )


def _desks_and_organizations(markup: Markup, json_ld: JsonLd) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Named desks and organisations, for pages that name no person. A general word such as "Staff" is no name."""
    named = [("json-ld author", text) for text in texts(json_ld.resolve((json_ld.article or {}).get("author")))]
    named += [(candidate.source, candidate.text) for candidate in declared.from_metas(markup, json_ld)]
    lines = [
        (node, line) for node in markup.authors[:20] if not in_boilerplate(node) and len(line := visible_text(node, MAX_LINE)) <= MAX_LINE
    ]
    signed = (
        (bylines.byline_source(node), line) for node, line in lines if (by := PREFIX.match(line)) and _NO_NAME.match(line, by.end()) is None
    )
    alone = ((bylines.byline_source(node), line) for node, line in lines if _NAMED.search(node_names(node)) and line[:1].isupper())
    found = [(source, text, _PARTED.sub("", folded(text))) for source, text in named]
    for source, text, own in chain(
        found, ((source, text, TAIL.sub("", PREFIX.sub("", folded(text)))) for source, text in chain(signed, alone))
    ):
        name = (_without_label(own) if source == "json-ld author" else PREFIX.sub("", own)).strip(" ,:-–—").lstrip(".")
        name = name if _SHORTENED.search(name) else name.rstrip(".")
        words = [re.sub(r"\W", "", word).casefold() for word in name.split()]
        if (
            0 < len(words) <= MAX_NAME_WORDS
            and _LETTER.search(name)
            and not _MAIL.search(text)
            and not is_address(name)
            and not is_generic(words)
            and not is_day(name)
        ):
            yield source, (name,)


def _without_label(name: str) -> str:
    """The name of an organization without a label before it: `dpa` of `Text: dpa` and of `by dpa`, but `Von Roll` is whole."""
    label = PREFIX.match(name)
    if label is not None and (":" in label[0] or name[label.end() :][:1].islower()):
        return name[label.end() :]
    return BY_PREFIX.sub("", name)


def _distinct(names: list[str]) -> list[str]:
    """Without names that differ from an earlier one only in case or dots."""
    seen: dict[str, str] = {}
    for name in names:
        seen.setdefault(re.sub(r"\W+", "", name).casefold(), name)
    return list(seen.values())


_READERS: tuple[Callable[[Markup, JsonLd], list[Candidate]], ...] = (
    declared.from_json_ld, declared.from_metas, declared.from_properties, bylines.from_heading, bylines.from_links, bylines.from_bylines,
    bylines.from_signatures, bylines.from_boxes,
)  # fmt: skip
