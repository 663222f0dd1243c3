"""Find the dates that readers see: in `<time>` and microdata, beside the main heading, and in elements named after dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from processing.article.metadata.fallback_dates import DATE_ALONE, date_text
from processing.article.metadata.markup import Markup
from processing.article.metadata.surroundings import (
    change_in,
    in_boilerplate,
    in_list_of_pages,
    is_of_change,
    is_of_event,
    is_of_publishing,
    node_names,
    surrounding_names,
)
from processing.article.tree.parse import Node
from processing.article.tree.visible import text_parts, texts_before, visible_text

BEFORE_DATE = 20  # characters, in which a text says what its date is of
MAX_DATE_CHARACTERS = 160
NEAR_TEXTS = 25
SHORT_DATE = 20  # characters
MAX_READ = 400  # characters of an element that are read for a date
MAX_SHORT = 80  # characters of a short text
BESIDE_TEXTS = 3  # so close behind the heading that names such as `teaser` speak of the standfirst
_STANDARD = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK = re.compile(r"\W{0,3}(?:(?:at|um|à|às|kl\.?|alle|om)\s)?\d{1,2}[:.h]\d\d\b.{0,20}$")  # alone behind a date
_NUMBERS = re.compile(r"\d\D*\d|年.{1,4}月")  # without two digits, a text has no date; Chinese numerals are no digits


def seen_dates(markup: Markup) -> Iterator[str]:
    """The dates that readers see, those beside the main heading first."""
    yield from near_heading(markup)
    yield from visible_dates(markup)


def below_heading(markup: Markup) -> Iterator[str]:
    """The texts directly below the main heading that are dates and nothing else."""
    for heading in markup.headings[:2]:
        behind = list(islice(markup.texts_after(heading), BESIDE_TEXTS + 1))
        for place, (text, node) in enumerate(behind[:BESIDE_TEXTS]):
            if not DATE_ALONE.fullmatch(text):
                continue
            words = f"{text} {surrounding_names(node)}"
            if not is_of_change(words) and not is_of_event(words):
                time = next((following for following, _ in behind[place + 1 : place + 2] if _CLOCK.match(following)), "")
                yield f"{text} {time}" if time else text


def near_heading(markup: Markup) -> Iterator[str]:
    """Short texts close after the main heading and directly above it, and bylines."""
    yield from beside_headings(markup)
    for node in markup.authors[:40]:  # a date may stand behind the author's name
        if _may_be_date(text := visible_text(node, MAX_SHORT)) and not in_boilerplate(node):
            yield text


def beside_headings(markup: Markup) -> Iterator[str]:
    """Short texts close after the main headings and directly above them."""
    for heading in markup.headings[:2]:
        for place, (text, node) in enumerate(islice(markup.texts_after(heading), NEAR_TEXTS)):
            if not _may_be_date(text) or is_of_change(f"{text[:BEFORE_DATE]} {node_names(node)}"):
                continue
            if place < BESIDE_TEXTS or not in_boilerplate(node):
                yield text
        yield from filter(_may_be_date, _above(heading))


def visible_times(markup: Markup, *, published: bool) -> Iterator[str]:
    """The texts of microdata and `<time>` outside boilerplate for publishing, or for modifying; the most reliable first."""
    for name in ("datepublished", "datecreated") if published else ("datemodified",):
        for node in (markup.properties.get(name) or (markup.rdfa.get(name, []) if published else []))[:5]:
            # blogs keep the date in the article's footer: a date for machines there is the page's unless it is another page's
            if not in_boilerplate(node) or (_has_machine_date(node) and not in_list_of_pages(node)):
                yield date_text(node)
    named = [(surrounding_names(node), node) for node in markup.times[:40]]
    for words, node in sorted(named, key=lambda item: "publish" not in item[0].lower()):
        is_other = _is_of_change_only(node, words) if published else not is_of_change(words)
        if not is_other and not is_of_event(words) and not in_boilerplate(node):
            yield date_text(node)
    if published:  # of blogs, in the article's footer
        for node in markup.dates[:80]:
            if (title := _machine_title(node)) and in_boilerplate(node) and not in_list_of_pages(node):
                yield title


def _is_of_change_only(node: Node, words: str) -> bool:
    """Whether a date is that of a change. An entry that was never changed has one date that is named `published updated`."""
    return is_of_change(words) and "published" not in (node.attributes.get("class") or "").lower().split()


def _machine_title(node: Node) -> str:
    """The date for machines in the title of what is named `published`; empty for other elements."""
    attributes = node.attributes
    title = attributes.get("title") or ""
    return title if "published" in (attributes.get("class") or "").lower().split() and _STANDARD.match(title) else ""


def visible_dates(markup: Markup) -> Iterator[str]:
    """The texts of elements outside boilerplate whose names say that they hold the date of publishing."""
    for node in markup.dates[:80]:
        words = surrounding_names(node)
        named = is_of_publishing(words)
        if not (named or "meta" in words) or is_of_event(words) or is_of_change(words) or in_boilerplate(node):
            continue
        text = _before_change(visible_text(node, MAX_READ))
        if named and len(text) <= SHORT_DATE and (title := node.attributes.get("title")):
            yield title  # the date of `2 days ago`
        if 5 < len(text) <= (MAX_DATE_CHARACTERS if named else 40):
            yield text
            if named and len(text) <= SHORT_DATE:  # day, month and year may be elements without spaces between them
                yield " ".join(text_parts(node))


def named_dates(markup: Markup) -> Iterator[Node]:
    """The elements whose names say that they hold a date of publishing, in boilerplate, too."""
    for node in markup.dates[:80]:
        words = surrounding_names(node)
        if is_of_publishing(words) and not is_of_event(words) and not is_of_change(words):
            yield node


def without_changes(nodes: list[Node]) -> Iterator[Node]:
    """The nodes whose texts do not say that their date is that of a change."""
    return (node for node in nodes if not is_of_change(visible_text(node, MAX_READ)))


def _above(heading: Node) -> list[str]:
    """The last short texts above a heading in the same element, the nearest first."""
    for around in (heading.parent, heading.parent.parent if heading.parent is not None else None):
        if around is None or around.tag in {"body", "html", "main"} or in_boilerplate(around):
            break
        if found := list(islice((text for text in texts_before(heading, around) if 5 < len(text) <= MAX_SHORT), BESIDE_TEXTS)):
            return found
    return []


def _may_be_date(text: str) -> bool:
    """Whether a short text has digits and names no event."""
    return 5 < len(text) <= MAX_SHORT and _NUMBERS.search(text) is not None and not is_of_event(text)


def _before_change(text: str) -> str:
    """What a text says before it speaks of a change: `Written: 2 May 2024, updated: 5 May 2024` names both."""
    place = change_in(text)
    return text if place is None else text[:place]


def _has_machine_date(node: Node) -> bool:
    return not {"datetime", "content", "title"}.isdisjoint(node.attributes)
