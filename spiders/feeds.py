"""RSS and Atom: the pages that a feed names, with what it says of them."""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime

from schemas.page import Hints

MAX_ENTRIES = 5_000
MAX_TITLE_CHARACTERS = 500


def feed_entries(body: bytes) -> Iterator[tuple[str, Hints]]:
    """The entries of a feed: each link as written, and its title and date. Nothing for what is no feed."""
    import feedparser  # here: most workers never meet a feed, and it weighs

    try:
        parsed = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    except (ValueError, LookupError):  # its charset is none that a feed means
        return
    for entry in parsed.entries[:MAX_ENTRIES]:
        link = entry.get("link")
        if link:
            title = (entry.get("title") or "").strip()[:MAX_TITLE_CHARACTERS] or None
            yield link, Hints(title, _moment(entry.get("published_parsed") or entry.get("updated_parsed")), "feed")


def _moment(parsed: time.struct_time | None) -> datetime | None:
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None
