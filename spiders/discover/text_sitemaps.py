"""Reads sitemaps that are plain text: a URL a line, perhaps with further columns, such as the date of the last change."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from schemas.web.list_dates import list_date
from spiders.urls.listed_address import MAX_CHARACTERS, listed_addresses

MAX_COLUMNS = 10
_DATE = r"\d{4}-\d\d-\d\d(?:[T ][\d:.]{4,20}[\w:+-]{0,10})?|\d{1,2}[./]\d{1,2}[./]\d{4}(?: [\d:]{4,8})?"
_SIGN = rf"{_DATE}|[01]\.\d{{1,2}}|always|hourly|daily|weekly|monthly|yearly|never"  # no URL ends so behind a comma
FIRST_DATE = re.compile(rf"\s{{0,20}}[\"']?({_DATE})[\"']?\s{{0,20}}[,;|\t]\s{{0,20}}", re.IGNORECASE)
COLUMN = re.compile(rf"({_SIGN})|[01]?", re.IGNORECASE)
AROUND_COLUMN = " \t\r\n\"'"
MAX_COLUMN_CHARACTERS = 60
# the names of the columns
HEADER = r"(?:[\"']?(?:urls?|loc|location|address|link|page)[\"']?[ \t]*(?:[,;|\t][^\n<]{0,200})?\r?\n)"
URL_LINE = re.compile(
    rf"(?:[^\S\n]*(?:[#;][^\n]*)?\n){{0,200}}+{HEADER}?\s*(?:[\"']?\d{{4}}-\d\d-\d\d[^,;|\t\n]{{0,30}}[,;|\t]\s{{0,20}})?[\"'<]?https?://",
    re.IGNORECASE,
)


def is_text_sitemap(text: str) -> bool:
    """Whether a text begins with a URL, perhaps behind comments."""
    return URL_LINE.match(text) is not None


def text_entries(text: str, most: int) -> Iterator[tuple[str, datetime | None]]:
    """The first URLs of a text as written, with the date in their line."""
    lines = islice(io.StringIO(text if "\n" in text else text.replace("\r", "\n")), most)
    entries = ((address, moment) for line in lines for address, moment in _line_entries(line[:MAX_CHARACTERS]))
    return islice((entry for entry in entries if entry[0][:8].lower().startswith(("http://", "https://"))), most)


def _line_entries(line: str) -> Iterator[tuple[str, datetime | None]]:
    first = FIRST_DATE.match(line)
    address, signs = _without_columns(line[first.end() :] if first else line.rstrip())
    dates = (list_date(one) for one in ([first[1]] if first else signs))
    moment = next((date for date in dates if date), None)
    return ((one, moment) for one in listed_addresses(address))


def _without_columns(line: str) -> tuple[str, list[str]]:
    """A line without the columns behind its URL, and those that are surely columns. Without such a one the line stays as it is."""
    rest, signs = line, list[str]()
    for _ in range(MAX_COLUMNS):
        end = max(rest.rfind(separator, -MAX_COLUMN_CHARACTERS) for separator in ",;|\t")
        found = COLUMN.fullmatch(rest[end + 1 :].strip(AROUND_COLUMN)) if end >= 0 else None
        if found is None:
            break
        rest = rest[:end].rstrip(AROUND_COLUMN)
        signs += [found[1]] if found[1] else []
    return (rest, signs) if signs else (line, signs)
