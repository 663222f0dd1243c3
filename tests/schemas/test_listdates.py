"""Dates as feeds and sitemaps write them."""

from datetime import UTC, datetime

import pytest
from babel import Locale

from schemas.web.list_dates import list_date
from spiders.discover.feeds import feed_entries

DAY, TEN = "2024-05-31T00:00:00+00:00", "2024-05-31T10:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-31", DAY),
        ("2024-05", "2024-05-01T00:00:00+00:00"),
        ("2024", "2024-01-01T00:00:00+00:00"),
        ("2024-5-1", "2024-05-01T00:00:00+00:00"),
        ("20240531", DAY),
        ("2024/05/31 10:00", TEN),
        ("2024-05-31T10:00Z", TEN),
        ("2024-05-31T12:00:00+02:00", TEN),
        ("2024-05-31 12:00:00 +0200", TEN),
        ("2024-05-31T12:00:00+02", TEN),
        ("2024-05-31T10:00:00.123456789Z", TEN),
        ("2024-05-31T10:00:60Z", "2024-05-31T10:00:59+00:00"),
        ("2024-05-31T24:00:00Z", "2024-06-01T00:00:00+00:00"),
        ("20240531T100000Z", TEN),
        ("20240531100000", TEN),
        ("1717149600", TEN),
        ("1717149600000", TEN),
        ("Fri, 31 May 2024 10:00:00 GMT", TEN),
        ("Fri, 31 May 24 10:00 UT", TEN),
        ("Fri, 31 May 2024 12:00:00 CEST", TEN),
        ("Fri, 31 May 2024 12:00:00 (CEST)", TEN),
        ("Mi, 31 Mai 2024 12:00:00 MESZ", TEN),
        ("Fri, 31 May 2024 15:30:00 IST", TEN),
        ("Fri, 31 May 2024 06:00:00 America/New_York", TEN),
        ("Fri, 31 May 2024 06:00:00 GMT-4", TEN),
        ("Fri May 31 10:00:00 2024", TEN),
        ("Fri May 31 12:00:00 CEST 2024", TEN),
        ("31-May-2024 10:00", TEN),
        ("31.05.2024 10:00 Uhr", TEN),
        ("31. Mai 2024", DAY),
        ("31 de mayo de 2024", DAY),
        ("31 août 2024", "2024-08-31T00:00:00+00:00"),
        ("May 31, 2024 10:00 AM", TEN),
        ("Friday, May 31st, 2024", DAY),
        ("3:15 p.m., May 31, 2024", "2024-05-31T15:15:00+00:00"),
        ("05/31/2024 12:30 am", "2024-05-31T00:30:00+00:00"),
        ("31/05/2024", DAY),
        ("Παρ, 31 Μαΐου 2024 12:00:00 +0200", TEN),
        ("31 ΜΑΪΟΥ 2024", DAY),
        ("31 Μαΐου 2024, 10:00 π.μ.", TEN),
        ("31 Μαΐου 2024 9:30 μ.μ.", "2024-05-31T21:30:00+00:00"),
        ("31 mai 2024", DAY),
        ("31. svibnja 2024.", DAY),
        ("2024. május 31. 10:00", TEN),
        ("2024. május 07", "2024-05-07T00:00:00+00:00"),
        ("2024 m. gegužės 31 d.", DAY),
        ("2024. gada 31. maijs", DAY),
        ("31 مايو، 2024", DAY),
        ("31 พฤษภาคม 2567 10:00 น.", TEN),
        ("31 मई 2024", DAY),
        ("2024年5月31日 午前10:00", TEN),
        ("2024년 5월 31일 오전 10시 00분", TEN),
        ("2024. 5. 31. 10:00", TEN),
        ("31 tháng 5, 2024", DAY),
        ("31 de maig del 2024", DAY),
        ("5. Jänner 2024", "2024-01-05T00:00:00+00:00"),
        ("5 AOUT 2024", "2024-08-05T00:00:00+00:00"),
        ("5 Ağu 2024", "2024-08-05T00:00:00+00:00"),
        ("2024-W22-5", DAY),
        ("2024W225T10:00:00Z", TEN),
        ("2024-W22", "2024-05-27T00:00:00+00:00"),
        ("2024-152", DAY),
        ("1717149600.25", TEN),
        ("2024-05-31+02:00", "2024-05-30T22:00:00+00:00"),
        ("05/31/2024 00:30 AM", "2024-05-31T00:30:00+00:00"),
        ("am 31. Mai 2024 15:30 Uhr", "2024-05-31T15:30:00+00:00"),
    ],
)
def test_every_form_of_a_date(text: str, moment: str) -> None:
    found = list_date(f" {text}\n")
    assert found is not None
    assert found.astimezone(UTC) == datetime.fromisoformat(moment)


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-31T10:00:00 XYZ",
        "2024-05-31T25:00:00Z",
        "2024-05-31T10:71Z",
        "31 May 2024 13:00 am",
        "2024-05-31 at noon",
        "31 May 2024 10:00 вечера",
        "2024-05-31T10:00:00 02:00",
    ],
)
def test_a_time_that_cannot_be_read_leaves_the_day(text: str) -> None:
    assert list_date(text) == datetime(2024, 5, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "2023-366",
        "2024-W54",
        "today",
        "0000-00-00T00:00:00Z",
        "2024-13-40",
        "05/06/2024",
        "31 Foo 2024",
        "31 Marines 2024",
        "1e9",
        "9" * 500,
        "12345",
        "-0001-11-30T00:00:00+00:00",
        "Wed, 30 Nov -0001 00:00:00 +0000",
        "2024-W60",
        "2024-367",
        "2024-02-30",
        "0001-01-01T00:00:00",
        "Mon, 01 Jan 0001 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 +0000",
        "9999-12-31T23:59:59-05:00",
    ],
)
def test_what_is_no_day_or_two_days_is_no_date(text: str | None) -> None:
    assert list_date(text) is None


TAGS = "el fi hu hr lt lv ro ca eu cy is sq sk sl mk ka hy he hi ta sw af mt lb br kk uz ms"


@pytest.mark.parametrize("tag", TAGS.split())
def test_months_as_cldr_has_them(tag: str) -> None:
    names = Locale.parse(tag).months["format"]
    for number in range(1, 13):
        for width in ("wide", "abbreviated"):
            found = list_date(f"7 {names[width][number]} 2024", tag)
            assert found == datetime(2024, number, 7, tzinfo=UTC), names[width][number]


def test_a_name_that_languages_share_is_that_of_the_feed_s_language() -> None:
    feed = "<rss><channel>{}<item><link>https://a.example/1</link><pubDate>7 listopada 2024</pubDate></item></channel></rss>"
    months = {}
    for language in ("", "<language>pl</language>", "<language>hr-HR</language>"):
        (entry,) = feed_entries(feed.format(language).encode())
        assert entry.hints.published_at is not None
        months[language] = entry.hints.published_at.month
    assert list(months.values()) == [11, 11, 10]
