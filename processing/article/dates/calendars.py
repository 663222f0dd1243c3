"""Dates in calendars other than the Gregorian: Japanese eras, the Republic of China, Thailand's Buddhist era, Iran's solar years."""

from __future__ import annotations

import re
from datetime import date, timedelta

_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "民國": 1911, "民国": 1911}  # the year before the first
_ERA_DATE = re.compile(rf"({'|'.join(_ERAS)})\s*(元|\d{{1,3}})\s*年\s*(\d{{1,2}})\s*月\s*(\d{{1,2}})\s*日")
_PERSIAN_MONTHS = ["فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند"]
_PERSIAN_DATE = re.compile(rf"(\d{{1,2}})\s+({'|'.join(_PERSIAN_MONTHS)})\s+(?:ماه\s+)?(\d{{4}})")
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
BUDDHIST_YEARS_AHEAD = 543
_PERSIAN_YEARS = range(1343, 1473)  # for which the rule of leap years below holds
_PERSIAN_START = (1400, date(2021, 3, 21))  # a year and its first day

Day = tuple[int, int, int, int, int]  # year, month, day, and where its text begins and ends


def read_other_calendar(text: str) -> Day | None:
    """The day of a date that names its era, or a month of Iran's calendar."""
    if match := _ERA_DATE.search(text):
        year = _ERAS[match[1]] + (1 if match[2] == "元" else int(match[2]))
        return year, int(match[3]), int(match[4]), match.start(), match.end()
    if match := _THAI_DATE.search(text):
        return _thai(match)
    if match := _PERSIAN_DATE.search(text):
        day = _from_persian(int(match[3]), _PERSIAN_MONTHS.index(match[2]) + 1, int(match[1]))
        return (day.year, day.month, day.day, match.start(), match.end()) if day else None
    return None


def _thai(match: re.Match[str]) -> Day:
    day, *names, era, written = match.groups()
    year = int(written) + (_THAI_CENTURY if len(written) == 2 else 0)
    is_buddhist = era != "ค.ศ." and year in _THAI_YEARS
    month = next(number for number, name in enumerate(names, 1) if name)
    return year - BUDDHIST_YEARS_AHEAD if is_buddhist else year, month, int(day), match.start(), match.end()


def gregorian(found: Day, language: str | None) -> Day | None:
    """The day in the Gregorian calendar: pages in Thai and Persian count their years in their own. None: no such day."""
    year, month, day, start, end = found
    if year in _THAI_YEARS:
        return (year - BUDDHIST_YEARS_AHEAD, month, day, start, end) if (language or "").lower().startswith("th") else None
    if year in _PERSIAN_YEARS:
        own = _from_persian(year, month, day) if (language or "").lower().startswith(("fa", "ps")) else None
        return (own.year, own.month, own.day, start, end) if own else None
    return found


def _from_persian(year: int, month: int, day: int) -> date | None:
    if year not in _PERSIAN_YEARS or not 1 <= month <= 12 or not 1 <= day <= (31 if month <= 6 else 30):
        return None
    first_year, first_day = _PERSIAN_START
    years = range(min(year, first_year), max(year, first_year))
    days = sum(366 if (25 * past + 11) % 33 < 8 else 365 for past in years) * (1 if year >= first_year else -1)
    return first_day + timedelta(days=days + 31 * min(month - 1, 6) + 30 * max(month - 7, 0) + day - 1)
