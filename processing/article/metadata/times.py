"""Read when a page was published and modified, and from which source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from urllib.parse import urlsplit

from processing.article.dates.dates import EARLIEST, date_in_url, read_date
from processing.article.metadata.fallback_dates import (
    DATE_ALONE,
    DATE_IN_WORDS,
    date_in_own_teaser,
    dated_texts,
    dates_in_scripts,
    dates_in_titles,
    labelled_changes,
    labelled_dates,
    only_date,
)
from processing.article.metadata.jsonld import JsonLd, Object, first_text, types_of
from processing.article.metadata.local_zone import country_of, has_zones, is_utc, local_offset, may_move
from processing.article.metadata.markup import Markup
from processing.article.metadata.seen_dates import (
    below_heading,
    beside_headings,
    named_dates,
    near_heading,
    seen_dates,
    visible_dates,
    visible_times,
    without_changes,
)
from processing.article.tree.parse import Tree
from schemas.page import Page

# Clocks and zones differ: a page may be dated up to this much after it was fetched.
FUTURE = timedelta(days=1)
ONE_DAY = timedelta(days=1)
MOST_SEEN = 4  # dates near the heading: that of publishing is among them
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
    "og:pubdate",
    "og:release_date",
)
VAGUE = ("dc.date", "dcterms.date", "dcterms.created", "dc.date.created", "date", "datecreated")  # of the page, or of its last change
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
# Names like those above, of which each publisher has its own: `vr:published_time`, `prism.publicationDate`, `date-pub`.
_ALIKE_PUBLISHED = re.compile(
    r"(?:^|[:._ -])(?:date[_.-]?)?(?:first[_-]?|original[_-]?|article[_-]?)?(?:publi(?:shed?|cation)?|posted|post|release|pub)"
    r"[_.-]?(?:date|time|on|at|day|datetime|timestamp)?$"
)
# ISO 8601, as schema.org wants it; other forms are what templates write, often of the last change.
_STANDARD = re.compile(r"\s*\d{4}-?\d\d")
_DAY_FIRST_HOSTS = (".uk", ".ie", ".au", ".nz", ".in", ".za", ".ng", ".ke", ".gh", ".sg", ".my", ".hk", ".pk", ".bd", ".lk", ".mt", ".eu")
_SEEN = frozenset(("time", "text"))  # what readers see, of this page or of others
_EMBEDDED = frozenset(("VideoObject", "PodcastEpisode"))


@dataclass(frozen=True, slots=True)
class Moment:
    """An aware moment in its original zone, that zone's UTC offset if one was written, and the markup it stood in."""

    at: datetime
    zone: str | None
    source: str


def read_times(tree: Tree, markup: Markup, json_ld: JsonLd, page: Page, language: str | None) -> tuple[Moment | None, Moment | None]:
    """When the page was published, and when it was modified.

    Neither may lie in the future. A date from text or URL may not be later than the fetch either: it may announce an event.
    """
    today, latest = _latest(page)
    month_first = _is_month_first(page.url, language)

    declared = list(_from_json_ld(json_ld, "datePublished", "dateCreated", "uploadDate"))

    in_url = date_in_url(page.url)

    def plausible(source: str, texts: Iterator[str], until: datetime = latest) -> Moment | None:
        for text in texts:
            found = read_date(text, month_first, language)
            if found and in_url is not None and found[0].date() != in_url.date():
                other = read_date(text, not month_first, language)  # 03/10/2023: the URL knows which is the month
                found = other if other and other[0].date() == in_url.date() else found
            if found and in_url is not None and source in _SEEN and not _is_near(found, in_url):
                continue  # another page's date, or that of an event
            if found and EARLIEST <= found[0] <= until:
                return Moment(found[0], found[1], source)
        return None

    published = (
        plausible("json-ld", filter(_STANDARD.match, declared), today)
        or plausible("meta", iter(markup.all(*PUBLISHED)), today)
        or plausible("time", visible_times(markup, published=True), today)
        or plausible("meta", iter(markup.all(*VAGUE)), today)
        or plausible("text", below_heading(markup))
        or plausible("text", visible_dates(markup), today)
        or _in_url(in_url, latest)
        or plausible("json-ld", iter(declared), today)
        or plausible("json-ld", _from_video(json_ld), today)
        or plausible("text", labelled_dates(markup, language))
        or plausible("text", near_heading(markup))
        or plausible("meta", _alike_published(markup), today)
        or plausible("text", dates_in_titles(markup))
        or plausible("text", only_date(named_dates(markup), language))
        or plausible("time", only_date(markup.times))
        or plausible("text", only_date(without_changes(dated_texts(tree, markup.numbered_texts, DATE_IN_WORDS)), language))
        or plausible("text", only_date(without_changes(dated_texts(tree, markup.numbered_texts, DATE_ALONE)), language))
        or plausible("text", dates_in_scripts(page.html))
        or plausible("text", date_in_own_teaser(tree, page.url))
        or _hint(page, latest)
    )
    modified = (
        plausible("json-ld", _from_json_ld(json_ld, "dateModified"), today)
        or plausible("meta", iter(markup.all(*MODIFIED)), today)
        or plausible("time", visible_times(markup, published=False), today)
    )
    if published is not None and published.source == "url":
        published = _with_time(published, plausible("text", near_heading(markup)))
    if published is not None and is_utc(published.zone, published.at):
        published = _as_seen(published, markup, page.url, month_first, language)
    if published is None and (change := plausible("text", labelled_changes(markup))) is not None:
        published, modified = replace(change, source="modified"), modified or change
    return published, modified


def _with_time(day: Moment, seen: Moment | None) -> Moment:
    """The day of the URL with the time that readers see near the heading, if they see one of that day."""
    is_of_day = seen is not None and seen.at.date() == day.at.date() and seen.at.time() != day.at.time()
    return seen if seen is not None and is_of_day else day


def _as_seen(declared: Moment, markup: Markup, url: str, month_first: bool, language: str | None) -> Moment:
    """The same moment in the zone of the site's readers, if the page shows them another day than that in UTC."""
    country = country_of(url, language)
    if not may_move(declared.at, country):  # most moments: to read what readers see takes much longer
        return declared
    texts = seen_dates(markup) if has_zones(country) else beside_headings(markup)
    seen = (found[0] for text in texts if (found := read_date(text, month_first, language)) and found[1] is None)
    first = next(seen, None)  # it decides nearly always: the others take much longer to read
    zone = local_offset(declared.at, first, country) if first is not None else None
    if zone is None or any(moment.date() == declared.at.date() for moment in islice(seen, MOST_SEEN - 1)):
        return declared
    local = declared.at.astimezone(zone)
    return Moment(local, local.isoformat()[-6:], declared.source)


def _is_near(found: tuple[datetime, str | None], day: datetime) -> bool:
    """Whether a date is that of a day. With a zone it may be the day before or behind: the day's zone is unknown."""
    moment, zone = found
    return abs(moment.date() - day.date()) <= (ONE_DAY if zone else timedelta())


def _is_month_first(url: str, language: str | None) -> bool:
    """Whether 05/06/2024 is in May, as in the United States: English that is neither of another country nor on a host of one."""
    american = not language or language.lower() in {"en", "en-us", "en_us"}
    return american and not (urlsplit(url).hostname or "").endswith(_DAY_FIRST_HOSTS)


def _latest(page: Page) -> tuple[datetime, datetime]:
    """The latest date allowed in markup (today), and the latest allowed in text (the day of the fetch).

    Markup may be later than the fetch, because rewritten archives have wrong fetch times. Text may speak of future events.
    A fetch time before the web or in the future is ignored.
    """
    today = datetime.now(UTC) + FUTURE
    fetched = page.fetched_at
    if fetched is None or not EARLIEST <= fetched <= today:
        return today, today
    return today, fetched + FUTURE


def _from_json_ld(json_ld: JsonLd, *keys: str) -> Iterator[str]:
    page = None if json_ld.page is None or _is_embedded(json_ld.page) else json_ld.page
    for item in (json_ld.article, page):
        for key in keys:
            if item and (text := first_text(item.get(key)) or _number(item.get(key))):
                yield text


def _alike_published(markup: Markup) -> Iterator[str]:
    """The contents of `<meta>` elements with a publisher's own name for the date of publishing."""
    for name, values in markup.meta.items():
        if ("pub" in name or "post" in name or "release" in name) and _ALIKE_PUBLISHED.search(name):
            yield from values


def _from_video(json_ld: JsonLd) -> Iterator[str]:
    """The date of a video or an episode, which may be older than the page that shows it."""
    item = json_ld.page
    if item is not None and _is_embedded(item):
        yield from (text for key in ("datePublished", "uploadDate") if (text := first_text(item.get(key))))


def _is_embedded(item: Object) -> bool:
    return not _EMBEDDED.isdisjoint(types_of(item))


def _number(value: object) -> str | None:
    """A number in JSON as text: seconds or milliseconds since 1970, or a date of eight digits."""
    return str(int(value)) if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e14 else None


def _in_url(found: datetime | None, latest: datetime) -> Moment | None:
    return Moment(found, None, "url") if found and EARLIEST <= found <= latest else None


def _hint(page: Page, latest: datetime) -> Moment | None:
    """The date from feed or sitemap. The page's own dates precede it."""
    hinted = page.hints.published_at
    return Moment(hinted, None, "hint") if hinted and EARLIEST <= hinted <= latest else None
