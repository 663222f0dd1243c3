"""Reads the dates of feeds and sitemaps, in every form in which the web writes them.

The forms are those of ISO 8601 and RFC 822 with their usual mistakes, dates as people write them, and seconds since 1970. A zone may be a
name. What cannot be read of the time leaves the day; a day that can be read in two ways is none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

MAX_CHARACTERS = 100
# the month by the first letters of its name, in the languages whose feeds write dates so
MONTHS = {
    "jan": 1, "jän": 1, "ene": 1, "gen": 1, "janv": 1, "feb": 2, "fév": 2, "fev": 2, "fév.": 2, "mar": 3, "mär": 3, "mrz": 3, "maa": 3,
    "mrt": 3,    "apr": 4, "avr": 4, "abr": 4, "may": 5, "mai": 5, "mei": 5, "mag": 5, "maj": 5,
    "jun": 6, "giu": 6, "juin": 6, "jul": 7, "lug": 7,
    "juil": 7, "aug": 8, "aoû": 8, "ago": 8, "aou": 8, "sep": 9, "set": 9, "oct": 10, "okt": 10, "out": 10, "ott": 10, "nov": 11, "dec": 12,
    "dez": 12, "déc": 12, "dic": 12,
}  # fmt: skip
# hours from UTC. Of names with several meanings the one that feeds mean: IST is India's, CST and BST are North America's and Britain's
ZONES = {
    "z": 0.0, "ut": 0.0, "utc": 0.0, "gmt": 0.0, "wet": 0.0, "west": 1.0, "bst": 1.0, "cet": 1.0, "mez": 1.0, "cest": 2.0, "mesz": 2.0,
    "met": 1.0, "mest": 2.0, "eet": 2.0, "eest": 3.0, "sast": 2.0, "msk": 3.0, "trt": 3.0, "ist": 5.5, "pkt": 5.0, "wib": 7.0, "hkt": 8.0,
    "sgt": 8.0, "jst": 9.0, "kst": 9.0, "aest": 10.0, "aedt": 11.0, "acst": 9.5, "acdt": 10.5, "awst": 8.0, "nzst": 12.0, "nzdt": 13.0,
    "nst": -3.5, "ndt": -2.5, "ast": -4.0, "adt": -3.0, "est": -5.0, "edt": -4.0, "cst": -6.0, "cdt": -5.0, "mst": -7.0, "mdt": -6.0,
    "pst": -8.0, "pdt": -7.0, "akst": -9.0, "akdt": -8.0, "hst": -10.0, "brt": -3.0, "art": -3.0, "clt": -4.0,
}  # fmt: skip
EPOCH_SECONDS = re.compile(r"1\d{9}(?:\d{3})?\Z")
COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?(?=\D|\Z)")
DAY_FORMS = (
    re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})(?:[-/.](?P<d>\d{1,2}))?(?!\d)"),
    re.compile(r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4})(?!\d)"),
    re.compile(r"(?P<a>\d{1,2})[-/](?P<b>\d{1,2})[-/](?P<y>\d{4})(?!\d)"),
    re.compile(r"(?P<d>\d{1,2})(?:\.|st|nd|rd|th|º)?[\s-]+(?:de\s+)?(?P<n>[^\W\d_]{3,12})\.?,?[\s-]+(?:de\s+)?(?P<y>\d{4}|\d{2})(?!\d)"),
    re.compile(r"(?P<n>[^\W\d_]{3,12})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})(?!\d)"),
    re.compile(r"(?P<n>[^\W\d_]{3})\s+(?P<d>\d{1,2})\s+(?P<time>\d\d:\d\d:\d\d)\s+(?:[A-Z]{1,5}\s+)?(?P<y>\d{4})(?!\d)"),  # asctime
    re.compile(r"\A(?P<y>\d{4})\Z"),
)
CLOCK = re.compile(
    r"(?<![\d:])(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:[.,]\d{1,9})?)?(?![\d:])(?:\s*(?:([ap])\.?m\.?|uhr|h|hrs)(?![a-z]))?", re.IGNORECASE
)
OFFSET = re.compile(r"(?:(?:UTC|GMT)\s*)?([-+\u2212])\s?(\d{1,2})(?::?(\d{2}))?(?!\d)", re.IGNORECASE)
ZONE_NAME = re.compile(r"[(\[]?\s*([A-Za-z][A-Za-z_]{0,30}(?:/[A-Za-z_]{1,30}){0,2})")


def list_date(text: str | None) -> datetime | None:
    """A date as an aware datetime, in UTC where it names no zone; at the beginning of the day where it has no time that can be read."""
    text = (text or "").strip()
    if not text or len(text) > MAX_CHARACTERS:
        return None
    try:
        return _epoch(text) or _compact(text) or _written(text)
    except (ValueError, OverflowError):  # no such day
        return None


def _epoch(text: str) -> datetime | None:
    if not EPOCH_SECONDS.match(text):
        return None
    return datetime.fromtimestamp(int(text[:10]), UTC)


def _compact(text: str) -> datetime | None:
    found = COMPACT.match(text)
    if found is None or (found.end() < len(text) and not text[found.end() :].lstrip().startswith(("+", "-", "Z", "z", "."))):
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    offset = _offset(text[found.end() :]) if found[4] else UTC
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=offset) if offset else datetime(year, month, day, tzinfo=UTC)


def _written(text: str) -> datetime | None:
    for form in DAY_FORMS:
        found = form.search(text)
        parts = found.groupdict() if found else {}
        day = _day(parts) if found else None
        if found and day is not None:
            return _with_time(day, text if "time" in parts else text[: found.start()] + " " + text[found.end() :].lstrip("T,"))
    return None


def _day(parts: dict[str, str | None]) -> datetime | None:
    """The day, or None where its month is unknown. Raises ValueError where its numbers can be read in two ways."""
    year = int(parts["y"] or 0)
    if year < 100:
        year += 2000 if year < 70 else 1900  # as RFC 822's readers do
    if parts.get("a"):
        first, second = int(parts["a"] or 0), int(parts["b"] or 0)
        if first <= 12 and second <= 12 and first != second:
            raise ValueError("a month or a day")
        return datetime(year, *((second, first) if first > 12 else (first, second)), tzinfo=UTC)
    month = _month(parts["n"] or "") if "n" in parts else int(parts.get("m") or 1)
    return datetime(year, month, int(parts.get("d") or 1), tzinfo=UTC) if month else None


def _month(name: str) -> int | None:
    name = name.lower()
    return next((MONTHS[name[:length]] for length in (4, 3) if name[:length] in MONTHS), None)


def _with_time(day: datetime, rest: str) -> datetime:
    found = CLOCK.search(rest)
    if found is None:
        return day
    hour, minute, second = int(found[1]), int(found[2]), min(int(found[3] or 0), 59)  # 60: a leap second
    half = (found[4] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0) if 1 <= hour <= 12 else 24 + 1
    offset = _offset(rest[found.end() :])
    if offset is None or minute > 59 or hour > 24 or (hour == 24 and (minute or second)):
        return day
    return (day + timedelta(hours=hour, minutes=minute, seconds=second)).replace(tzinfo=offset)


def _offset(rest: str) -> tzinfo | None:
    """The zone behind a time; UTC where none is written, None where it cannot be read."""
    rest = rest.strip()
    number, name = OFFSET.match(rest), ZONE_NAME.match(rest)
    if number:
        minutes = int(number[2]) * 60 + int(number[3] or 0)
        return timezone(timedelta(minutes=minutes if number[1] == "+" else -minutes)) if minutes < 24 * 60 else None
    if name is None:
        return UTC
    if "/" in name[1]:
        return _zone(name[1])
    hours = ZONES.get(name[1].lower())
    return timezone(timedelta(hours=hours)) if hours is not None else None


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError):  # no such zone
        return None
