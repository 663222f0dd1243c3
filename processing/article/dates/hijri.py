"""Dates in the Islamic calendar of Umm al-Qura, in which pages in Arabic are dated.

Source: the lengths of its months as the calendar is published, for the years from 1410 (1989) to 1500 (2077).
"""

from __future__ import annotations

import re
from datetime import date, timedelta

YEARS = range(1410, 1501)
_START = date(1989, 8, 2)  # of the first year
# Three digits for each year: a bit for each month, the first one highest; it is set where the month has 30 days instead of 29.
_LENGTHS = (
    "ba95b49ba4db25d52daa5ad4aea56d4bd23d91da95b4ab5a56d2b693b49b6556a9754b6a56caad555b29b92ba95d4ada55aaab595749764baa5b52b6a56d2ae9572a755"
    "35a95d49ba4dd26d535aaaad4b6a57527a95b4ab5536c9ae4b6a96b4ada55d25d92dc96d4ad6556d2b693749b64d72ab54b6a5752b6956b2ad94dc95d4aea56caad5556"
    "c97"
)
_MONTHS = (
    r"محرم", r"صفر", r"ربيع\sال[أا]ول", r"ربيع\sال(?:[آا]خر|ثان[يى])", r"جماد[ىي]\sال[أا]ول[ىي]?", r"جماد[ىي]\sال(?:[آا]خرة?|ثانية)",
    r"رجب", r"شعبان", r"رمضان", r"شوال", r"ذ[وي]\s?القعدة", r"ذ[وي]\s?الحجة",
)  # fmt: skip
_DATE = re.compile(
    rf"(?<!\d)(\d{{1,2}})\s?(?:من\s)?(?:شهر\s)?(?:{'|'.join(f'({name})' for name in _MONTHS)})(?:\s(?:المبار[كک]|الحرام))?[\s،,]{{1,3}}"
    r"(?:(?:سنة|عام|لعام)\s)?(\d{4})(?!\d)"
)


def read_hijri(text: str) -> tuple[date, int, int] | None:
    """The day of the first date with the name of an Islamic month, and where it begins and ends."""
    match = _DATE.search(text.replace("ی", "ي"))
    if match is None:
        return None
    day, *names, year = match.groups()
    month = next(number for number, name in enumerate(names, 1) if name)
    found = from_hijri(int(year), month, int(day))
    return (found, match.start(), match.end()) if found else None


def from_hijri(year: int, month: int, day: int) -> date | None:
    """The day in the Gregorian calendar; None where there is none such, or it is out of the range."""
    if year not in YEARS or not 1 <= month <= 12 or not 1 <= day <= _days(year, month):
        return None
    before = sum(_days(past, number) for past in range(YEARS.start, year) for number in range(1, 13))
    return _START + timedelta(days=before + sum(_days(year, number) for number in range(1, month)) + day - 1)


def _days(year: int, month: int) -> int:
    place = 3 * (year - YEARS.start)
    return 29 + (int(_LENGTHS[place : place + 3], 16) >> (12 - month) & 1)
