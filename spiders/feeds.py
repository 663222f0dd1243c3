"""RSS and Atom: the pages that a feed names, with what it says of them."""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.page import Hints

MAX_ENTRIES = 5_000
MAX_TITLE_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A link as written, with its title and date; `modified_at` is what `updated` claims, where it is not that date again."""

    url: str
    modified_at: datetime | None
    hints: Hints


def feed_entries(body: bytes) -> Iterator[FeedEntry]:
    """The entries of a feed. Nothing for what is no feed."""
    import feedparser  # here: most workers never meet a feed, and it weighs

    try:
        parsed = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    except (ValueError, LookupError):  # its charset is none that a feed means
        return
    for entry in parsed.entries[:MAX_ENTRIES]:
        link = entry.get("link")
        if link:
            title = (entry.get("title") or "").strip()[:MAX_TITLE_CHARACTERS] or None
            updated = _moment(entry["updated_parsed"]) if "updated_parsed" in entry else None  # get() takes another date for it
            published = _moment(entry.get("published_parsed"))
            yield FeedEntry(link, updated if updated != published else None, Hints(title, published or updated, "feed"))


def _moment(parsed: time.struct_time | None) -> datetime | None:
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None
