"""Dates with their times and zones as pages write them. A time that cannot be read for certain is left out, never wrong."""

import json
from datetime import UTC, datetime

import pytest

from processing.article.dates.dates import read_date
from processing.article.dates.months import month_number
from processing.article.metadata import local_zone
from processing.article.metadata.metadata import Metadata, read_metadata
from processing.article.tree.parse import parse
from schemas.page import Page
from schemas.web.date_words import MONTHS, MONTHS_ELSEWHERE

DAY = "2025-03-07 00:00"


def utc(text: str, language: str | None = None) -> str:
    found = read_date(text, month_first=language is None, language=language)
    return found[0].astimezone(UTC).strftime("%Y-%m-%d %H:%M") if found else "none"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-03-07T09:30:00+01:00", "2025-03-07 08:30"),
        ("2025-03-07T09:30:00+01", "2025-03-07 08:30"),
        ("2025-03-07T09:30:00.123-0530", "2025-03-07 15:00"),
        ("2025-03-07T09:30:00\u221205:00", "2025-03-07 14:30"),
        ("2025-03-07T09:30Z", "2025-03-07 09:30"),
        ("2025-03-07T09:30:00+01:00[Europe/Berlin]", "2025-03-07 08:30"),
        ("20250307T093000+0100", "2025-03-07 08:30"),
        ("2025-03-07 09:30 PM", "2025-03-07 21:30"),
        ("2025-03-07T24:00:00Z", "2025-03-08 00:00"),
        ("2025-03-07 09:30:00 PST", "2025-03-07 17:30"),
        ("Fri, 07 Mar 2025 09:30:00 EST", "2025-03-07 14:30"),
        ("Fri Mar 07 09:30:00 EST 2025", "2025-03-07 14:30"),
        ("Fri Mar 07 09:30:00 +0100 2025", "2025-03-07 08:30"),
        ("Fri Mar 07 2025 09:30:00 GMT+0100 (Central European Standard Time)", "2025-03-07 08:30"),
        ("March 7, 2025 at 9:30 p.m. ET", "2025-03-08 02:30"),
        ("July 7, 2025 at 9:30 a.m. ET", "2025-07-07 13:30"),
        ("March 7, 2025 12:30 AM", "2025-03-07 00:30"),
        ("March 7, 2025 12:30 PM", "2025-03-07 12:30"),
        ("March 7, 2025, 9pm", "2025-03-07 21:00"),
        ("Published 9:30 a.m. ET March 7, 2025", "2025-03-07 14:30"),
        ("March 7, 2025 9:30 AM Eastern Daylight Time", "2025-03-07 13:30"),
        ("March 7, 2025 9:30 (IST)", "2025-03-07 04:00"),
        ("March 7, 2025 9:30 UTC+5:30", "2025-03-07 04:00"),
        ("March 7, 2025 9:30 America/New_York", "2025-03-07 14:30"),
        ("07.03.2025, 9.30 Uhr MEZ", "2025-03-07 08:30"),
        ("07.07.2025 um 9:30 Uhr (MESZ)", "2025-07-07 07:30"),
        ("07.03.2025, 15 Uhr", "2025-03-07 15:00"),
        ("7 mars 2025 à 9h30", "2025-03-07 09:30"),
        ("Jumat, 7 Maret 2025 9.30 WIB", "2025-03-07 02:30"),
        ("2025年3月7日 上午9:30", "2025-03-07 09:30"),
        ("2025年3月7日（金）午後9時30分", "2025-03-07 21:30"),
        ("2025年3月7日 晚上9点30分", "2025-03-07 21:30"),
        ("2025년 3월 7일 오후 9시 30분", "2025-03-07 21:30"),
        ("2025. 3. 7. 오후 9:30", "2025-03-07 21:30"),
        ("令和7年3月7日 9時30分", "2025-03-07 09:30"),
        ("民國114年3月7日", DAY),
        ("1741339800", "2025-03-07 09:30"),
    ],
)
def test_times_and_zones(text: str, moment: str) -> None:
    language = "id" if "WIB" in text else None
    assert utc(text, language) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-07 25:10", "2025-03-07T09:75:00", "2025-03-07 24:30", "2025-03-07 13:30 AM", "2025-03-07T09:30:00+45:00",
        "March 7, 2025 9:30 XYZT", "2025年3月7日 晚上12:10", "March 7, 2025 | 12 comments | 9:30", "07.03.2025 / 08.03.2025",
        "March 7, 2025 12:10 at night", "March 7, 2025 (5h read)", "March 7, 2025 | 3:45 min", "March 7, 2025 | Duration: 3:45",
        "March 7, 2025 9:30 Narnia time",
    ],
)  # fmt: skip
def test_what_cannot_be_read_leaves_the_day(text: str) -> None:
    assert utc(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-31", "2024-05-31T10:05", "2024-05-31T10:05:07", "2024-05-31T10:05:07Z",
        "2024-05-31 10:05:07+02:00", "2024-05-31T10:05:07.123456789Z", "2024-05-31T10:05:07.5-05:00", "2024-05-31T10:05-14:00",
        "2024-05-31T10:05:07+23:00", "2024-05-31T24:00:00Z", "2024-05-31T23:59:60Z", "2024-02-31T10:00:00Z",
        "2024-13-01T10:00:00Z", "1999-12-31T00:00:00-00:00",
    ],
)  # fmt: skip
def test_dates_as_machines_write_them_read_as_elsewhere(text: str) -> None:
    """There is a short way for these; words before a date lead to the patterns for all others."""
    assert read_date(text) == read_date(f"on {text}")


@pytest.mark.parametrize(
    ("text", "language", "moment"),
    [
        ("7. März 2025, 14 Uhr 5", "de", "2025-03-07 14:05"), ("7. März 2025, 9 Uhr abends", "de", "2025-03-07 21:00"),
        ("14:05 Uhr am 07.03.2025", "de", "2025-03-07 14:05"), ("7. März 2025, 12 Uhr mittags", "de", "2025-03-07 12:00"),
        ("March 7, 2025 at 9:30 in the evening", "en", "2025-03-07 21:30"), ("March 7, 2025 9:30p ET", "en", "2025-03-08 02:30"),
        ("March 7, 2025, 12 noon", "en", "2025-03-07 12:00"), ("March 7, 2025 9:30–10:30 pm", "en", "2025-03-07 21:30"),
        ("March 7, 2025, 11:30-1:00 pm", "en", "2025-03-07 11:30"), ("7 mars 2025 à 8 heures 30 du soir", "fr", "2025-03-07 20:30"),
        ("7 de marzo de 2025 a las 9:30 de la noche", "es", "2025-03-07 21:30"),
        ("7 de marzo de 2025, 12:30 de la tarde", "es", "2025-03-07 12:30"),
        ("7 marca 2025, 9:30 wieczorem", "pl", "2025-03-07 21:30"), ("7 марта 2025, 9:30 вечера", "ru", "2025-03-07 21:30"),
        ("07 Mac 2025, 2:05 petang", "ms", "2025-03-07 14:05"), ("7 Maret 2025, 2:05 sore", "id", "2025-03-07 14:05"),
        ("7 मार्च 2025 शाम 6:05 बजे", "hi", "2025-03-07 18:05"), ("০৭ মার্চ ২০২৫, ০২:০৫ পিএম", "bn", "2025-03-07 14:05"),
        ("2025年3月7日晚9:05", "zh", "2025-03-07 21:05"), ("2025年3月7日 下午2点半", "zh", "2025-03-07 14:30"),
        ("2025年3月7日 夜9時", "ja", "2025-03-07 21:00"), ("2025년 3월 7일 저녁 9시 반", "ko", "2025-03-07 21:30"),
        ("2025-03-07 14:05 北京时间", "zh", "2025-03-07 06:05"), ("07.03.2025 14:05 по московскому времени", "ru", "2025-03-07 11:05"),
        ("7 mars 2025 14:05 HNE", "fr-CA", "2025-03-07 19:05"), ("March 7, 2025 9:30 local time", "en", "2025-03-07 09:30"),
        ("2025-03-07T14:05:00–05:00", "en", "2025-03-07 19:05"), ("/Date(1741339800000)/", "en", "2025-03-07 09:30"),
        ("1741339800.123", "en", "2025-03-07 09:30"),
    ],
)  # fmt: skip
def test_parts_of_the_day_and_zones_in_words(text: str, language: str, moment: str) -> None:
    assert utc(text, language) == moment


def test_a_range_is_no_offset() -> None:
    assert utc("March 7, 2025 10:00-12:00") == "2025-03-07 10:00"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("7. maaliskuuta 2025", "fi"),
        ("2025. március 7.", "hu"),
        ("7 martie 2025", "ro"),
        ("7 Μαρτίου 2025", "el"),
        ("7 марта 2025 г.", "ru"),
        ("7 março 2025", "pt-BR"),
        ("7 de març del 2025", "ca"),
        ("2025 m. kovo 7 d.", "lt"),
        ("2025. gada 7. marts", "lv"),
        ("7 tháng 3, 2025", "vi"),
        ("7 Maret 2025", "id"),
        ("7 मार्च 2025", "hi"),
        ("7 มีนาคม 2568", "th"),
        ("٧ مارس ٢٠٢٥", "ar"),
        ("۱۷ اسفند ۱۴۰۳", "fa"),
        ("1403/12/17", "fa"),
        ("7 ožujka 2025", "hr"),
        ("7 מרץ 2025", "he"),
        ("7 მარტი 2025", "ka"),
        ("7 ΜΑΡΤΙΟΥ 2025", "el"),
        ("7 MARTIE 2025", "ro"),
        ("7 ᏥᏔᎦ 2025", "de"),
        ("7. 3. 2025", "cs"),
        ("7 / 3 / 2025", "fr"),
        ("7.Mrz.2025", "de"),
        ("2025 / 03 / 07", "ja"),
        ("2025 оны 3 сарын 7", "mn"),
        ("2025 ж. 7 наурыз", "kk"),
        ("2025-yil 7-mart", "uz"),
        ("2025(e)ko martxoaren 7a", "eu"),
        ("7 במרץ 2025", "he"),
        ("7 آذار 2025", "ar"),
        ("7 آذار/مارس 2025", "ar"),
        ("7 มี.ค. 2568", "th"),
        ("7 มี.ค. 68", "th"),
        ("7 มีนาคม พ.ศ. 2568", "en"),
        ("7 มีนาคม ค.ศ. 2025", "th"),
    ],
)
def test_months_in_many_languages(text: str, language: str) -> None:
    assert utc(text, language) == ("none" if "Ꮵ" in text else DAY)


@pytest.mark.parametrize(
    "text",
    ["7 Μαρτίου 2025", "2025 m. kovo 7 d.", "7. maaliskuuta 2025", "2025. március 7.", "7. ožujka 2025", "7. marts 2025", "7 березня 2025"],
)
def test_months_of_a_page_that_declares_another_language(text: str) -> None:
    assert utc(text, "en") == DAY


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("7 Meán Fómhair 2025", "ga", "2025-09-07"), ("7 D.Fómh 2025", "ga", "2025-10-07"), ("7 كانون الثاني 2022", "ar", "2022-01-07"),
        ("7 تشرين الأول (أكتوبر) 2025", "ar", "2025-10-07"), ("7 setiembre 2025", "es", "2025-09-07"), ("7 Agt 2025", "id", "2025-08-07"),
    ],
)  # fmt: skip
def test_names_of_months_of_two_words_and_of_countries(text: str, language: str, day: str) -> None:
    assert utc(text, language)[:10] == day


@pytest.mark.parametrize(
    ("text", "day"), [("Wednesday, 5/6/2024", "2024-06-05"), ("Monday 5/6/2024", "2024-05-06"), ("Sunday, 5/6/2024", "2024-05-06")]
)
def test_the_weekday_knows_which_is_the_month(text: str, day: str) -> None:
    assert utc(text)[:10] == day


def test_each_further_name_is_that_of_one_month_in_cldr() -> None:
    written = {"fi": "tammikuuta", "hu": "július", "el": "Αυγούστου", "ro": "iunie", "hi": "दिसंबर"}
    for language, name in written.items():
        assert MONTHS_ELSEWHERE[name.lower()] == month_number(name, language)
    assert not MONTHS_ELSEWHERE.keys() & MONTHS.keys()


@pytest.mark.parametrize(
    ("text", "language", "moment"),
    [
        ("2025. március 7. du. 9:30", "hu", "2025-03-07 21:30"),
        ("7 Μαρτίου 2025, 9:30 μ.μ.", "el", "2025-03-07 21:30"),
        ("٧ مارس ٢٠٢٥ ٩:٣٠ م", "ar", "2025-03-07 21:30"),
        ("7/3/2025 9:30 CH", "vi", "2025-03-07 21:30"),
        ("2025年3月7日 9:30 CST", "zh-CN", "2025-03-07 01:30"),
    ],
)
def test_words_of_the_page_s_language(text: str, language: str, moment: str) -> None:
    assert utc(text, language) == moment


@pytest.mark.parametrize("text", ["7 Marines 2025", "12 Decks 2024", "5 Octopus 2020", "10 Mayors 2025"])
def test_a_word_that_begins_like_a_month_is_none(text: str) -> None:
    assert utc(text) == "none"


def published(value: object) -> Metadata:
    script = json.dumps({"@type": "NewsArticle", "headline": "The mill", "datePublished": value})
    html = f'<html><head><title>The mill</title><script type="application/ld+json">{script}</script></head><body></body></html>'
    return read_metadata(parse(html), Page("https://valley.example/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC)))


@pytest.mark.parametrize("value", [1741339800, 1741339800000, 1741339800.0, "1741339800", {"@value": "2025-03-07T09:30:00Z"}])
def test_numbers_in_json(value: object) -> None:
    assert published(value).published_at == datetime(2025, 3, 7, 9, 30, tzinfo=UTC)


def test_true_is_no_date() -> None:
    assert published(True).published_at is None


@pytest.mark.parametrize(
    "line",
    [
        "<div class=date><span class=month>Mar</span> <span class=day>07</span><span class=year>2025</span></div>",
        "<div class='left author'>By <b>Millie</b> on 07.03.2025, 09:30</div>",
        "<div class=teaser-text><p>Press release of 7 March 2025 | Valley <b>–</b> The mill turns.</p></div>",
    ],
)
def test_dates_beside_the_heading_and_the_author(line: str) -> None:
    html = f"<html lang=de><body><h1>The mill</h1>{line}<p>{'The mill turns again. ' * 20}</p></body></html>"
    found = read_metadata(parse(html), Page("https://valley.example/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC)))
    assert str(found.published_at)[:10] == "2025-03-07"


def test_a_date_above_the_heading() -> None:
    html = f"<html lang=de><body><div><p>7. März 2025 // Ada Marsh</p><h1>The mill</h1><p>{'It turns again. ' * 20}</p></div></body></html>"
    found = read_metadata(parse(html), Page("https://valley.example/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC)))
    assert str(found.published_at)[:10] == "2025-03-07"


def page_date(body: str, head: str = "", url: str = "https://valley.example/mill") -> str | None:
    html = f"<html lang=en><head><title>Mill</title>{head}</head><body><h1>Mill</h1>{body}</body></html>"
    found = read_metadata(parse(html), Page(url, html, fetched_at=datetime(2026, 1, 2, tzinfo=UTC))).published_at
    return found.date().isoformat() if found else None


def json_ld(data: str) -> str:
    return f'<script type="application/ld+json">{data}</script>'


@pytest.mark.parametrize(
    ("body", "head", "url", "day"),
    [
        # A date that is not written as schema.org wants it comes from a template: the visible one precedes it.
        (
            "<p class=post-date>Apr 26, 2023</p>",
            json_ld('{"@type":"Article","datePublished":"Aug 21, 2025"}'),
            "https://valley.example/a",
            "2023-04-26",
        ),
        ("", json_ld('{"@type":"Article","datePublished":"Aug 21, 2025"}'), "https://valley.example/a", "2025-08-21"),
        # The video that a page shows is older than the page.
        (
            "<time datetime=2017-12-01>1 Dec</time>",
            json_ld('{"@type":"VideoObject","uploadDate":"2015-01-16"}'),
            "https://valley.example/a",
            "2017-12-01",
        ),
        ("<p class=date>Written: 2023-11-07 15:03 / Updated: 2023-11-09</p>", "", "https://valley.example/a", "2023-11-07"),
        ("<p id=todays-date>2025-12-19</p><p class=pub-date>2025-12-12</p>", "", "https://valley.example/a", "2025-12-12"),
        # Which is the month: the URL or the country's host knows.
        ("<p class=date>03/10/2023</p>", "", "https://valley.example/2023/october/03/mill", "2023-10-03"),
        ("<p class=date>03/10/2023</p>", "", "https://valley.co.uk/mill", "2023-10-03"),
        ("<p class=date>03/10/2023</p>", "", "https://valley.example/mill", "2023-03-10"),
        ("<p class=date><span>7 March 2025</span> <span>9:30 PM</span></p>", "", "https://valley.example/a", "2025-03-07"),
        # A framework's word for every element, and a template's wrapper around the article, are no boilerplate.
        ("<div class=elementor-widget><p class=date>2023-10-03</p></div>", "", "https://valley.example/a", "2023-10-03"),
        (
            "<div class=widget><h2 class=date>2023-10-03</h2><div class=post-body>Text</div></div>",
            "",
            "https://valley.example/a",
            "2023-10-03",
        ),
    ],
)
def test_which_date_is_the_page_s(body: str, head: str, url: str, day: str | None) -> None:
    assert page_date(body, head, url) == day


LATEST = "<p>Prose.</p>" * 4 + "<div class=teaser><a href=/weir><div>11.11.2021</div></a> <a href=/mill><div>10.11.2021</div></a></div>"


@pytest.mark.parametrize(
    ("body", "head", "day"),
    [
        # Labels, wherever they stand.
        ("<p>Prose.</p><address>mill.html - Created 03-10-2004 2:20pm - Last Modified: 05-10-2004</address>", "", "2004-03-10"),
        ("<p>Prose.</p><footer><div><span>Veröffentlicht am</span> <span>12. März 2022</span></div></footer>", "", "2022-03-12"),
        ("<p>Prose.</p><p>Dieser Beitrag wurde am Mittwoch, den 27. November 2019 um 15:21 Uhr veröffentlicht.</p>", "", "2019-11-27"),
        (
            "<p>Prose.</p><p>This entry was posted on Wednesday, November 27th, 2019 at 3:21 pm and is filed under Mills.</p>",
            "",
            "2019-11-27",
        ),
        ("<p>The law on mills was published on 3 May 2012, and nobody in the whole long valley ever heard of it before now.</p>", "", None),
        ("<p>Prose.</p><p>More prose.</p><p>Even more.</p><span class=info_time>Post time: 01-04-2024</span>", "", "2024-01-04"),
        # The last change is the date of a page that has no other.
        ("<p>Prose.</p><div><label>Letzte Änderung:</label><div>14.01.2022 um 09:25</div></div>", "", "2022-01-14"),
        ("<p>Prose.</p><p>This page was last edited on 25 October 2020, at 19:23.</p>", "", "2020-10-25"),
        ("<p>Prose.</p><p>Published: 3 May 2020</p><p>Last updated: 25 October 2020</p>", "", "2020-05-03"),
        # A part of the title; the page's own entry in a list; an aside of the article; a publisher's own name.
        ("<p>Prose.</p>", "<meta property=og:title content='Mill | Valley Radio | 19.01.2020'>", "2020-01-19"),
        (LATEST, "", "2021-11-10"),
        ("<p>Prose.</p><aside class=post-info><span class=post-date>17.11.19</span></aside>", "", "2019-11-17"),
        ("", "<meta name=vr:published_time content=2022-12-12T06:46:02Z>", "2022-12-12"),
        ("", "<meta name=article:expiration_time content=2022-12-12T06:46:02Z>", None),
        # A machine's date of the change stands before the date that readers see.
        ("<span class='updated hidden'>2022-12-27T10:10:52+01:00</span><span>25. Dezember 2022</span>", "", "2022-12-25"),
        ("<p>Sat, November 3, 2023</p>" + "<div class=news-date>May 5, 2025</div>", "", "2023-11-03"),
        ("<span class=post-date title=2025-12-18>2 days ago</span>", "", "2025-12-18"),
        ("<time datetime=2025-04-28>28</time><div><time class=published datetime=2023-04-10>10</time></div>", "", "2023-04-10"),
    ],
)
def test_dates_that_no_markup_names(body: str, head: str, day: str | None) -> None:
    assert page_date(body, head) == day


def test_the_source_of_a_date_that_is_the_last_change() -> None:
    html = "<html lang=en><h1>Mill</h1><p>Prose.</p><p>Last updated: 25 October 2020</p>"
    found = read_metadata(parse(html), Page("https://valley.example/mill", html, fetched_at=datetime(2026, 1, 2, tzinfo=UTC)))
    assert (found.published_at_source, found.modified_at_source, found.modified_at) == ("modified", "text", found.published_at)


@pytest.mark.parametrize(
    ("body", "day"),
    [
        ("<span class=post-date>31. Oktober 2023</span>", "2023-10-30"),
        ("<time datetime=2023-11-05>5 Nov</time>", "2023-10-30"),
        ("<time datetime=2023-10-31T00:30:00+02:00>31 Oct</time>", "2023-10-31"),
    ],
)
def test_the_day_in_the_url_precedes_others_that_readers_see(body: str, day: str) -> None:
    assert page_date(body, url="https://valley.example/2023/10/30/mill") == day


def declared_in_utc(moment: str, seen: str, url: str, lang: str = "en") -> str:
    head = f"<meta property=article:published_time content={moment}>"
    html = f"<html lang={lang}><head>{head}</head><body><h1>Mill</h1><p>{seen}</p></body></html>"
    found = read_metadata(parse(html), Page(url, html, fetched_at=datetime(2026, 1, 2, tzinfo=UTC)))
    assert found.published_at is not None
    assert found.published_at == datetime.fromisoformat(moment), "the moment stays"
    assert found.published_zone == found.published_at.isoformat()[-6:]
    return found.published_at.isoformat()


@pytest.mark.parametrize(
    ("moment", "seen", "url", "local"),
    [
        ("2022-05-04T00:53:29Z", "3 de mayo de 2022", "https://valle.com.ar/a", "2022-05-03T21:53:29-03:00"),
        ("2021-11-04T23:00:00+00:00", "5. November 2021", "https://tal.de/a", "2021-11-05T00:00:00+01:00"),
        ("2024-02-29T04:20:17Z", "Feb. 28, 2024 10:20 pm", "https://valley.example/a", "2024-02-28T22:20:17-06:00"),
        # Not certain: no country, a country with several zones, a domain for everyone, a later change.
        ("2021-11-04T23:00:00Z", "5 November 2021", "https://valley.example/a", "2021-11-04T23:00:00+00:00"),
        ("2022-05-04T00:53:29Z", "May 3, 2022", "https://valley.us/a", "2022-05-04T00:53:29+00:00"),
        ("2022-05-04T00:53:29Z", "May 3, 2022", "https://valley.co/a", "2022-05-04T00:53:29+00:00"),
        ("2025-02-11T23:55:00Z", "11.2.2025</p><p>12.2.2025 7:25", "https://dalur.is/a", "2025-02-11T23:55:00+00:00"),
        ("2022-05-04T12:00:00+02:00", "3 May 2022", "https://tal.de/a", "2022-05-04T12:00:00+02:00"),
        ("2024-02-28T23:30:00Z", "29. Februar 2024 5:30", "https://tal.de/a", "2024-02-28T23:30:00+00:00"),  # in no zone of the country
    ],
)
def test_a_moment_in_utc_has_the_day_that_readers_see(moment: str, seen: str, url: str, local: str) -> None:
    assert declared_in_utc(moment, seen, url) == local


@pytest.mark.parametrize("country", local_zone.BOUNDS)
def test_all_zones_of_a_country_are_between_its_bounds(country: str) -> None:
    days = [datetime(year, month, 15, tzinfo=UTC) for year in (1990, 2000, 2010, 2025) for month in (1, 7)]
    offsets = {offset for day in days for offset in local_zone.country_offsets(day, country)}
    least, most = local_zone.BOUNDS[country]
    assert offsets
    assert least <= min(offsets)
    assert max(offsets) <= most


@pytest.mark.parametrize(
    ("body", "moment"),
    [
        ("<h1>Mill</h1><time class='entry-date published updated' datetime=2025-03-07T09:30:00+01:00>7 March 2025</time>", "08:30"),
        ("<h1>Mill</h1><p>Submitted by jdoe on Fri, 03/07/2025 - 09:30</p>", "09:30"),
        ("<h1>Mill</h1><footer class=node__meta>by <b>jd</b> on <i>Fri, 03/07/2025 - 09:30</i></footer>", "09:30"),
        ("<h1>Mill</h1><div class=post-footer>at <abbr class=published title=2025-03-07T09:30:00-08:00>9:30 AM</abbr></div>", "17:30"),
        ("<h1>Mill</h1><span property=dc:created content=2025-03-07T09:30:00+01:00>Friday</span>", "00:00"),
        ("<h1>Mill</h1><span property=schema:datePublished content=2025-03-07T09:30:00+01:00>Friday</span>", "08:30"),
    ],
)
def test_times_of_systems_beside_the_day_in_the_url(body: str, moment: str) -> None:
    html = f"<html lang=en><head><title>Mill</title></head><body><article>{body}</article></body></html>"
    found = read_metadata(parse(html), Page("https://valley.example/2025/03/07/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC)))
    assert found.published_at is not None
    assert found.published_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") == f"2025-03-07 {moment}"
