"""Dates in other calendars than the Gregorian: eras of Japan and of the Republic of China, Thailand's, Iran's and Islamic years."""

from __future__ import annotations

import re
from datetime import date, timedelta

from processing.article.dates.hijri import YEARS as _HIJRI_YEARS
from processing.article.dates.hijri import from_hijri, read_hijri

_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "民國": 1911, "民国": 1911}  # the year before the first
_ERA_DATE = re.compile(
    rf"({'|'.join(_ERAS)})\s*(元|\d{{1,3}})(?:\s*年\s*(\d{{1,2}})\s*月\s*(\d{{1,2}})\s*[日號号]|([./-])(\d{{1,2}})\5(\d{{1,2}}))(?!\d)"
)
_SHORT_ERAS = {"R": "令和", "H": "平成", "S": "昭和"}
_SHORT_ERA_DATE = re.compile(r"(?<![^\W_])([RHS])(\d{1,2})([./-])(\d{1,2})\3(\d{1,2})(?!\d)")  # on pages in Japanese: R7.3.7
_REPUBLIC_DATE = re.compile(r"(?<![\d./-])(1\d\d)([./-])(\d{1,2})\2(\d{1,2})(?![\d./-])")  # on pages in Chinese: 114-03-07
_PERSIAN_MONTHS = ["فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"]
_AFGHAN_MONTHS = ["حمل", "ثور", "جوزا", "سرطان", "اسد", "سنبله", "میزان", "عقرب", "قوس", "جدی", "دلو", "حوت"]
_PERSIAN_DATE = re.compile(
    rf"(\d{{1,2}})\s+(?:({'|'.join(_PERSIAN_MONTHS)})|({'|'.join(_AFGHAN_MONTHS)}))(?:[\s\u200c]?ماه)?[\s،]{{1,2}}(?:سال\s)?(\d{{4}})(?!\d)"
)
# Thailand's months, whole or shortened, with its era or the Christian one named or not.
_THAI_MONTHS = (
    "มกราคม|ม\\.ค\\.", "กุมภาพันธ์|ก\\.พ\\.", "มีนาคม|มี\\.ค\\.", "เมษายน|เม\\.ย\\.", "พฤษภาคม|พ\\.ค\\.", "มิถุนายน|มิ\\.ย\\.",
    "กรกฎาคม|ก\\.ค\\.", "สิงหาคม|ส\\.ค\\.", "กันยายน|ก\\.ย\\.", "ตุลาคม|ต\\.ค\\.", "พฤศจิกายน|พ\\.ย\\.", "ธันวาคม|ธ\\.ค\\.",
)  # fmt: skip
_THAI_DATE = re.compile(
    rf"(?<!\d)(\d{{1,2}})\s*(?:{'|'.join(f'({names})' for names in _THAI_MONTHS)})\s*(พ\.ศ\.|ค\.ศ\.)?\s*(\d{{4}}|\d\d(?!\d|:))"
)
_THAI_CENTURY = 2500  # of years of two digits
_THAI_YEARS = range(2500, 2700)
_RECENT_THAI_YEARS = range(2533, 2593)  # 1990 to 2049
BUDDHIST_YEARS_AHEAD = 543
_PERSIAN_YEARS = range(1343, 1473)  # for which the rule of leap years below holds
_PERSIAN_START = (1400, date(2021, 3, 21))  # a year and its first day

Day = tuple[int, int, int, int, int]  # year, month, day, and where its text begins and ends


def read_other_calendar(text: str, language: str | None) -> Day | None:
    """The day of a date that names its era, or a month of Iran's calendar. `language`: its pages have short names of eras."""
    if match := _ERA_DATE.search(text):
        year = _ERAS[match[1]] + (1 if match[2] == "元" else int(match[2]))
        return year, int(match[3] or match[6]), int(match[4] or match[7]), match.start(), match.end()
    if language and (own := _short_era(text, language.lower())):
        return own
    if match := _THAI_DATE.search(text):
        return _thai(match)
    if match := _PERSIAN_DATE.search(text):
        month = (_PERSIAN_MONTHS.index(match[2]) if match[2] else _AFGHAN_MONTHS.index(match[3])) + 1
        day = _from_persian(int(match[4]), month, int(match[1]))
        return (day.year, day.month, day.day, match.start(), match.end()) if day else None
    return None


def read_islamic_month(text: str) -> Day | None:
    """The day of a date with the name of an Islamic month, which often stands beside the same day in the Gregorian calendar."""
    found = read_hijri(text)
    return (found[0].year, found[0].month, found[0].day, found[1], found[2]) if found else None


def _short_era(text: str, language: str) -> Day | None:
    """The day of a date whose era only readers of a language know."""
    if language.startswith("ja") and (match := _SHORT_ERA_DATE.search(text)):
        return _ERAS[_SHORT_ERAS[match[1]]] + int(match[2]), int(match[4]), int(match[5]), match.start(), match.end()
    if language.startswith("zh") and (match := _REPUBLIC_DATE.search(text)):
        return _ERAS["民國"] + int(match[1]), int(match[3]), int(match[4]), match.start(), match.end()
    return None


def _thai(match: re.Match[str]) -> Day:
    day, *names, era, written = match.groups()
    year = int(written) + (_THAI_CENTURY if len(written) == 2 else 0)
    is_buddhist = era != "ค.ศ." and year in _THAI_YEARS
    month = next(number for number, name in enumerate(names, 1) if name)
    return year - BUDDHIST_YEARS_AHEAD if is_buddhist else year, month, int(day), match.start(), match.end()


def gregorian(found: Day, language: str | None) -> Day | None:
    """The day in the Gregorian calendar: pages in Thai, Persian and Arabic count their years in their own. None: no such day."""
    year, month, day, start, end = found
    if year in _THAI_YEARS:  # near to ours they are Thailand's in all languages
        is_thai = year in _RECENT_THAI_YEARS or (language or "").lower().startswith("th")
        return (year - BUDDHIST_YEARS_AHEAD, month, day, start, end) if is_thai else None
    own: date | None = None
    if year in _HIJRI_YEARS and (language or "").lower().startswith("ar"):
        own = from_hijri(year, month, day)
    elif year in _PERSIAN_YEARS:
        own = _from_persian(year, month, day) if (language or "").lower().startswith(("fa", "ps")) else None
    else:
        return found
    return (own.year, own.month, own.day, start, end) if own else None


def _from_persian(year: int, month: int, day: int) -> date | None:
    if year not in _PERSIAN_YEARS or not 1 <= month <= 12 or not 1 <= day <= (31 if month <= 6 else 30):
        return None
    first_year, first_day = _PERSIAN_START
    years = range(min(year, first_year), max(year, first_year))
    days = sum(366 if (25 * past + 11) % 33 < 8 else 365 for past in years) * (1 if year >= first_year else -1)
    return first_day + timedelta(days=days + 31 * min(month - 1, 6) + 30 * max(month - 7, 0) + day - 1)
