"""Dates of pages that do not mark the date of publishing: in labels, titles, scripts and lists of the site's pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from urllib.parse import urlsplit

from processing.article.dates.dates import read_date
from processing.article.metadata.markup import Markup
from processing.article.metadata.surroundings import in_list_of_pages
from processing.article.tree.characters import folded_text
from processing.article.tree.parse import Node, Tree
from processing.article.tree.visible import text_parts, visible_text

_DAY = r"\d{1,2}"
_YEAR = r"(?:19|20)\d\d"
_NAME = r"[^\W\d_]{3,9}\.?"
_CLOCK = r"(?:,?\s(?:[-–—|]\s|um\s|at\s|à\s|kl\.?\s)?\d{1,2}[:.h]\d\d(?:\s?(?:uhr|h|[ap]\.?m\.?))?)?"
_WORDS = rf"{_NAME}\s{_DAY},?\s{_YEAR}|{_DAY}\.?\s{_NAME},?\s{_YEAR}|{_YEAR}-\d\d-\d\d"
_WHAT = r"(?:[^\W\d]+:?\s){0,3}"
# A text that is a date, perhaps with what it dates before it; the second with weekday and time, too, and in numbers.
DATE_IN_WORDS = re.compile(rf"{_WHAT}(?:{_WORDS})")
DATE_ALONE = re.compile(rf"{_WHAT}(?:[^\W\d_]{{2,10}}\.?,\s)?(?:{_WORDS}|{_DAY}([./]){_DAY}\1{_YEAR}){_CLOCK}", re.IGNORECASE)
MAX_NODES = 40
MAX_LINK, MAX_DATE = 1000, 400  # characters of a link, or of an element with a date, that are read
_TITLE_PARTS = re.compile(r"\s+[|–—-]\s+")
# What labels a date of publishing, and what a date of the last change. The date stands directly behind it.
_PUBLISHED = r"""
published|posted|created|(?:publication|publish|post|release)\s(?:date|time)|date\spublished|online\sseit|veröffentlicht|publiziert|erschienen|erstellt|eingestellt|geschrieben|datum
|pressemitteilung(?:\s(?:nr|no)\.?\s?[\d/.-]{1,12})?|communiqué|erscheinungsdatum|publié|paru|mis\sen\sligne|publicado|fecha|pubblicato|publicerad|publiceret|udgivet|opublikowano|dodano|gepubliceerd
|geplaatst|julkaistu|publikováno|опубликовано
"""
_MODIFIED = r"""
updated?|modified|edited|changed|revised|aktualisiert|aktualisierung|geändert|änderung|bearbeitet|überarbeitet|stand|mis\sà\sjour
|modifié|actualizado|atualizado|aggiornato|bijgewerkt|opdateret|uppdaterad|päivitetty|zaktualizowano|обновлено
"""
_BETWEEN = r"(?:\s(?:on|at|by|am|vom|den|le|el|il|op|dnia))?\s?:?\s{0,9}"
_DATE_BEHIND = r"((?:[^\W\d_]{2,10}\.?,\s)?(?:\d|[^\W\d_]{3,9}\.?\s\d{1,2},?\s\d{4}).{0,60})"
_LABELLED_PUBLISHED = re.compile(rf"\b(?:{_PUBLISHED}){_BETWEEN}{_DATE_BEHIND}$", re.IGNORECASE | re.VERBOSE)
_LABELLED_MODIFIED = re.compile(rf"\b(?:{_MODIFIED}){_BETWEEN}{_DATE_BEHIND}$", re.IGNORECASE | re.VERBOSE)
# Sentences of templates: `This entry was posted on`, `Dieser Beitrag wurde am 3. Mai 2024 um 15:21 Uhr veröffentlicht`.
_WRITTEN = re.compile(
    r"""\b(?:(?:entry|post|article)\swas\s(?:posted|published|written|created)|(?:beitrag|eintrag|artikel)\swurde
    |(?:entrée|article|billet)\sa\sété\s(?:publiée?|postée?)|(?:entrada|artículo)\s(?:fue|foi)\s(?:publicad[ao]|escrit[ao])
    |articolo\sè\sstato\spubblicato|bericht\s(?:is|werd)\sgeplaatst)\b(?:\s\w+){0,3}?\s(?:on|am|le|el|il|em|op)\s(.{6,60})""",
    re.IGNORECASE | re.VERBOSE,
)
_WRITTEN_WORDS = ("was", "wurde", "été", "fue", "foi", "stato", "geplaatst")  # each such sentence has one
_YEAR_IN_TEXT = re.compile(r"[12./](?:(?<=1)9\d\d|(?<=2)0\d\d|(?<=[./])\d\d\b)")  # a class first: the search is five times as fast
MAX_LABELLED = 100  # characters of a text in which a date is labelled; in longer ones it is a sentence of the article
# Dates in the data of script-built pages. The value is searched first, because a colon is rarer than a quote.
_SCRIPT_DATE = re.compile(r""":\s*\\?"(\d{4}-\d\d-\d\d[^"\\]{0,30})\\?\"""")
_SCRIPT_KEY = re.compile(
    r"""\\?"(?:date_?published|published_?(?:at|date|on|time)|publish_?date|publication_?date|post_?date|first_?published(?:_?at)?)\\?"\s*$""",
    re.IGNORECASE,
)
MAX_KEY_CHARACTERS = 60
_PLAIN_PATH = re.compile(r"[\w./~%+,;:=@-]+", re.ASCII)  # which a selector has as it is


def labelled_dates(markup: Markup, language: str | None = None) -> Iterator[str]:
    """The date that short texts label as that of publishing, if all of them name the same day."""
    return _of_one_day(_labelled(_LABELLED_PUBLISHED, markup), language)


def labelled_changes(markup: Markup) -> Iterator[str]:
    """The dates that short texts label as those of the last change."""
    return _labelled(_LABELLED_MODIFIED, markup)


def _labelled(label: re.Pattern[str], markup: Markup) -> Iterator[str]:
    for before, text in _with_years(markup.all_texts):
        if label is _LABELLED_PUBLISHED and (match := _written(text)) is not None:
            yield match[1]
        elif len(text) <= MAX_LABELLED:
            behind = folded_text(text)
            match = label.search(behind) or label.search(f"{folded_text(before[-MAX_LABELLED:])} {behind}")
            if match is not None:
                yield match[1]


def _with_years(texts: str) -> Iterator[tuple[str, str]]:
    """The texts in which a year may stand, each behind the text before it. In `texts` a null character is between two of them."""
    end = 0
    while (year := _YEAR_IN_TEXT.search(texts, end)) is not None:
        start = texts.rfind("\0", 0, year.start()) + 1
        end = texts.find("\0", year.end()) % (len(texts) + 1)  # of the last text, the end of all
        yield texts[texts.rfind("\0", 0, max(start - 1, 0)) + 1 : max(start - 1, 0)], texts[start:end]


def _written(text: str) -> re.Match[str] | None:
    lower = text.lower()
    return _WRITTEN.search(text) if any(map(lower.__contains__, _WRITTEN_WORDS)) else None


def dates_in_titles(markup: Markup) -> Iterator[str]:
    """The parts of the declared titles that are dates, such as `Title | Site | 19.01.2020`."""
    for title in (*markup.all("og:title"), markup.title):
        yield from (part for part in _TITLE_PARTS.split(folded_text(title))[1:] if DATE_ALONE.fullmatch(part))


def only_date(nodes: Iterable[Node], language: str | None = None) -> Iterator[str]:
    """The texts of the first nodes outside lists of other pages, if all of them name the same day."""
    texts = [date_text(node) for _, node in zip(range(MAX_NODES), nodes, strict=False) if not in_list_of_pages(node)]
    return _of_one_day(texts, language)


def _of_one_day(texts: Iterable[str], language: str | None) -> Iterator[str]:
    texts = list(texts)
    if len({found[0].date() for text in texts if (found := read_date(text, language=language))}) == 1:
        yield from texts


def dated_texts(tree: Tree, numbered_texts: frozenset[str], form: re.Pattern[str]) -> list[Node]:
    """The elements with a text that is a date in a form. `numbered_texts` are those of the body, as `Markup` has them."""
    body = tree.body
    if body is None:
        return []
    dates = {text for text in numbered_texts if form.fullmatch(text)}
    if not dates:  # the common case: to visit every text costs ten times as much
        return []
    texts = (
        node
        for node in body.traverse(include_text=True, skip_empty=True)
        if node.is_text_node and (node.text_content or "").strip() in dates
    )
    return [parent for node in islice(texts, MAX_NODES) if (parent := node.parent) is not None]


def date_in_own_teaser(tree: Tree, url: str) -> Iterator[str]:
    """Dates in links to the page itself, which stand in lists of the site's latest pages."""
    path = urlsplit(url).path
    body = tree.body
    if body is None or len(path) < 2:
        return
    # to read the target of each link takes ten times as long
    for link in body.css(f'a[href$="{path}"]' if _PLAIN_PATH.fullmatch(path) else "a[href]"):
        href = link.attributes.get("href") or ""
        if href.endswith(path) and _path_of(href) == path:
            yield from (part for part in text_parts(link, MAX_LINK) if DATE_ALONE.fullmatch(part))


def _path_of(href: str) -> str:
    try:
        return urlsplit(href).path
    except ValueError:
        return ""


def dates_in_scripts(html: str) -> Iterator[str]:
    """The first date of publishing in the data of the page's scripts. JSON-LD is read elsewhere, which knows whose date it is."""
    for match in _SCRIPT_DATE.finditer(html):
        if _SCRIPT_KEY.search(html, max(0, match.start() - MAX_KEY_CHARACTERS), match.start()) and not _in_json_ld(html, match.start()):
            yield match[1]
            return


def _in_json_ld(html: str, position: int) -> bool:
    opening = html.rfind("<script", 0, position)
    return opening >= 0 and "ld+json" in html[opening : html.find(">", opening)].lower()


def date_text(node: Node) -> str:
    """The date of an element as machines read it, otherwise as readers do."""
    attributes = node.attributes
    return attributes.get("datetime") or attributes.get("content") or attributes.get("title") or visible_text(node, MAX_DATE)
