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

SIGN = re.compile(r"\"version\"\s{0,20}:\s{0,20}\"https?:\\?/\\?/(?:www\.)?jsonfeed\.org\\?/version\\?/")
SIGN_CHARACTERS = 128 * 1024  # from the beginning; the version may stand behind the items
LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
WEB = ("http://", "https://")


class _Item(msgspec.Struct):
    url: str | None = None
    external_url: str | None = None
    id: str | int | float | None = None
    title: str | int | float | None = None
    date_published: str | int | float | None = None
    date_modified: str | int | float | None = None


class _Feed(msgspec.Struct):
    items: list[msgspec.Raw] = []
    language: str | None = None


def is_json_feed(text: str) -> bool:
    """Whether a text begins like a JSON feed."""
    return text[:SIGN_CHARACTERS].lstrip().startswith("{") and SIGN.search(text, 0, SIGN_CHARACTERS) is not None


def json_entries(text: str, most: int) -> Iterator[tuple[str, datetime | None, Hints]]:
    """The first entries of a feed: the link as written, when it was changed, title and date. Items that are malformed are left out."""
    try:
        feed = msgspec.json.decode(LONE_SURROGATE.sub("", text), type=_Feed)  # of a title that was cut in a character
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return
    for raw in feed.items[:most]:
        try:
            item = msgspec.json.decode(raw, type=_Item)
        except (msgspec.MsgspecError, RecursionError):
            continue
        link = listed_address(item.url) or (item.id if isinstance(item.id, str) and item.id.startswith(WEB) else "")
        if link:
            published, modified = (_date(date, feed.language) for date in (item.date_published, item.date_modified))
            hints = Hints(plain_title(str(item.title or "")), published or modified, "feed")
            yield link, modified if modified != published else None, hints


def _date(date: str | float | None, language: str | None) -> datetime | None:
    """A date as a text, or as seconds or milliseconds since 1970."""
    return list_date(str(int(date)) if isinstance(date, int | float) else date, language)
