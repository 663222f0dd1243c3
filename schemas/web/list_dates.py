"""Reads the dates of feeds, sitemaps, robots directives and foreign WARC files, in every form in which the web writes them.

The forms are those of ISO 8601 and RFC 822 with their usual mistakes, dates as people write them, and seconds since 1970. A zone may be a
name. What cannot be read of the time leaves the day; a day that can be read in two ways is none.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from schemas.web.date_words import AM_WORDS, PM_WORDS, month_of_date

MAX_CHARACTERS = 100
# hours from UTC. Of names with several meanings the one that feeds mean: IST is India's, CST and BST are North America's and Britain's
ZONES = {
    "z": 0.0, "ut": 0.0, "utc": 0.0, "gmt": 0.0, "wet": 0.0, "west": 1.0, "bst": 1.0, "cet": 1.0, "mez": 1.0, "cest": 2.0, "mesz": 2.0,
    "met": 1.0, "mest": 2.0, "eet": 2.0, "eest": 3.0, "sast": 2.0, "msk": 3.0, "trt": 3.0, "ist": 5.5, "pkt": 5.0, "wib": 7.0, "hkt": 8.0,
    "sgt": 8.0, "jst": 9.0, "kst": 9.0, "aest": 10.0, "aedt": 11.0, "acst": 9.5, "acdt": 10.5, "awst": 8.0, "nzst": 12.0, "nzdt": 13.0,
    "nst": -3.5, "ndt": -2.5, "ast": -4.0, "adt": -3.0, "est": -5.0, "edt": -4.0, "cst": -6.0, "cdt": -5.0, "mst": -7.0, "mdt": -6.0,
    "pst": -8.0, "pdt": -7.0, "akst": -9.0, "akdt": -8.0, "hst": -10.0, "brt": -3.0, "art": -3.0, "clt": -4.0,
}  # fmt: skip
EPOCH_SECONDS = re.compile(r"1\d{9}(?:\d{3})?(?:\.\d{1,9})?\Z")
NO_DATE = re.compile(r"-0001|0000[-/]00[-/]00")  # as programs write a date that is not set
UNSET_DAYS = frozenset(
    {date(1970, 1, 1), date(1899, 12, 30), date(1900, 1, 1), date(9999, 12, 31)}
)  # in lists: ends of programs' calendars
FIRST_YEAR = 100  # earlier ones, such as 0001, are dates that are not set
WEEK_OR_DAY = re.compile(r"(\d{4})-?(?:[Ww](\d\d)(?:-?([1-7]))?|(\d{3}))(?=[Tt\s]|\Z)")  # ISO 8601: 2024-W22-5, 2024-152
COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?(?=\D|\Z)")
WORD = r"(?P<n>[^\s\d,،./:+_|()\[\]]{2,20})"
DAY_FORMS = (
    re.compile(r"(?P<y>\d{4})(?:[-/.](?P<m>\d{1,2})(?:[-/.](?P<d>\d{1,2}))?|\.\s(?P<m2>\d{1,2})\.\s(?P<d2>\d{1,2})\.?)(?!\d)"),
    re.compile(r"(?P<y>\d{4})\s*[年년]\s*(?P<m>\d{1,2})\s*[月월]\s*(?P<d>\d{1,2})\s*[日일號号]?"),
    re.compile(r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4})(?!\d)"),
    re.compile(r"(?P<a>\d{1,2})[-/](?P<b>\d{1,2})[-/](?P<y>\d{4})(?!\d)"),
    re.compile(r"(?P<d>\d{1,2})\s+tháng\s+(?P<m>\d{1,2})(?:,|\s+năm)?\s+(?P<y>\d{4})(?!\d)", re.IGNORECASE),
    re.compile(
        rf"(?<![\d:])(?P<d>\d{{1,2}})(?:\.|st|nd|rd|th|er|º)?[\s-]*(?:de\s+|d['’])?{WORD}[.,،]{{0,2}}[\s-]+(?:del?\s+)?(?P<y>\d{{4}}|\d{{2}})(?!\d)",
        re.IGNORECASE,
    ),
    re.compile(rf"{WORD}\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[,،]?\s+(?P<y>\d{{4}})(?!\d)"),
    re.compile(rf"{WORD}\.?\s+(?P<d>\d{{1,2}})\s+(?P<time>\d\d:\d\d:\d\d)\s+(?:[A-Z]{{1,5}}\s+)?(?P<y>\d{{4}})(?!\d)"),  # asctime
    re.compile(rf"(?P<y>\d{{4}})(?:\.|(?:\(e\))?ko|\s+m\.|\s+оны)?\s+{WORD}\.?\s+(?P<d>\d{{1,2}})(?!\d)"),
    re.compile(rf"(?P<y>\d{{4}})\.\s?gada\s+(?P<d>\d{{1,2}})\.\s?{WORD}", re.IGNORECASE),
    re.compile(r"\A(?P<y>\d{4})\Z"),
)
CLOCK = re.compile(
    r"(?<![\d:])(\d{1,2})(?:[:.]|[時时點点시]\s?)(\d{2})[分분]?(?:[:.](\d{2})(?:[.,]\d{1,9})?)?(?![\d:])"
    r"(?:\s*(?:([ap])\.?m\.?|uhr|h|hrs|น\.|ч\.)(?![a-z]))?",
    re.IGNORECASE,
)
WORDS_BEFORE = frozenset(word for word in AM_WORDS | PM_WORDS if not word.isascii())  # `am` before a time may be German
OFFSET = re.compile(r"(?:(?:UTC|GMT)\s*)?([-+\u2212])\s?(\d{1,2})(?::?(\d{2}))?(?!\d)", re.IGNORECASE)
SIGNLESS = re.compile(r"\d{1,2}:\d\d(?!\d)")
ZONE_OF_DAY = re.compile(r"\s*[-+]\d\d:\d\d\s*")  # of a day without a time, as XML Schema has it
ZONE_NAME = re.compile(r"[(\[]?\s*([^\W\d_][^\W\d]{0,30}(?:/[^\W\d]{1,30}){0,2})")  # a word in another script is read as an unknown zone
BUDDHIST_YEARS, YEARS_AHEAD = range(2500, 2700), 543  # as Thai feeds write them


def list_date(text: str | None, language: str | None = None) -> datetime | None:
    """A date in a list, as `read_date` reads it; None also for those by which programs say that there is none."""
    found = read_date(text, language)
    return None if found is None or found.date() in UNSET_DAYS else found


def read_date(text: str | None, language: str | None = None) -> datetime | None:
    """A date as an aware datetime, in UTC where it names no zone; at the beginning of the day where it has no time that can be read.

    `language` is the list's own, if it names one.
    """
    text = (text or "").strip()
    if not text or len(text) > MAX_CHARACTERS or NO_DATE.search(text):
        return None
    try:
        found = _epoch(text) or _week_or_day(text) or _compact(text) or _written(text, language)
        return found if found is None or found.astimezone(UTC).year >= FIRST_YEAR else None
    except (ValueError, OverflowError):  # no such day, or none in UTC
        return None


def _epoch(text: str) -> datetime | None:
    if not EPOCH_SECONDS.match(text):
        return None
    return datetime.fromtimestamp(int(text[:10]), UTC)


def _week_or_day(text: str) -> datetime | None:
    found = WEEK_OR_DAY.match(text)
    if found is None:
        return None
    year, week, weekday, day_of_year = (int(part or 0) for part in found.groups())
    if not week and not 1 <= day_of_year <= 366:
        return None
    first = datetime.fromisocalendar(year, week, weekday or 1).replace(tzinfo=UTC) if week else datetime(year, 1, 1, tzinfo=UTC)
    day = first + timedelta(days=max(day_of_year - 1, 0))
    return _with_time(day, text[found.end() :].lstrip("Tt")) if week or day.year == year else None


def _compact(text: str) -> datetime | None:
    found = COMPACT.match(text)
    if found is None or (found.end() < len(text) and not text[found.end() :].lstrip().startswith(("+", "-", "Z", "z", "."))):
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    offset = _offset(text[found.end() :]) if found[4] else UTC
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=offset) if offset else datetime(year, month, day, tzinfo=UTC)


def _written(text: str, language: str | None) -> datetime | None:
    for form in DAY_FORMS:
        found = form.search(text)
        parts = found.groupdict() if found else {}
        day = _day(parts, language) if found else None
        if found and day is not None:
            return _with_time(day, text if "time" in parts else text[: found.start()] + " " + text[found.end() :].lstrip("T,"))
    return None


def _day(parts: dict[str, str | None], language: str | None) -> datetime | None:
    """The day, or None where its month is unknown. Raises ValueError where its numbers can be read in two ways."""
    written = parts["y"] or ""
    year = int(written or 0)
    year -= YEARS_AHEAD if year in BUDDHIST_YEARS else 0
    if len(written) < 4:
        year += 2000 if year < 70 else 1900  # as RFC 822's readers do
    if parts.get("a"):
        first, second = int(parts["a"] or 0), int(parts["b"] or 0)
        if first <= 12 and second <= 12 and first != second:
            raise ValueError("a month or a day")
        return datetime(year, *((second, first) if first > 12 else (first, second)), tzinfo=UTC)
    month = month_of_date(parts["n"] or "", language) if "n" in parts else int(parts.get("m") or parts.get("m2") or 1)
    return datetime(year, month, int(parts.get("d") or parts.get("d2") or 1), tzinfo=UTC) if month else None


def _with_time(day: datetime, rest: str) -> datetime:
    zone = ZONE_OF_DAY.fullmatch(rest)
    found = None if zone else CLOCK.search(rest)
    if found is None:
        return day.replace(tzinfo=_offset(zone[0]) or UTC) if zone else day
    hour, minute, second = int(found[1]), int(found[2]), min(int(found[3] or 0), 59)  # 60: a leap second
    half, behind = _half(found, rest)
    if half:
        hour = hour % 12 + (12 if half == "p" else 0) if 1 <= hour <= 12 or (half == "a" and hour == 0) else 24 + 1
    offset = _offset(behind)
    if offset is None or minute > 59 or hour > 24 or (hour == 24 and (minute or second)):
        return day
    return (day + timedelta(hours=hour, minutes=minute, seconds=second)).replace(tzinfo=offset)


def _half(clock: re.Match[str], text: str) -> tuple[str, str]:
    """The half of the day that a time is in, `a` or `p`, by the word behind or before it; empty if none says it. And what follows."""
    behind = text[clock.end() :].strip()
    if clock[4]:
        return clock[4].lower(), behind
    word, _, rest = behind.partition(" ")
    word = word.strip(",;()").lower()
    if word not in AM_WORDS | PM_WORDS:
        before = text[: clock.start()].rstrip()
        word, rest = next((one for one in WORDS_BEFORE if before.endswith(one) and not before[: -len(one)][-1:].isalpha()), ""), behind
    return ("a" if word in AM_WORDS else "p" if word else ""), rest


def _offset(rest: str) -> tzinfo | None:
    """The zone behind a time; UTC where none is written, None where it cannot be read, as where the sign of an offset was lost."""
    rest = rest.strip()
    if SIGNLESS.match(rest):
        return None
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
