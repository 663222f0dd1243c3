"""Read a date and time from text: ISO 8601 and the other forms on web pages, in many languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from processing.article.dates.calendars import Day, gregorian, read_islamic_month, read_other_calendar
from processing.article.dates.clocks import Clock, has_unread_clock, read_clock
from processing.article.dates.months import joined_months, month_number
from processing.article.dates.numerals import with_digits
from processing.article.dates.zones import LARGEST_OFFSET
from processing.article.tree.characters import without_invisible
from schemas.web.date_words import MONTHS

JEWISH_YEARS = 5000
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_WORD = r"([^\s\d,./_|()\[\]]{2,20})"
# Also as in Korea: 2024. 3. 5.
_ISO = re.compile(r"(?<!\d)(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|(?:\.\s(\d{1,2})\.\s|\s/\s(\d{1,2})\s/\s)(\d{1,2})\.?)(?!\d)")
# Most dates in markup. They have no year of another calendar, and Python's own reader is ten times as fast as the patterns.
_MACHINE = re.compile(r"(?:199|20\d)\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_COMPACT = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d{1,9})?)?)?(?=Z|\s?[+-]|$)(.*)$")
_CJK = re.compile(r"(\d{4})\s*(?:[年년]|оны)\s*(\d{1,2})\s*(?:[月월]|(?:-р\s)?сарын)\s*(\d{1,2})\s*[日일號号]?")
_VIETNAMESE = re.compile(r"(?<!\d)(\d{1,2})\s+(?:tháng|thg)\s+(\d{1,2})(?:,|\s+năm)?\s+(\d{4})(?!\d)", re.IGNORECASE)
_DAY_FIRST = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th|mh|er|an|\s?\.|º)?\s*(?:de\s+|of\s+|ng\s+|d['’])?(?:\s?[-\s/]\s?)?{_WORD}(?:/[^\W\d_]+|\s?\([^\W\d_]+\))?"
    r"(?:\.?,?\s?[-\s/]\s*|\.)(?:de\s+|del\s+)?(\d{4})(?!\d)",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(rf"(?<![^\W_]){_WORD}(?:\.\s*|\s+)(\d{{1,2}})(?:st|nd|rd|th)?(?:\s*,\s*|\s+)(\d{{4}})(?!\d)", re.IGNORECASE)
_YEAR_FIRST = re.compile(rf"(?<!\d)(\d{{4}})(?:(?:[.,]|(?:\(e\))?ko|\s+m\.|\s+оны)?\s+|-){_WORD}(?:\.?\s+|-)(\d{{1,2}})(?!\d)")
_LATVIAN = re.compile(rf"(?<!\d)(\d{{4}})(?:\.\s?gada|\s?ж\.|\s?-?yil|\s?жылғы)\s+(\d{{1,2}})[-.]?\s?{_WORD}", re.IGNORECASE)
_YEAR_LAST = re.compile(r"([^\W\d_]{3,9}\.?\s+\d{1,2})\s+(\d{1,2}:\d{2}(?::\d{2})?)\s+((?:[A-Z]{2,5}|[+-]\d{4})\s+)?(\d{4})(?!\d)")
_NUMERIC = re.compile(r"(?<![\d/.-])(\d{1,2})(?:([/.-])(\d{1,2})\2(\d{4}|\d{2})|(\.\s|\s/\s)(\d{1,2})\5(\d{4}))(?![\d/])")
_WEEKDAY = re.compile(r"\b(mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b", re.IGNORECASE)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Also with a fraction, and as ASP.NET writes it: /Date(1741339800000)/.
_UNIX = re.compile(r"^(?:\d{10}|\d{13})(?:\.\d{1,9})?$|^\\?/?Date\((?P<date>\d{12,13})(?:[+-]\d{4})?\)\\?/?$")
# A dash as the sign of an offset behind a time.
_DASHED_OFFSET = re.compile(r"(?<=T)(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)[\u2010-\u2013](?=\d\d:?\d\d$)")
_SIGNS = str.maketrans({"\u2212": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\uff1a": ":"})
_PATH = re.compile(r"/((?:19|20)\d{2})[/_-]?(0[1-9]|1[0-2]|[a-z]{3,9})[/_-]?(0[1-9]|[12]\d|3[01])(?=[/_.+-]|$)", re.IGNORECASE)
# At the end of the last name, as in /mill-20250304.html.
_PATH_END = re.compile(r"[a-z][-_]((?:19|20)\d{2})([-_]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?:\.[a-z]{3,5})?/?$", re.IGNORECASE)


def read_date(text: str | None, month_first: bool = True, language: str | None = None) -> tuple[datetime, str | None] | None:
    """The first date in a text, time-zone aware, and its UTC offset as written (`+02:00`). Without an offset: UTC and None.

    `month_first`: 05/06/2024 is in May. `language` is the page's: its names of months are known. A time that cannot be read for certain is
    left out. None if the text has no valid date.
    """
    if text and _MACHINE.fullmatch(text) and (moment := _from_machine(text)):
        return moment
    text = _cleaned(text)
    if not any(map(str.isdigit, text)):
        return None
    try:
        return _numbers(text) or _day_and_time(_YEAR_LAST.sub(r"\1 \4 \2 \3", text), month_first, language) or _mail(text)
    except (ValueError, OverflowError):
        return None


def _from_machine(text: str) -> tuple[datetime, str | None] | None:
    """The moment of a date as machines write it. None: no such moment, or one that needs a closer look, such as 24:00."""
    try:
        moment = datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        return None
    offset = moment.utcoffset()
    if offset is None:
        return moment.replace(tzinfo=UTC), None
    return (moment, _offset(moment)) if abs(offset) <= LARGEST_OFFSET else None


def has_unread_time(text: str, month_first: bool = True, language: str | None = None) -> bool:
    """Whether a time stands beside the date that `read_date` finds in a text, but is left out, because it cannot be (25:00)."""
    text = _cleaned(text)
    if (match := _COMPACT.match(text)) and not _UNIX.match(text):
        return bool(match[4]) and _compact_clock(match) is None
    text = _YEAR_LAST.sub(r"\1 \4 \2 \3", text)
    found = _day(text, month_first, language)
    return found is not None and has_unread_clock(text[found[2] :], text[: found[1]], language, iso=found[3])


def _cleaned(text: str | None) -> str:
    text = without_invisible((text or "").strip()[:200]).translate(_SIGNS)
    return text if text.isascii() else _DASHED_OFFSET.sub(r"\1-", joined_months(with_digits(text)))


def _day_and_time(text: str, month_first: bool, language: str | None) -> tuple[datetime, str | None] | None:
    found = _day(text, month_first, language)
    if found is None:
        return None
    midnight, start, end, is_iso = found
    clock = read_clock(text[end:], text[:start], language, iso=is_iso)
    if clock is None:
        return midnight, None
    moment = clock.on(midnight)
    return moment, _offset(moment) if clock.zone else None


def _day(text: str, month_first: bool, language: str | None) -> tuple[datetime, int, int, bool] | None:
    """The midnight of the first date in a text, where it begins and ends, and whether it is written as in ISO 8601."""
    iso = _iso(text)
    found = iso or read_other_calendar(text, language) or _cjk(text) or _words(text, language) or _numeric(text, month_first)
    found = found or (None if text.isascii() else read_islamic_month(text))
    own = gregorian(found, language) if found else None
    if own is None:
        return None
    year, month, day, start, end = own
    return datetime(year, month, day, tzinfo=UTC), start, end, bool(iso)


def date_in_url(url: str) -> datetime | None:
    """The day in the path of a URL, such as /2024/05/31/, /2024-05-31-title or /title-20240531.html; midnight UTC."""
    path = url.split("?", maxsplit=1)[0]
    start = path.find("/", len("https://"))
    if (match := _PATH.search(path)) is not None:
        year, written, day = match.groups()
    elif start >= 0 and (match := _PATH_END.search(path, start)) is not None:
        year, _, written, day = match.groups()
    else:
        return None
    month = int(written) if written.isdigit() else MONTHS.get(written.lower())
    try:
        return datetime(int(year), month, int(day), tzinfo=UTC) if month else None
    except ValueError:
        return None


def _iso(text: str) -> Day | None:
    match = _ISO.search(text)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups() if part)
    if month > 12 >= day:
        month, day = day, month
    return year, month, day, match.start(), match.end()


def _numbers(text: str) -> tuple[datetime, str | None] | None:
    if unix := _UNIX.match(text):
        seconds = int(unix["date"]) // 1000 if unix["date"] else int(text[:10])
        return datetime.fromtimestamp(seconds, UTC), "+00:00"
    match = _COMPACT.match(text)
    if match is None:
        return None
    day = datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=UTC)
    clock = _compact_clock(match)
    if clock is None:
        return day, None
    moment = clock.on(day)
    return moment, _offset(moment) if clock.zone else None


def _compact_clock(match: re.Match[str]) -> Clock | None:
    """The time in a date without separators."""
    time = ":".join(part for part in match.groups()[3:6] if part)
    return read_clock(f"T{time}{match[7]}", "", None, iso=True) if time else None


def _cjk(text: str) -> Day | None:
    if match := _CJK.search(text):
        return int(match[1]), int(match[2]), int(match[3]), match.start(), match.end()
    if match := _VIETNAMESE.search(text):
        return int(match[3]), int(match[2]), int(match[1]), match.start(), match.end()
    return None


def _words(text: str, language: str | None) -> Day | None:
    for pattern, year, month, day in ((_MONTH_FIRST, 3, 1, 2), (_DAY_FIRST, 3, 2, 1), (_YEAR_FIRST, 1, 2, 3), (_LATVIAN, 1, 3, 2)):
        for match in pattern.finditer(text):
            # Nisan is April in Turkish; with a year of the Jewish calendar the day in ours may stand beside it.
            if int(match[year]) < JEWISH_YEARS and (number := month_number(match[month], language)):
                return int(match[year]), number, int(match[day]), match.start(), match.end()
    return None


def _numeric(text: str, month_first: bool) -> Day | None:
    match = _NUMERIC.search(text)
    if match is None:
        return None
    sign, others = (match[2], (match[3], match[4])) if match[2] else (match[5].strip(), (match[6], match[7]))
    first, (second, year) = int(match[1]), map(int, others)
    year += 2000 if year < 100 else 0
    if month_first and sign != "." and (weekday := _WEEKDAY.search(text)):
        month_first = not _is_weekday(weekday[1], year, second, first) or _is_weekday(weekday[1], year, first, second)
    if second > 12 or (month_first and sign != "." and first <= 12):
        first, second = second, first
    return year, second, first, match.start(), match.end()


def _is_weekday(name: str, year: int, month: int, day: int) -> bool:
    """Whether a day, if there is such a one, is the weekday of that English name."""
    try:
        return _WEEKDAYS.index(name[:3].lower()) == datetime(year, month, day, tzinfo=UTC).weekday()
    except ValueError:
        return False


def _mail(text: str) -> tuple[datetime, str | None] | None:
    moment = parsedate_to_datetime(text)
    return (moment, _offset(moment)) if moment.tzinfo else (moment.replace(tzinfo=UTC), None)


def _offset(moment: datetime) -> str:
    return moment.isoformat()[-6:]
