"""Dates of other calendars, and in other numerals, where the text or the page's language declares them."""

from datetime import date

import pytest

from processing.article.dates.dates import read_date
from processing.article.dates.hijri import from_hijri


@pytest.mark.parametrize(
    ("language", "text", "moment"),
    [
        ("ja", "二〇二五年三月七日", "2025-03-07 00:00"),
        ("ja", "令和七年三月七日", "2025-03-07 00:00"),
        ("ja", "平成三十一年四月三十日 午後三時半", "2019-04-30 15:30"),
        ("ja", "H31/4/30 21:30", "2019-04-30 21:30"),
        ("ja", "令和7.3.7", "2025-03-07 00:00"),
        ("zh", "二零二五年十月三十日 21:30", "2025-10-30 21:30"),
        ("zh", "2025年三月七日 下午三点二十分", "2025-03-07 15:20"),
        ("zh-TW", "民國一百一十四年三月七日", "2025-03-07 00:00"),
        ("zh-TW", "114.03.07 21:30", "2025-03-07 21:30"),
        ("ar", "٧ رمضان ١٤٤٦هـ", "2025-03-07 00:00"),
        ("ar", "9 ذو الحجة 1446", "2025-06-05 00:00"),
        ("ar", "1446-09-07 هـ 9:30 م", "2025-03-07 21:30"),
        ("ar", "الجمعة 7 رمضان 1446هـ الموافق 7 مارس 2025م", "2025-03-07 00:00"),
        ("ur", "7 رمضان المبارک 1446", "2025-03-07 00:00"),
        ("fa", "۱۷ اسفند‌ماه ۱۴۰۳", "2025-03-07 00:00"),
        ("fa", "17 حوت 1403", "2025-03-07 00:00"),
        ("en", "7 March 2568", "2025-03-07 00:00"),
        ("en", "15 Nisan 5785 | 13 April 2025", "2025-04-13 00:00"),
        ("en", "Nisan 15, 5785, 13 April 2025", "2025-04-13 00:00"),
    ],
)
def test_declared_calendars(language: str, text: str, moment: str) -> None:
    found = read_date(text, month_first=False, language=language)
    assert found is not None
    assert f"{found[0]:%Y-%m-%d %H:%M}" == moment


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "R7.3.7"),
        ("en", "114-03-07"),
        ("zh", "版本 114.3.7.2"),
        ("en", "1446/09/07"),
        ("en", "6 Adar 5785"),
        ("en", "Nisan 15, 5785"),
        ("ar", "30 صفر 1447"),
        ("ja", "一年一月一日"),
    ],
)
def test_no_date_is_guessed(language: str, text: str) -> None:
    """Version numbers, years of no declared calendar, days that a month does not have."""
    assert read_date(text, month_first=False, language=language) is None


def test_the_islamic_calendar_has_every_day_once() -> None:
    assert from_hijri(1410, 1, 1) == date(1989, 8, 2)
    assert from_hijri(1500, 12, 29) == date(2077, 11, 15)
    assert from_hijri(1501, 1, 1) is None
