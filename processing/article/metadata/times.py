"""When a page was published and modified: which of its dates is its own, and where it stood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from processing.article.metadata.dates import EARLIEST, date_in_url, read_date
from processing.article.metadata.jsonld import JsonLd, first_text
from processing.article.metadata.markup import Markup
from processing.article.metadata.surroundings import among_others, in_furniture, names_of
from processing.article.tree.parse import Node, Tree
from processing.article.tree.visible import visible_text
from schemas.page import Page

# Clocks and zones differ: a page may be dated up to this much after it was fetched.
FUTURE = timedelta(days=1)
MAX_DATE_CHARACTERS = 160
NEAR_TEXTS = 25
PUBLISHED = (
    "article:published_time",
    "og:published_time",
    "og:article:published_time",
    "article:published",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "citation_publication_date",
    "citation_online_date",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date.created",
    "dc.date",
    "dcterms.date",
    "cxenseparse:recs:publishtime",
    "cxenseparse:publishtime",
    "article.published",
    "article_date_original",
    "published_time",
    "published",
    "published-date",
    "publish-date",
    "publish_date",
    "published_date",
    "publication_date",
    "publicationdate",
    "pubdate",
    "publishdate",
    "originalpublicationdate",
    "release_date",
    "rnews:datepublished",
    "displaydate",
    "bt:pubdate",
    "date",
    "datecreated",
    "og:pubdate",
    "og:release_date",
)
MODIFIED = (
    "article:modified_time",
    "og:updated_time",
    "og:modified_time",
    "article:modified",
    "datemodified",
    "dcterms.modified",
    "dc.date.modified",
    "last-modified",
    "lastmod",
    "revised",
    "updated_time",
    "modified_time",
    "article.updated",
)
_MODIFIED_WORDS = re.compile(r"updat|modif|revis|edited|actualiz|aktualis|mis à jour|aggiornat|обновл", re.IGNORECASE)
_EVENT_WORDS = re.compile(r"expir|event|deadline|birth|valid|until|copyright|©|join(?:ed)?\b|since\b", re.IGNORECASE)
_PUBLISHED_WORDS = re.compile(r"publi|post(?:ed)?-?(?:date|on)|entry-date|created|byline|dateline|date", re.IGNORECASE)


# A text that is a date, perhaps with what it dates before it.
_DATE_ALONE = re.compile(
    r"(?:[^\W\d]+:?\s){0,3}(?:[^\W\d_]{3,9}\.?\s\d{1,2},?\s(?:19|20)\d\d|\d{1,2}\.?\s[^\W\d_]{3,9}\.?,?\s(?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d)$"
)
# What pages that are built by scripts say of themselves. The value is looked for first: a colon is rarer than a quote.
_SCRIPT_DATE = re.compile(r""":\s*\\?"(\d{4}-\d\d-\d\d[^"\\]{0,30})\\?\"""")
_SCRIPT_KEY = re.compile(
    r"""\\?"(?:date_?published|published_?(?:at|date|on|time)|publish_?date|publication_?date|post_?date|first_?published(?:_?at)?)\\?"\s*$""",
    re.IGNORECASE,
)
MAX_KEY_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Moment:
    """An aware moment in its original zone, that zone's UTC offset if one was written, and the markup it stood in."""

    at: datetime
    zone: str | None
    source: str


def read_times(tree: Tree, markup: Markup, json_ld: JsonLd, page: Page, language: str | None) -> tuple[Moment | None, Moment | None]:
    """When the page was published and when it was modified.

    Neither is yet to come, and a day that only a text or the URL names is not later than the fetch: it may have been an announcement.
    """
    today, latest = _latest(page)
    month_first = not language or language.lower() in {"en", "en-us", "en_us"}

    def plausible(source: str, texts: Iterator[str], until: datetime = latest) -> Moment | None:
        for text in texts:
            found = read_date(text, month_first)
            if found and EARLIEST <= found[0] <= until:
                return Moment(found[0], found[1], source)
        return None

    published = (
        plausible("json-ld", _from_json_ld(json_ld, "datePublished", "dateCreated", "uploadDate"), today)
        or plausible("meta", iter(markup.all(*PUBLISHED)), today)
        or plausible("time", _visible_times(markup, published=True), today)
        or plausible("text", _visible_dates(markup), today)
        or _in_url(page.url, latest)
        or plausible("text", _near_heading(markup))
        or plausible("time", _lone(markup.times))
        or plausible("text", _lone(_dated_texts(tree)))
        or plausible("text", _in_scripts(page.html))
        or _hint(page, latest)
    )
    modified = (
        plausible("json-ld", _from_json_ld(json_ld, "dateModified"), today)
        or plausible("meta", iter(markup.all(*MODIFIED)), today)
        or plausible("time", _visible_times(markup, published=False), today)
    )
    return published, modified


def _latest(page: Page) -> tuple[datetime, datetime]:
    """The latest day that markup may name, and the latest that mere text may: today, and the day of the fetch.

    Markup that names a later day which is past by now contradicts the record, and rewritten archives date their records as they like;
    a text may speak of what was to come. A record that names a time before the web, or one yet to come, knows nothing.
    """
    today = datetime.now(UTC) + FUTURE
    fetched = page.fetched_at
    if fetched is None or not EARLIEST <= fetched <= today:
        return today, today
    return today, fetched + FUTURE


def _lone(nodes: list[Node]) -> Iterator[str]:
    """The only day that the nodes name outside lists of other pages, even in an aside or a footer."""
    texts = [_date_text(node) for node in nodes[:40] if not among_others(node)]
    days = {found[0].date() for text in texts if (found := read_date(text))}
    if len(days) == 1:
        yield from texts


def _dated_texts(tree: Tree) -> list[Node]:
    """The elements whose first text is a date and hardly more."""
    body = tree.body
    if body is None:
        return []
    said = [text for text in map(str.strip, body.text(separator="\0").split("\0")) if text[-1:].isdigit() and 8 <= len(text) <= 50]
    dates = {text for text in said if _DATE_ALONE.match(text)}
    if not dates:  # the common case: to visit every text costs ten times as much
        return []
    texts = (
        node
        for node in body.traverse(include_text=True, skip_empty=True)
        if node.is_text_node and (node.text_content or "").strip() in dates
    )
    return [parent for node in texts if (parent := node.parent) is not None]


def _in_scripts(html: str) -> Iterator[str]:
    """The first date that the data of a page's scripts call its date of publishing."""
    for match in _SCRIPT_DATE.finditer(html):
        if _SCRIPT_KEY.search(html, max(0, match.start() - MAX_KEY_CHARACTERS), match.start()):
            yield match[1]
            return


def _near_heading(markup: Markup) -> Iterator[str]:
    """Short texts with digits soon after the main heading."""
    for heading in markup.headings[:2]:
        for text, node in markup.texts_after(heading)[:NEAR_TEXTS]:
            if 5 < len(text) <= 80 and not _EVENT_WORDS.search(text) and not in_furniture(node):
                yield text


def _from_json_ld(json_ld: JsonLd, *keys: str) -> Iterator[str]:
    for item in (json_ld.article, json_ld.page):
        for key in keys:
            if item and (text := first_text(item.get(key))):
                yield text


def _in_url(url: str, latest: datetime) -> Moment | None:
    found = date_in_url(url)
    return Moment(found, None, "url") if found and EARLIEST <= found <= latest else None


def _hint(page: Page, latest: datetime) -> Moment | None:
    """What the feed said, which the page's own words go before."""
    hinted = page.hints.published_at
    return Moment(hinted, None, "hint") if hinted and EARLIEST <= hinted <= latest else None


def _visible_times(markup: Markup, *, published: bool) -> Iterator[str]:
    """The texts of microdata and `<time>` outside furniture that tell of publishing, or of modifying; the surest first."""
    for name in ("datepublished", "datecreated") if published else ("datemodified",):
        for node in markup.properties.get(name, ())[:5]:
            if not in_furniture(node):
                yield _date_text(node)
    for node in markup.times[:40]:
        words = _words(node)
        if published != bool(_MODIFIED_WORDS.search(words)) and not _EVENT_WORDS.search(words) and not in_furniture(node):
            yield _date_text(node)


def _visible_dates(markup: Markup) -> Iterator[str]:
    """The texts of elements that call themselves a date of publishing, outside furniture."""
    for node in markup.dates[:80]:
        words = _words(node)
        named = _PUBLISHED_WORDS.search(words)
        if not (named or "meta" in words) or _EVENT_WORDS.search(words) or _MODIFIED_WORDS.search(words) or in_furniture(node):
            continue
        text = visible_text(node)
        if 5 < len(text) <= (MAX_DATE_CHARACTERS if named else 40) and not _MODIFIED_WORDS.search(text):
            yield text


def _date_text(node: Node) -> str:
    attributes = node.attributes
    return attributes.get("datetime") or attributes.get("content") or attributes.get("title") or visible_text(node)


def _words(node: Node) -> str:
    """What the node and its parent call themselves, and the text before a date."""
    parent = node.parent
    around = [names_of(node), node.attributes.get("itemprop") or ""]
    if parent is not None and parent.tag not in {"body", "article", "main"}:
        around.append(names_of(parent))
    return " ".join(around)
