"""Read the title of a page, without the name of its site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple

from processing.article.metadata.jsonld import JsonLd, first_text, types_of
from processing.article.metadata.markup import Markup, meta_source
from processing.article.metadata.titles.letters import letters_of
from processing.article.metadata.titles.lower_heading import (
    beside_site_heading,
    declared_headline,
    headed_in_content,
    part_with_heading,
    shown_instead,
    undeclared,
)
from processing.article.metadata.titles.main_heading import best_heading, headings_and_logos, own_part
from processing.article.metadata.titles.placeholders import is_placeholder
from processing.article.metadata.titles.site_names import is_home, is_site, separator_in, site_names, without_site
from processing.article.tree.entities import folded
from processing.article.tree.headings import without_kicker
from processing.article.tree.parse import Node

MAX_DECLARED = 40  # titles
MAX_DECLARED_CHARACTERS = 1000  # of one, before the site's name goes
MAX_TITLE_CHARACTERS = 400
META_NAMES = ("twitter:title", "parsely-title", "sailthru.title", "dc.title", "dcterms.title", "citation_title", "title")
_ELLIPSES = ("...", "…")
_TAGS = re.compile(r"</?(?:em|i|b|strong|span|su[bp]|br|wbr|small|q|mark)\b[^<>]{0,200}>", re.IGNORECASE)


def read_title(markup: Markup, json_ld: JsonLd, site_name: str | None, url: str) -> str | None:
    """The title from the most reliable source that has one."""
    return next((title for _, title in titles(markup, json_ld, site_name, url)), None)


def titles(markup: Markup, json_ld: JsonLd, site_name: str | None, url: str) -> Iterator[tuple[str, str]]:
    """The sources of the title with their texts, the most reliable first.

    An `<h1>` that agrees with a declared title comes first, because readers see it.
    """
    found = _candidates(markup, json_ld, site_name, url)
    for source, title in chain(_agreed(found, markup, json_ld, url), _declared_alone(found), _headed_alone(found, markup, url)):
        yield source, title[:MAX_TITLE_CHARACTERS]


class _Candidates(NamedTuple):
    """A page's declared titles with their sources, and each without the site's name; its main headings; its logos; its site's names."""

    declared: list[tuple[str, str]]
    stripped: dict[str, str]
    headings: dict[str, Node]
    logos: list[str]
    site: frozenset[str]


def _candidates(markup: Markup, json_ld: JsonLd, site_name: str | None, url: str) -> _Candidates:
    written = ((source, _plain(title)) for source, title in _declared(markup, json_ld) if title)
    declared = [(source, text) for source, text in islice(written, MAX_DECLARED) if text]
    headed, logos = headings_and_logos(markup, url)
    site = site_names(site_name, url, logos)
    leading = not is_home(url)
    stripped = {text: without_site(text, site, leading=leading) for text in dict.fromkeys(text for _, text in declared)}
    return _Candidates(declared, stripped, {text: node for text, node in headed.items() if not is_site(text, site)}, logos, site)


def _agreed(found: _Candidates, markup: Markup, json_ld: JsonLd, url: str) -> Iterator[tuple[str, str]]:
    """The headings that agree with a declared title."""
    titles = list(found.stripped.values())
    if (shown := shown_instead(markup, found.headings, dict(reversed(found.declared)), found.stripped)) is not None:
        yield shown
    if (lower := beside_site_heading(markup, found.headings, list(found.stripped))) is not None:
        yield lower
    if _names_only_section(found, url) and (named := headed_in_content(markup, found.site, url)) is not None:
        yield named
    if (heading := best_heading(list(found.headings), titles)) is not None:
        own = own_part(heading, found.headings[heading], found.stripped, found.site)
        if (full := _with_kicker(own, markup, json_ld, found.site)) is not None:
            yield "og:title and json-ld headline", full
        yield "<h1>", own
    elif (part := part_with_heading(markup, titles, found.site)) is not None:
        yield part


def _names_only_section(found: _Candidates, url: str) -> bool:
    """Whether the main headings are only names of a section, such as `News`, and so are the declared titles but for the site's name.

    The section's own page, `/news/` or `/news.html`, has that name as its title.
    """
    if not found.headings or not all(map(is_placeholder, found.headings)) or is_placeholder(_last_part(url)):
        return False
    sections = set(map(letters_of, found.headings))
    return all(
        is_placeholder(own) or not sections.isdisjoint(map(letters_of, separator_in(title).split(title))) or is_site(own, found.site)
        for title, own in found.stripped.items()
    )


def _last_part(url: str) -> str:
    """The last part of a URL's path, without its ending."""
    return url.partition("?")[0].rstrip("/").rpartition("/")[2].partition(".")[0]


def _declared_alone(found: _Candidates) -> Iterator[tuple[str, str]]:
    """The declared titles that are more than the site's name or a general word."""
    for source, text in _agreed_first(found.declared, found.stripped):
        if not is_site(title := found.stripped[text], found.site) and not is_placeholder(title):
            yield source if title == text else f"{source} (without the site's name)", title


def _headed_alone(found: _Candidates, markup: Markup, url: str) -> Iterator[tuple[str, str]]:
    """The headings of a page that declares no title of its own; then what is left: general words and logos."""
    if (named := declared_headline(markup, found.site, url)) is not None:
        yield named
    for heading in sorted(found.headings, key=is_placeholder):
        yield "<h1>", without_kicker(found.headings[heading]) or heading
    if is_home(url):
        yield from found.declared
    yield from undeclared(markup, found.site)
    yield from ((source, title) for source, text in found.declared if is_placeholder(title := found.stripped[text]))
    yield from (("<h1>", logo) for logo in found.logos)


def _agreed_first(declared: list[tuple[str, str]], stripped: dict[str, str]) -> list[tuple[str, str]]:
    """The declared titles, with JSON-LD's headline before og:title if it is the `<title>` too: og:title is written for social networks."""
    by_source = {source: letters_of(stripped[text]) for source, text in reversed(declared)}
    headline = by_source.get("json-ld headline")
    declared = sorted(declared, key=lambda item: _is_cut(item[1], declared))
    if headline and headline == by_source.get("<title>") != by_source.get("og:title"):
        return sorted(declared, key=lambda item: item[0] != "json-ld headline")
    return declared


def _plain(title: str) -> str:
    """A declared title without the tags that some templates write into it."""
    text = folded(title[: 4 * MAX_DECLARED_CHARACTERS])[:MAX_DECLARED_CHARACTERS]
    return folded(_TAGS.sub(lambda tag: " " if tag[0][1:3].lower() == "br" else "", text)) if "<" in text else text


def _is_cut(title: str, declared: list[tuple[str, str]]) -> bool:
    """Whether a title ends with an ellipsis where another one goes on."""
    if not title.endswith(_ELLIPSES):
        return False
    beginning = title.rstrip(".… ").casefold()
    return any(len(text) > len(title) and text.casefold().startswith(beginning) for _, text in declared)


def _declared(markup: Markup, json_ld: JsonLd) -> Iterator[tuple[str, str | None]]:
    """The declared titles, as written, the most reliable first."""
    meta = markup.meta
    for text in meta.get("og:title", ()):
        yield "og:title", text
    yield "json-ld headline", first_text((json_ld.article or {}).get("headline"))
    for name in META_NAMES:
        for text in meta.get(name, ()):
            yield meta_source(name), text
    yield "<title>", markup.title


def _with_kicker(heading: str, markup: Markup, json_ld: JsonLd, site: frozenset[str]) -> str | None:
    """A news article's title with its kicker, `Kicker: Heading`, if both og:title and JSON-LD's headline have it."""
    article = json_ld.article or {}
    headline, title = first_text(article.get("headline")), markup.first("og:title")
    if not headline or not title or not any(kind.endswith("NewsArticle") for kind in types_of(article)):
        return None
    full = without_site(_plain(headline), site)
    if letters_of(full) != letters_of(without_site(_plain(title), site)):
        return None
    kicker, _, rest = full.partition(": ")
    return full if kicker and letters_of(rest) == letters_of(heading) else None
