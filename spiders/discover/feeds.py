"""RSS and Atom: the pages that a feed names, with what it says of them."""

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

MAX_ENTRIES = 5_000
MAX_TITLE_CHARACTERS = 500
MAX_CHARACTERS = 8 * 1024 * 1024
MAX_HEAD_CHARACTERS = 8 * 1024  # before the first element: feedparser's time grows with its square
TAIL_CHARACTERS = 64 * 1024
XML_DECLARATION = re.compile(rb"\s{0,100}<\?xml\s[^>]{0,300}?encoding\s{0,20}=\s{0,20}[\"']([\w.:-]{1,50})[\"']")
FIRST_ELEMENT = re.compile(r"<\w")
ENTRY_END = re.compile(r"</(?:[\w.-]{1,50}:)?(?:item|entry)\s{0,20}>", re.IGNORECASE)
SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252"}  # what pages in these really are


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A link as written, with its title and date; `modified_at` is what `updated` claims, where it is not that date again."""

    url: str
    modified_at: datetime | None
    hints: Hints


def feed_entries(body: bytes) -> Iterator[FeedEntry]:
    """The first entries of a feed. Nothing for what is no feed."""
    import feedparser  # here: most readers never meet a feed, and it weighs

    text = _feed_text(body)
    if text is None:
        return
    document = '<?xml version="1.0" encoding="utf-8"?>' + _first_entries(text)
    parsed = feedparser.parse(io.BytesIO(document.encode("utf-8", "replace")), sanitize_html=False, resolve_relative_uris=False)
    for entry in parsed.entries[:MAX_ENTRIES]:
        link = entry.get("link")
        if link:
            title = (entry.get("title") or "").strip()[:MAX_TITLE_CHARACTERS] or None
            updated = _parsed_time(entry["updated_parsed"]) if "updated_parsed" in entry else None  # get() takes another date for it
            published = _parsed_time(entry.get("published_parsed"))
            yield FeedEntry(link, updated if updated != published else None, Hints(title, published or updated, "feed"))


def _feed_text(body: bytes) -> str | None:
    """A feed as text without its declaration; None where its charset is none that a feed means."""
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
        except (LookupError, ValueError):  # unknown, or not what it is
            continue
    return body.decode("cp1252", "replace")


def _first_entries(text: str) -> str:
    """A feed with its first entries only, so that the time that it takes to parse has a bound."""
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
