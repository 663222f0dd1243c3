"""Reads JSON feeds (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from schemas.page import Hints
from schemas.web.list_dates import list_date
from spiders.discover.titles import plain_title
from spiders.urls.listed_address import listed_address

SIGN = re.compile(r"https?:\\?/\\?/jsonfeed\.org\\?/version\\?/")
SIGN_CHARACTERS = 2_000  # from the beginning, in which the version stands
WEB = ("http://", "https://")


class _Item(msgspec.Struct):
    url: str | None = None
    external_url: str | None = None
    id: str | int | float | None = None
    title: str | None = None
    date_published: str | None = None
    date_modified: str | None = None


class _Feed(msgspec.Struct):
    items: list[msgspec.Raw] = []
    language: str | None = None


def is_json_feed(text: str) -> bool:
    """Whether a text begins like a JSON feed."""
    return text[:SIGN_CHARACTERS].lstrip().startswith("{") and SIGN.search(text, 0, SIGN_CHARACTERS) is not None


def json_entries(text: str, most: int) -> Iterator[tuple[str, datetime | None, Hints]]:
    """The first entries of a feed: the link as written, when it was changed, title and date. Items that are malformed are left out."""
    try:
        feed = msgspec.json.decode(text, type=_Feed)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return
    for raw in feed.items[:most]:
        try:
            item = msgspec.json.decode(raw, type=_Item)
        except (msgspec.MsgspecError, RecursionError):
            continue
        link = listed_address(item.url) or (item.id if isinstance(item.id, str) and item.id.startswith(WEB) else "")
        if link:
            published, modified = list_date(item.date_published, feed.language), list_date(item.date_modified, feed.language)
            hints = Hints(plain_title(item.title), published or modified, "feed")
            yield link, modified if modified != published else None, hints
