"""Reads RSS and Atom feeds: the pages that a feed links to, with their titles and dates."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from schemas.page import Hints
from schemas.web.list_dates import list_date
from spiders.discover.json_feeds import is_json_feed, json_entries
from spiders.discover.list_text import list_root, strict_xml
from spiders.discover.titles import plain_title
from spiders.download.text_charset import file_text
from spiders.urls.listed_address import listed_address

MAX_ENTRIES = 5_000  # far more than feeds have: it bounds the time of a harmful feed
MAX_CHARACTERS = 8 * 1024 * 1024
TAIL_CHARACTERS = 64 * 1024  # at the end of a long feed, where the closing tags are
ADDRESS = ("http://", "https://", "/")  # as an id begins that is a link too; others are numbers and names
LOST_LINK = re.compile(r"<link\s{0,20}/>\s{0,100}(https?://[^\s<]{1,2000})")  # by writers of HTML, where `link` is empty
ENTRY_END = re.compile(r"</(?:[\w.-]{1,50}:)?(?:item|entry)\s{0,20}>", re.IGNORECASE)


MAX_NESTED = 300
ENTRY_DEPTH = 2
VOID = frozenset(("br", "hr", "img", "wbr", "input", "meta"))  # of HTML that is written into a feed without being escaped
TAG = re.compile(  # also a whole CDATA section or comment, in which tags are text
    r"<!\[CDATA\[[^]]*+(?:\](?!\]>)[^]]*+)*+|<!--[^-]*+(?:-(?!->)[^-]*+)*+"
    r"|<(?P<closing>/?)(?P<name>[A-Za-z_][\w.:-]{0,60}+)(?P<rest>[^<>]*+)>"
)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A link as written, with its title and date. `modified_at` is `updated`, unless that equals the date of publishing."""

    url: str
    modified_at: datetime | None
    hints: Hints


def feed_entries(body: bytes, url: str = "", charset: str | None = None) -> Iterator[FeedEntry]:
    """The first entries of a feed with this URL; none for a body that is not a feed. `charset` is what its header names."""
    text = file_text(body, charset)
    root = list_root(text)
    if root is not None:
        yield from _xml_entries(text, root[1], url)
    elif is_json_feed(text):
        yield from (FeedEntry(*entry) for entry in json_entries(text[:MAX_CHARACTERS], MAX_ENTRIES))


def _xml_entries(text: str, start: int, url: str) -> Iterator[FeedEntry]:
    import feedparser  # imported here because it is large and most readers never get a feed

    document = '<?xml version="1.0" encoding="utf-8"?>' + strict_xml(
        within_depth(_first_entries(LOST_LINK.sub(r"<link>\1</link>", text[start:])))
    )
    parsed = feedparser.parse(io.BytesIO(document.encode("utf-8", "replace")), sanitize_html=False, resolve_relative_uris=False)
    language = parsed.feed.get("language")
    for entry in parsed.entries[:MAX_ENTRIES]:
        link = listed_address(_link(entry), url)
        if link:
            updated = _entry_time(entry, "updated", language)
            published = _entry_time(entry, "published", language)
            hints = Hints(plain_title(entry.get("title")), published or updated, "feed")
            yield FeedEntry(link, updated if updated != published else None, hints)


def _link(entry: dict[str, Any]) -> str | None:  # Any: feedparser's values
    """The link of an entry: that of the site itself where a service stands between, else the link, else an id that is a URL."""
    entry_id = entry.get("id") or ""
    is_address = entry_id.startswith(ADDRESS)
    names_page = is_address and (entry.get("guidislink", True) is not False or entry.get("link") == "")
    link = entry.get("link")
    if link == entry_id and not entry.get("links") and not is_address:  # feedparser takes any id for a link
        link = None
    return entry.get("feedburner_origlink") or link or (entry_id if names_page else None)


def _first_entries(text: str) -> str:
    """A feed with its first entries only, which bounds the time of parsing."""
    last = next(islice(ENTRY_END.finditer(text), MAX_ENTRIES - 1, None), None)
    if last is not None:
        tail = text[max(last.end(), len(text) - TAIL_CHARACTERS) :]
        *_, end = (match.end() for match in ENTRY_END.finditer(tail)) if ENTRY_END.search(tail) else (0,)
        text = text[: last.end()] + tail[end:]
    return text[:MAX_CHARACTERS]


def within_depth(text: str) -> str:
    """A feed without the tags that open an element in MAX_NESTED others: for each element, feedparser looks at those around it."""
    parts: list[str] = []
    begin = depth = 0
    for tag in TAG.finditer(text):
        if tag["name"] is None or tag["name"].lower() in VOID or tag["rest"].endswith("/"):
            continue
        if tag["closing"]:  # the end of an entry ends what was left open in it
            depth = ENTRY_DEPTH if ENTRY_END.match(tag[0]) else max(0, depth - 1)
        elif depth < MAX_NESTED:
            depth += 1
        else:
            parts.append(text[begin : tag.start()])
            begin = tag.end()
    return "".join([*parts, text[begin:]])


def _entry_time(entry: dict[str, Any], name: str, language: str | None) -> datetime | None:  # Any: feedparser's values
    """A time of an entry, as it is written. feedparser makes a day of one that does not exist, and its own get() takes another time."""
    return list_date(dict.get(entry, name), language)
