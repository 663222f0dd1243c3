"""Metadata from markup as pages really write it: broken JSON-LD, bylines, dates in many forms, implausible canonical URLs."""

from datetime import UTC, datetime

import pytest

from processing.article.dates.dates import date_in_url, read_date
from processing.article.metadata.metadata import Metadata, read_metadata
from processing.article.metadata.people.names import names_in
from processing.article.tree.parse import parse
from schemas.page import Hints, Page

FETCHED = datetime(2025, 6, 1, tzinfo=UTC)
URL = "https://www.harbour-post.example/city/ferry-returns"


def metadata(
    head: str = "", body: str = "<h1>The ferry returns</h1>", url: str = URL, hints: Hints | None = None, fetched: datetime | None = FETCHED
) -> Metadata:
    html = f"<!doctype html><html lang='en-GB'><head>{head}</head><body>{body}</body></html>"
    return read_metadata(parse(html), Page(url=url, html=html, fetched_at=fetched, hints=hints or Hints()))


def json_ld(text: str) -> str:
    return f'<script type="application/ld+json">{text}</script>'


class TestTitle:
    @pytest.mark.parametrize(
        "head",
        [
            "<title>The ferry returns | Harbour Post</title>",
            "<title>Harbour Post - The ferry returns</title>",
            "<title>The ferry returns | City | Harbour Post</title><meta property='og:site_name' content='Harbour Post'>",
            "<meta property='og:title' content='The ferry returns – Harbour Post'>",
            "<meta property='og:title' content='The ferry &amp;amp;#8203;returns'>".replace("&amp;amp;#8203;", ""),
        ],
    )
    def test_without_the_site_name(self, head: str) -> None:
        assert metadata(head, "<p>no heading</p>").title == "The ferry returns"

    def test_quotation_marks_do_not_part_a_title(self) -> None:
        title = "How the harbour kept «The return» of the ferry to itself"
        assert metadata(f"<title>{title} | Harbour Post</title>", f"<h1>{title}</h1>").title == title

    def test_the_heading_a_reader_sees_wins(self) -> None:
        head = "<title>Ferry returns to harbour - Harbour Post</title>"
        body = "<h1><svg><title>Logo</title></svg>Harbour Post</h1><h1>Ferry returns<br>to the harbour</h1>"
        assert metadata(head, body).title == "Ferry returns to the harbour"

    def test_a_hyphenated_title_is_kept_whole(self) -> None:
        assert (
            metadata("<title>A well-known ferry - built in 1920 - is back</title>", "").title
            == "A well-known ferry - built in 1920 - is back"
        )

    @pytest.mark.parametrize(
        "heading",
        [
            "<span>Island</span> The ferry returns at last",
            "<time>4 March 2025</time><br>The ferry returns at last",
            "News | The ferry returns at last",
            "The ferry returns at last – Harbour Post",
        ],
    )
    def test_what_a_heading_has_beside_the_declared_title_is_left_out(self, heading: str) -> None:
        head = "<meta property='og:title' content='The ferry returns at last'>"
        assert metadata(head, f"<h1>{heading}</h1>").title == "The ferry returns at last"

    def test_a_kicker_that_both_declarations_have_is_part_of_the_title(self) -> None:
        full = "Island: The ferry returns at last"
        og, ld = f"<meta property='og:title' content='{full}'>", json_ld(f'{{"@type": "NewsArticle", "headline": "{full}"}}')
        heading = "<p>Island</p><h1>The ferry returns at last</h1>"
        assert metadata(og + ld, heading).title == full
        assert metadata(og, heading).title == "The ferry returns at last"

    def test_an_archived_page_has_the_site_name_of_its_own_host(self) -> None:
        url = "https://archive.example/web/2014/https://www.harbour-post.example/city/ferry"
        head = "<title>Harbour-Post » Blog Archive » The ferry returns at last</title>"
        assert metadata(head, "", url).title == "The ferry returns at last"

    def test_an_icons_title_is_no_title(self) -> None:
        assert metadata("", "<svg><title>Menu</title></svg><p>x</p>").title is None


class TestAuthors:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("By Ada Marsh and Tom Reed", ["Ada Marsh", "Tom Reed"]),
            ("Ada Marsh, MD, PhD", ["Ada Marsh"]),
            ("Staff", []),
            ("5 min read", []),
            ("https://www.facebook.com/harbourpost", []),
            ("Ada Marsh, Senior Reporter", ["Ada Marsh"]),
            ("Written by: Zoë O’Neill", ["Zoë O’Neill"]),
            ("李明", ["李明"]),
        ],
    )
    def test_names(self, text: str, names: list[str]) -> None:
        assert names_in(text) == names

    @pytest.mark.parametrize(
        ("head", "body"),
        [
            (json_ld('{"@type":"NewsArticle","author":[{"@type":"Person","name":"Ada Marsh"},{"@type":"Person","name":"Tom Reed"}]}'), ""),
            (
                json_ld(
                    '{"@graph":[{"@type":"Article","author":[{"@id":"#a"},{"@id":"#t"}]},{"@id":"#a","@type":"Person","name":"Ada Marsh"},'
                    '{"@id":"#t","@type":"Person","name":"Tom Reed"}]}'
                ),
                "",
            ),
            ("<meta name='author' content='Ada Marsh'><meta name='author' content='Tom Reed'>", ""),
            ("<meta name='citation_author' content='Marsh, Ada'><meta name='citation_author' content='Reed, Tom'>", ""),
            ("", "<h1>x y</h1><p><span>By</span> <a href='/x'>Ada Marsh</a> and <a href='/y'>Tom Reed</a> | 4 min read</p><p>Prose.</p>"),
            ("", "<h1>x y</h1><div class='byline'>By Ada Marsh and Tom Reed</div>"),
            ("", "<div><a rel='author' href='/a'>Ada Marsh</a>, <a rel='author' href='/t'>Tom Reed</a></div>"),
        ],
    )
    def test_places(self, head: str, body: str) -> None:
        assert metadata(head, body).authors == ("Ada Marsh", "Tom Reed")

    def test_a_related_storys_author_is_not_the_pages(self) -> None:
        body = "<h1>x</h1><p>Prose.</p><div class='related-stories'><span class='author'>By Eve Other</span></div>"
        assert metadata("", body).authors == ()

    def test_a_signing_desk_is_named_where_no_person_is_and_bare_staff_is_not(self) -> None:
        assert metadata(json_ld('{"@type":"Article","author":{"@type":"Organization","name":"Harbour Post City Desk"}}')).authors == (
            "Harbour Post City Desk",
        )
        assert metadata("<meta name='author' content='Staff'>").authors == ()


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "iso", "zone"),
        [
            ("2025-03-04T23:30:00-05:00", "2025-03-04T23:30:00-05:00", "-05:00"),
            ("2025-03-04T10:00:00.123Z", "2025-03-04T10:00:00+00:00", "+00:00"),
            ("2025-03-04", "2025-03-04T00:00:00+00:00", None),
            ("20250304T1000", "2025-03-04T10:00:00+00:00", None),
            ("Published March 4, 2025 at 3:15 pm", "2025-03-04T15:15:00+00:00", None),
            ("4th March 2025", "2025-03-04T00:00:00+00:00", None),
            ("4. März 2025", "2025-03-04T00:00:00+00:00", None),
            ("4 de marzo de 2025", "2025-03-04T00:00:00+00:00", None),
            ("4 марта 2025, 10:05", "2025-03-04T10:05:00+00:00", None),
            ("2025年3月4日", "2025-03-04T00:00:00+00:00", None),
            ("04.03.2025", "2025-03-04T00:00:00+00:00", None),
            ("3/4/2025", "2025-03-04T00:00:00+00:00", None),
            ("25/3/2025", "2025-03-25T00:00:00+00:00", None),
            ("Tue, 04 Mar 2025 10:00:00 +0200", "2025-03-04T10:00:00+02:00", "+02:00"),
            ("1741082400", "2025-03-04T10:00:00+00:00", "+00:00"),
        ],
    )
    def test_forms(self, text: str, iso: str, zone: str | None) -> None:
        found = read_date(text)
        assert found is not None
        assert (found[0].isoformat(), found[1]) == (iso, zone)

    @pytest.mark.parametrize("text", ["", None, "soon", "2025-13-45", "call 555 1234", "99/99/9999", "version 3.11"])
    def test_no_date(self, text: str | None) -> None:
        assert read_date(text) is None

    def test_day_first_where_the_language_says_so(self) -> None:
        assert read_date("3/4/2025", month_first=False) == (datetime(2025, 4, 3, tzinfo=UTC), None)

    @pytest.mark.parametrize(
        ("head", "body", "url", "source"),
        [
            (json_ld('{"@type":"Article","datePublished":"2025-03-04"}'), "", URL, "json-ld"),
            ("<meta property='article:published_time' content='2025-03-04'>", "", URL, "meta"),
            ("", "<article><h1>x</h1><time datetime='2025-03-04'>today</time></article>", URL, "time"),
            ("", "<div><h2>x</h2><footer><abbr itemprop=datePublished title='2025-03-04'>10:52</abbr></footer></div>", URL, "time"),
            ("", "<h2>x</h2><p class=text_datum>4. März 2025</p><p>2. Februar 2025</p>", URL, "text"),
            ("", "<h1>x</h1><div class='post-date'>March 4, 2025</div>", URL, "text"),
            ("", "<h1>x</h1><p>4 March 2025</p>", URL, "text"),
            ("", "<h1>x</h1>", "https://www.harbour-post.example/2025/03/04/ferry", "url"),
        ],
    )
    def test_the_source_that_won(self, head: str, body: str, url: str, source: str) -> None:
        found = metadata(head, body, url)
        assert found.published_at == datetime(2025, 3, 4, tzinfo=UTC)
        assert found.published_at_source == source

    def test_a_feeds_hint_is_the_last_resort(self) -> None:
        found = metadata(hints=Hints(published_at=datetime(2025, 3, 4, tzinfo=UTC)))
        assert (found.published_at, found.published_at_source) == (datetime(2025, 3, 4, tzinfo=UTC), "hint")

    def test_never_from_related_stories(self) -> None:
        for items in (1, 3):
            cards = "".join(
                f"<div><a href='/{day}'>Another story of some length here</a><time datetime='2025-02-1{day}'>Feb 1{day}</time></div>"
                for day in range(items)
            )
            body = f"<article><h1>x</h1><p>Prose.</p></article><section class='more-stories'>{cards}</section>"
            assert metadata("", body).published_at is None

    def test_never_in_the_future(self) -> None:
        head = "<meta property='article:published_time' content='2031-01-01'>" + json_ld('{"@type":"Article","datePublished":"2044-01-01"}')
        body = "<h1>x</h1><time datetime='2025-03-04'>4 March</time>"
        assert metadata(head, body).published_at == datetime(2025, 3, 4, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("fetched", "day", "text_kept"),
        [
            (FETCHED, "2025-06-01", True),
            (FETCHED, "2025-06-03", False),
            (FETCHED, "2025-08-01", False),  # long past today, but not when the page was fetched
            (datetime(1970, 1, 1, tzinfo=UTC), "2025-08-01", True),  # no such fetch: the record's date says nothing
            (None, "2025-08-01", True),
        ],
    )
    def test_a_text_never_names_a_day_after_the_fetch(self, fetched: datetime | None, day: str, text_kept: bool) -> None:
        for head in (
            f"<meta property='article:published_time' content='{day}'>",
            json_ld(f'{{"@type":"Article","datePublished":"{day}"}}'),
        ):  # markup may: it contradicts a record that was rewritten
            assert metadata(head, fetched=fetched).published_at is not None
        assert metadata(f"<meta property='article:modified_time' content='{day}'>", fetched=fetched).modified_at is not None
        address = f"https://www.harbour-post.example/{day.replace('-', '/')}/ferry-returns"
        assert (metadata(url=address, fetched=fetched).published_at is not None) is text_kept

    @pytest.mark.parametrize("fetched", [FETCHED, None, datetime(2399, 1, 1, tzinfo=UTC)])
    def test_never_yet_to_come_whatever_the_record_says(self, fetched: datetime | None) -> None:
        for head, body, url in (
            ("<meta property='article:published_time' content='2398-01-01'>", "", URL),
            ("<meta property='article:modified_time' content='2398-01-01'>", "", URL),
            (json_ld('{"@type":"Article","datePublished":"2398-01-01","dateModified":"2398-01-02"}'), "", URL),
            ("", "<h1>x</h1><time datetime='2398-01-01'>then</time>", URL),
            ("", "<h1>x</h1>", "https://www.harbour-post.example/2398/01/01/ferry-returns"),
        ):
            found = metadata(head, body, url, fetched=fetched)
            assert (found.published_at, found.modified_at) == (None, None)

    def test_modified(self) -> None:
        found = metadata(
            json_ld('{"@type":"Article","datePublished":"2025-03-04T08:00:00+02:00","dateModified":"2025-03-05T09:00:00+02:00"}')
        )
        assert found.modified_at is not None
        assert found.modified_at.isoformat() == "2025-03-05T09:00:00+02:00"
        assert (found.modified_at_source, found.published_zone) == ("json-ld", "+02:00")

    def test_a_modification_before_publishing_is_left_out(self) -> None:
        found = metadata(json_ld('{"@type":"Article","datePublished":"2025-03-04","dateModified":"2001-01-01"}'))
        assert (found.modified_at, found.modified_at_source) == (None, None)

    @pytest.mark.parametrize(("path", "day"), [("/2025/03/04/x", 4), ("/2025-03-04-x", 4), ("/2025/mar/04/x", 4), ("/20250304/x", 4)])
    def test_in_an_address(self, path: str, day: int) -> None:
        assert date_in_url(f"https://a.example{path}") == datetime(2025, 3, day, tzinfo=UTC)

    @pytest.mark.parametrize("path", ["/2025/13/04/x", "/products/20251/x", "/2025/02/31/x", "/a?d=/2025/03/04/"])
    def test_in_no_address(self, path: str) -> None:
        assert date_in_url(f"https://a.example{path}") is None


class TestJsonLd:
    @pytest.mark.parametrize(
        "text",
        [
            '{"@type":"NewsArticle","headline":"H","datePublished":"2025-03-04",}',
            '<!-- {"@type":"NewsArticle","datePublished":"2025-03-04"} -->',
            '//<![CDATA[\n{"@type":"NewsArticle","datePublished":"2025-03-04"}\n//]]>',
            '{"@type":"Organization"}{"@type":["Thing","NewsArticle"],"datePublished":"2025-03-04"}',
            '{"@type":"NewsArticle","description":"a "quoted" word","datePublished":"2025-03-04"',
            "{&quot;@type&quot;:&quot;NewsArticle&quot;,&quot;datePublished&quot;:&quot;2025-03-04&quot;}",
            '[[{"@type":"http://schema.org/NewsArticle","datePublished":["2025-03-04"]}]]',
            '{"@type":"NewsArticle","headline":"line\nbreak","datePublished":"2025-03-04"}',
        ],
    )
    def test_however_broken(self, text: str) -> None:
        assert metadata(json_ld(text)).published_at == datetime(2025, 3, 4, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text", ["", "{", "null", "[" * 5000, '{"@type":' * 3000, '"text"', '{"@type":5,"author":7,"datePublished":{}}']
    )
    def test_nonsense_harms_nothing(self, text: str) -> None:
        assert metadata(json_ld(text)).title == "The ferry returns"

    def test_of_several_articles_the_pages_own(self) -> None:
        others = '{"@type":"NewsArticle","headline":"Other","url":"https://www.harbour-post.example/other","datePublished":"2024-01-01"}'
        own = f'{{"@type":"NewsArticle","headline":"Mine","url":"{URL}","datePublished":"2025-03-04"}}'
        assert metadata(json_ld(f"[{others},{own}]")).published_at == datetime(2025, 3, 4, tzinfo=UTC)


class TestRest:
    @pytest.mark.parametrize(
        ("declared", "kept"),
        [
            (URL, URL),
            ("/city/ferry-returns?id=1#top", URL + "?id=1"),
            ("https://www.harbour-post.example/", None),
            ("https://elsewhere.example.com/x", None),
            ("javascript:void(0)", None),
            ("http://[broken", None),
        ],
    )
    def test_canonical_url(self, declared: str, kept: str | None) -> None:
        assert metadata(f"<link rel='canonical' href='{declared}'>").canonical_url == kept

    def test_fields(self) -> None:
        found = metadata(
            "<meta property='og:description' content='It &amp;amp; sails.'><meta property='og:site_name' content='Harbour Post'>"
            "<meta property='og:image' content='/i.jpg'><meta property='article:section' content='City'>"
            "<meta property='article:tag' content='ferry'><meta property='article:tag' content='harbour'>"
            + json_ld('{"@type":"NewsArticle","isAccessibleForFree":"False"}')
        )
        assert found.description == "It & sails."
        assert (found.site_name, found.section, found.tags) == ("Harbour Post", "City", ("ferry", "harbour"))
        assert found.lead_image == "https://www.harbour-post.example/i.jpg"
        assert (found.language_declared, found.paywalled) == ("en-GB", True)

    def test_a_page_that_says_nothing(self) -> None:
        found = metadata("", "<p>text</p>")
        assert found == Metadata(language_declared="en-GB")
