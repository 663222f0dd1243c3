"""Reads RSS and Atom feeds: the pages that a feed links to, with their titles and dates."""

from __future__ import annotations

import codecs
import io
import re
import time
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from schemas.page import Hints
from spiders.discover.charsets import is_web_charset

MAX_ENTRIES = 5_000  # far more than feeds have: it bounds the time of a harmful feed
MAX_TITLE_CHARACTERS = 500
MAX_CHARACTERS = 8 * 1024 * 1024
MAX_HEAD_CHARACTERS = 8 * 1024  # before the first element: feedparser's time grows with the square of this length
TAIL_CHARACTERS = 64 * 1024  # at the end of a long feed, where the closing tags are
XML_DECLARATION = re.compile(rb"\s{0,100}<\?xml\s[^>]{0,300}?encoding\s{0,20}=\s{0,20}[\"']([\w.:-]{1,50})[\"']")
FIRST_ELEMENT = re.compile(r"<\w")
ENTRY_END = re.compile(r"</(?:[\w.-]{1,50}:)?(?:item|entry)\s{0,20}>", re.IGNORECASE)
SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
}


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A link as written, with its title and date. `modified_at` is `updated`, unless that equals the date of publishing."""

    url: str
    modified_at: datetime | None
    hints: Hints


def feed_entries(body: bytes) -> Iterator[FeedEntry]:
    """The first entries of a feed; none for a body that is not a feed."""
    import feedparser  # imported here because it is large and most readers never get a feed

    text = _feed_text(body)
    if text is None:
        return
    document = '<?xml version="1.0" encoding="utf-8"?>' + _first_entries(text)
    parsed = feedparser.parse(io.BytesIO(document.encode("utf-8", "replace")), sanitize_html=False, resolve_relative_uris=False)
    for entry in parsed.entries[:MAX_ENTRIES]:
        link = entry.get("link")
        if link:
            title = (entry.get("title") or "").strip()[:MAX_TITLE_CHARACTERS] or None
            updated = _parsed_time(entry["updated_parsed"]) if "updated_parsed" in entry else None  # get() takes `published`
            published = _parsed_time(entry.get("published_parsed"))
            yield FeedEntry(link, updated if updated != published else None, Hints(title, published or updated, "feed"))


def _feed_text(body: bytes) -> str | None:
    """A feed as text, without its XML declaration; None if it names a charset that no feed can mean."""
    if body.startswith(codecs.BOM_UTF8):
        text = body[len(codecs.BOM_UTF8) :].decode("utf-8", "replace")
    else:
        declared = XML_DECLARATION.match(body)
        name = declared[1].decode("ascii", "replace") if declared else "utf-8"
        if not is_web_charset(name):
            return None
        text = _decode(body, name)
    text = text.lstrip()
    if text.startswith("<?xml"):
        text = text.partition("?>")[2].lstrip()
    return text if text.startswith("<") else None


def _decode(body: bytes, name: str) -> str:
    for charset in (name, "utf-8"):
        try:
            known = codecs.lookup(charset).name
            return body.decode(SUPERSETS.get(known, known))
        except (LookupError, ValueError):  # an unknown charset, or bytes that are not in it
            continue
    return body.decode("cp1252", "replace")


def _first_entries(text: str) -> str:
    """A feed with its first entries only, which bounds the time of parsing."""
    first = FIRST_ELEMENT.search(text)
    if first is not None and first.start() > MAX_HEAD_CHARACTERS:
        text = text[first.start() :]
    last = next(islice(ENTRY_END.finditer(text), MAX_ENTRIES - 1, None), None)
    if last is not None:
        tail = text[max(last.end(), len(text) - TAIL_CHARACTERS) :]
        *_, end = (match.end() for match in ENTRY_END.finditer(tail)) if ENTRY_END.search(tail) else (0,)
        text = text[: last.end()] + tail[end:]
    return text[:MAX_CHARACTERS]


def _parsed_time(parsed: time.struct_time | None) -> datetime | None:
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None
