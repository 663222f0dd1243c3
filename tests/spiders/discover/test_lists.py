"""Feeds and sitemaps as the web has them: behind other bytes, in any charset, with XML that no strict parser takes."""

from datetime import UTC, datetime

import pytest

from schemas.capture import UrlKind
from spiders.discover.feeds import MAX_NESTED, feed_entries, within_depth
from spiders.discover.kinds import sniff_kind
from spiders.discover.sitemaps import MAX_ENTRIES, sitemap_entries
from tests.cpu import growth, seconds_of

URL = "https://a.example/page?a=1&copy=2"
SITEMAP = f"<urlset><url><loc>{URL.replace('&', '&amp;')}</loc></url></urlset>"
INDEX = f"<sitemapindex><sitemap><loc>{URL.replace('&', '&amp;')}</loc></sitemap></sitemapindex>"
RSS = f"<rss version='2.0'><channel><item><title>T</title><link>{URL.replace('&', '&amp;')}</link></item></channel></rss>"
ATOM = f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>T</title><link href='{URL.replace('&', '&amp;')}'/></entry></feed>"
BEFORE = {
    "nothing": "",
    "blank lines": "\n \t\r\n\n",
    "a declaration": '<?xml version="1.0"?>\n',
    "a style sheet": '<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="/x.xsl"?>',
    "a comment with tags": '<?xml version="1.0"?><!-- by <a href="x">a <html> tool</a> -->',
    "a long comment": '<?xml version="1.0"?><!-- ' + "licence " * 10_000 + " -->",
    "a document type": '<!DOCTYPE x [<!ENTITY nbsp "&#160;"><!ENTITY copy "&#169;">]>',
    "a PHP warning": "<br />\n<b>Warning</b>: Undefined <i>variable</i> in <b>/x.php</b> on line <b>3</b><br />\n<?xml version='1.0'?>",
    "a table of xdebug": "<font size='1'><table dir='ltr'><tr><th>Notice: x</th></tr></table></font>\n",
    "a notice as text": "Notice: Undefined index in /x.php on line 3\n",
    "a warning of 20 kB": "<b>Warning</b>: x<br />\n" * 900,
}


def urls(body: bytes) -> list[str]:
    kind = sniff_kind(body, UrlKind.PAGE)
    found = feed_entries(body) if kind is UrlKind.FEED else sitemap_entries(body) if kind is UrlKind.SITEMAP else ()
    return [entry.url for entry in found]


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE.keys())
@pytest.mark.parametrize("document", [SITEMAP, INDEX, RSS, ATOM])
def test_what_stands_before_the_root_element(before: str, document: str) -> None:
    assert urls((before + document).encode()) == [URL]


@pytest.mark.parametrize("document", [SITEMAP, INDEX, RSS, ATOM])
@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32", "iso-8859-15"])
@pytest.mark.parametrize("declared", ['<?xml version="1.0" encoding="{}"?>', ""])
def test_charsets(document: str, charset: str, declared: str) -> None:
    assert urls((declared.format(charset.removesuffix("-sig")) + document).encode(charset)) == [URL]


def test_a_declaration_of_utf_16_over_other_bytes_is_a_leftover() -> None:
    assert urls(('<?xml version="1.0" encoding="utf-16"?>' + SITEMAP.replace("page", "pagé")).encode()) == [URL.replace("page", "pagé")]


@pytest.mark.parametrize("document", [SITEMAP, INDEX, RSS, ATOM])
def test_a_bare_ampersand_invents_no_url(document: str) -> None:
    assert urls(document.replace("&amp;", "&").encode()) == [URL]


@pytest.mark.parametrize("end", ["https://a.example/pa", "<![CDATA[https://a.example/pa", ""])
def test_an_address_in_whose_middle_a_sitemap_ends_is_none(end: str) -> None:
    assert urls(SITEMAP.replace("</urlset>", f"<url><loc>{end}").encode()) == [URL]


@pytest.mark.parametrize("between", ["\x00", "\x0b", "\x08", "&#0;", "&#8;", "&#xFFFE;"])
def test_characters_that_xml_does_not_have(between: str) -> None:
    assert urls(SITEMAP.replace("page", f"pa{between}ge").encode()) == [URL]


@pytest.mark.parametrize(
    "page",
    [
        "<p>one<feed>two</feed>",
        "<!doctype html><html><body><rss version='2'>",
        "<div><pre><urlset>",
        "Text & more",
        "<?xml version='1.0'?><html xmlns='x'><rss/></html>",
    ],
)
def test_pages_are_no_lists(page: str) -> None:
    assert sniff_kind(page.encode(), UrlKind.FEED) is UrlKind.PAGE


def test_text_sitemaps() -> None:
    lines = "\ufeffhttps://a.example/1\r\n\r\n  HTTPS://a.example/2\nno\nhttp://a.example/3"
    for charset in ("utf-8", "utf-16"):
        body = lines.encode(charset)
        assert sniff_kind(body, UrlKind.SITEMAP) is UrlKind.SITEMAP
        assert [entry.url for entry in sitemap_entries(body)] == ["https://a.example/1", "HTTPS://a.example/2", "http://a.example/3"]


EXTENSIONS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="urn:i" xmlns:video="urn:v" xmlns:news="urn:n"'
CLIP = "<video:video><video:title>Clip</video:title><video:publication_date>2020-01-01</video:publication_date></video:video>"
NEWS = (
    "<news:news><news:publication_date>Fri, 31 May 2024 12:00:00 CEST</news:publication_date>"
    "<news:title>Fee &lt;b&gt;stays&lt;/b&gt; &amp;amp; rises</news:title></news:news>"
)


@pytest.mark.parametrize("declared", [EXTENSIONS, ""])
def test_elements_of_extensions_are_not_those_of_the_page(declared: str) -> None:
    picture = "<image:image><image:loc>https://a.example/a.jpg</image:loc><image:title>Picture</image:title></image:image>"
    plain, news = sitemap_entries(
        f"<urlset {declared}><url>{picture}<image:loc>https://a.example/b.jpg</image:loc><loc>https://a.example/1</loc>{CLIP}</url>"
        f"<url>{CLIP}<loc> https://a.example/2\n</loc>{NEWS}<lastmod>2024-06-01 10:00</lastmod></url></urlset>".encode()
    )
    assert (plain.url, plain.hints.title, plain.hints.published_at, plain.hints.source) == ("https://a.example/1", None, None, "sitemap")
    assert (news.url, news.hints.title, news.hints.source) == ("https://a.example/2", "Fee stays & rises", "news sitemap")
    assert news.hints.published_at == datetime(2024, 5, 31, 10, tzinfo=UTC)
    assert news.modified_at == datetime(2024, 6, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("&lt;b&gt;Fee&lt;/b&gt; stays&lt;br/&gt;for now", "Fee stays for now"),
        ("<![CDATA[<span class='x'>Fee</span> stays & rises]]>", "Fee stays & rises"),
        ("Fee &amp;amp; rent", "Fee & rent"),
        ("Fee & rent", "Fee & rent"),
        ("A &lt; B", "A < B"),
        ("List&lt;T&gt; in use", "List<T> in use"),
        ("Caf&eacute;\n  opens", "Café opens"),
    ],
)
def test_titles_are_plain_text(written: str, title: str) -> None:
    (entry,) = feed_entries(RSS.replace("<title>T<", f"<title>{written}<").encode())
    assert entry.hints.title == title


@pytest.mark.parametrize("element", ["pubDate", "dc:date"])
@pytest.mark.parametrize(
    "written", ["Fri, 31 May 2024 15:30:00 IST", "31.05.2024 10:00", "2024-05-31T12:00:00 MESZ", "May 31, 2024 10:00 AM"]
)
def test_dates_of_feeds(element: str, written: str) -> None:
    (entry,) = feed_entries(RSS.replace("<title>", f"<{element}>{written}</{element}><title>").encode())
    assert entry.hints.published_at == datetime(2024, 5, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "loc",
    [
        "https://a.example/page?a=1&amp;amp;copy=2",
        "https://a.example/page?a=1&amp;#038;copy=2",
        "https://a.example/p&amp;#x61;ge?a=1&amp;amp;amp;copy=2",
        "<!-- x -->https://a.example/<!-- y -->page?a=1&amp;copy=2",
        "<a href='#'>https://a.example/page?a=1&amp;copy=2</a>",
        "\u200b https://a.example/page?a=1&amp;copy=2\u00a0",
        '"https://a.example/page?a=1&amp;copy=2"',
        "https://a.example/\n      page?a=1&amp;copy=2",
        "www.a.example/page?a=1&amp;copy=2",
    ],
)
def test_addresses_are_read_as_they_are_meant(loc: str) -> None:
    document = f"<urlset><url><loc>{loc}</loc></url></urlset>"
    (entry,) = sitemap_entries(document.encode(), "https://a.example/sitemap.xml")
    assert entry.url.replace("//www.", "//") == URL


def test_lines_of_a_text_sitemap() -> None:
    text = "# All pages\n\nhttps://a.example/1\t2024-05-31\n'https://a.example/2'\nhttps://a.example/3, https://a.example/4;https://a.example/5,http://a.example/6\n;end\n/5\n"
    assert sniff_kind(text.encode(), UrlKind.SITEMAP) is UrlKind.SITEMAP
    assert [entry.url for entry in sitemap_entries(text.encode())] == [
        *(f"https://a.example/{number}" for number in range(1, 6)),
        "http://a.example/6",
    ]


@pytest.mark.parametrize(
    ("line", "url", "day"),
    [
        ("https://a.example/1,2024-05-31", "https://a.example/1", 31),
        ("https://a.example/1 , 2024-05-31T10:00:00+02:00,daily,0.8\r", "https://a.example/1", 31),
        ('"https://a.example/1";"31.05.2024";1', "https://a.example/1", 31),
        ("2024-05-31;https://a.example/1", "https://a.example/1", 31),
        ("https://a.example/1|weekly", "https://a.example/1", None),
        ("https://a.example/artikel,1,2", "https://a.example/artikel,1,2", None),
        ("https://a.example/a,2024-05-31.html", "https://a.example/a,2024-05-31.html", None),
        ("https://a.example/?a=1&#038;b=2", "https://a.example/?a=1&b=2", None),
        ("https://a.example/?a=1&copy=2", "https://a.example/?a=1&copy=2", None),
    ],
)
@pytest.mark.parametrize("header", ["", "# pages\n\n", "loc,lastmod\r\n", '"URL"\n'])
def test_columns_of_a_text_sitemap(line: str, url: str, day: int | None, header: str) -> None:
    text = f"{header}{line}\n".encode()
    assert sniff_kind(text, UrlKind.SITEMAP) is UrlKind.SITEMAP
    (entry,) = sitemap_entries(text)
    assert (entry.url, entry.modified_at and entry.modified_at.day) == (url, day)


@pytest.mark.parametrize("namespace", ['xmlns:xhtml="http://www.w3.org/1999/xhtml"', ""])
def test_the_pages_in_other_languages_that_a_sitemap_names(namespace: str) -> None:
    def page(path: str, *links: str) -> str:
        return f"<url><loc>https://a.example/{path}</loc>{''.join(links)}<lastmod>2024-05-31</lastmod></url>"

    german, french = (f"<xhtml:link rel='alternate' hreflang='{path}' href='/{path}?a=1&amp;b=2'/>" for path in ("de", "fr"))
    phone = "<xhtml:link rel='alternate' media='only screen' href='https://m.a.example/en'/>"
    listed = "<xhtml:link rel='alternate' hreflang='en' href='https://a.example/en'/>"
    document = f"<urlset {namespace}>{page('en', german, french, phone)}{page('it', listed, german)}</urlset>"
    entries = [(entry.url, entry.modified_at is not None) for entry in sitemap_entries(document.encode())]
    assert entries == [("https://a.example/en", True), ("https://a.example/it", True), ("/de?a=1&b=2", False), ("/fr?a=1&b=2", False)]
    cut = document[: document.index("/fr?a=1") + 3]
    assert [entry.url for entry in sitemap_entries(cut.encode())] == ["https://a.example/en", "/de?a=1&b=2"]


def test_json_feeds() -> None:
    feed = b"""{"version": "https:\\/\\/jsonfeed.org\\/version\\/1.1", "language": "de", "items": [
    {"id": 1, "url": "https://a.example/1", "title": "One &amp; <b>only</b>", "date_published": "31. Mai 2024 10:00"},
    {"id": "https://a.example/2", "date_modified": "2024-05-31"}, {"id": "3"}, {"url": {}}, 4]}"""
    assert urls(feed) == ["https://a.example/1", "https://a.example/2"]
    one = next(feed_entries(feed))
    assert (one.hints.title, one.hints.published_at) == ("One & only", datetime(2024, 5, 31, 10, tzinfo=UTC))
    assert sniff_kind(b'{"items": []}', UrlKind.FEED) is UrlKind.PAGE
    assert not urls(feed[:-1])


@pytest.mark.parametrize(
    "item",
    [
        '{"url": "https://a.example/1", "title": "a half \\ud83d"}',
        '{"url": "https://a.example/1", "date_published": 1717149600.5}',
        '{"url": "https://a.example/1", "title": 5}',
        '{"url": "https://a.example/1", "content_html": "' + "x" * 5_000 + '"}',
    ],
)
def test_odd_items_of_json_feeds(item: str) -> None:
    assert urls(f'{{"items": [{item}], "version": "https://jsonfeed.org/version/1"}}'.encode()) == ["https://a.example/1"]


def test_entries_without_their_end_tags() -> None:
    document = b"<urlset>" + b"".join(b"<url><loc>https://a.example/%d</loc><lastmod>2024-05-31</lastmod>" % number for number in range(4))
    assert sorted(entry.url for entry in sitemap_entries(document)) == [f"https://a.example/{number}" for number in range(4)]
    assert sorted(urls(document + b"</url></urlset>")) == [f"https://a.example/{number}" for number in range(4)]


@pytest.mark.parametrize("second", [SITEMAP, INDEX])
def test_all_sitemaps_in_one_file_are_read(second: str) -> None:
    once = urls(SITEMAP.encode())
    assert once
    assert urls(f"{SITEMAP}\n<?xml version='1.0'?>\n{second}".encode()) == [*once, *urls(second.encode())]


@pytest.mark.parametrize("item", ["<guid>12345</guid>", "<guid>news-1</guid>", "<guid isPermaLink='false'>https://a.example/1</guid>"])
def test_an_id_that_is_no_address_invents_no_url(item: str) -> None:
    assert urls(f"<rss version='2.0'><channel><item>{item}</item></channel></rss>".encode()) == []


@pytest.mark.parametrize(
    "item",
    [
        "<link></link><guid>https://a.example/1</guid>",
        "<guid isPermaLink='true'>https://a.example/1</guid>",
        "<link/>https://a.example/1<guid isPermaLink='false'>1</guid>",
        "<link>https://proxy.example/~r/1</link><feedburner:origLink>https://a.example/1</feedburner:origLink>",
    ],
)
def test_the_link_of_an_entry(item: str) -> None:
    feed = f"<rss version='2.0' xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0'><channel><item>{item}</item></channel></rss>"
    assert urls(feed.encode()) == ["https://a.example/1"]


@pytest.mark.parametrize(
    ("declared", "header", "charset"), [("windows-1251", None, "utf-8"), ("", "windows-1251", "windows-1251"), ("", "utf-7", "utf-8")]
)
def test_titles_in_another_charset_than_the_feed_says(declared: str, header: str | None, charset: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    (entry,) = feed_entries((declaration + RSS.replace(">T<", ">Новости<")).encode(charset), "https://a.example/rss", header)
    assert entry.hints.title == "Новости"


@pytest.mark.parametrize(
    "unit",
    ["\n", " \n", "#\n", "# http\n", "http://a.example/ ", "<url><loc>a" + " " * 8_000 + "b</loc></url>", "http://a" + ", " * 4_000 + "\n"],
)
def test_a_hostile_sitemap_takes_bounded_time(unit: str) -> None:
    def work(size: int) -> None:
        for body in (unit * (size // len(unit)) + "x", f"<urlset>{unit * (size // len(unit))}"):
            if sniff_kind(body.encode(), UrlKind.SITEMAP) is UrlKind.SITEMAP:
                list(sitemap_entries(body.encode()))

    assert growth(work, 50_000) < 10


def test_entries_in_an_entry_without_an_end_take_time_by_their_number() -> None:
    """The outer one is read once. Its children are as many as are parsed at a time."""
    body = "<urlset><url><loc>https://a.example/0</loc>" + "<url><loc>https://a.example/1</loc></url>" * 4_000

    def seconds(text: str) -> float:
        return seconds_of(lambda _: list(sitemap_entries(text.encode())), 0)

    assert seconds(body) < 5 * seconds(body.replace("<url>", "", 1))
    assert [entry.url[-1] for entry in sitemap_entries(body.encode())][:3] == ["0", "1", "1"]


@pytest.mark.parametrize("unit", ["<author><name>", "<x>", "<item>"])
def test_a_feed_of_elements_in_one_another_ends_where_they_are_too_deep(unit: str) -> None:
    assert within_depth(f"<rss>{unit * 2000}").count("<") == MAX_NESTED
    list(feed_entries(f"<rss>{unit * 100_000}".encode()))  # minutes, if all of it were parsed


def test_the_entries_behind_a_long_one_of_tags_without_ends_are_read() -> None:
    item = "<item><link>https://a.example/{}</link><description>{}</description></item>"
    feed = "<rss><channel>" + item.format(1, "<p>x" * (MAX_NESTED + 100)) + item.format(2, "x") + "</channel></rss>"
    assert [entry.url for entry in feed_entries(feed.encode())] == ["https://a.example/1", "https://a.example/2"]


@pytest.mark.parametrize(
    "inner", ["<p>x<br>", "<![CDATA[<b><b><b><b>]]>", "<!-- <b><b><b><b> -->", "<media:thumbnail url='/x'/>", "<b>x</b>"]
)
def test_long_feeds_are_read_whole(inner: str) -> None:
    item = "<item><link>https://a.example/{0}</link><description>{1}</description></item>"
    feed = "<rss><channel>" + "".join(item.format(number, inner) for number in range(400)) + "</channel></rss>"
    assert within_depth(feed) == feed
    assert within_depth("<rss><item><![CDATA[" * 5) == "<rss><item><![CDATA[" * 5


def test_a_line_of_a_sitemap_counts_by_its_addresses() -> None:
    assert sum(1 for _ in sitemap_entries((b"http://a.example/ " * 400 + b"\n") * 200)) == MAX_ENTRIES


def test_a_sitemap_cut_within_a_character_stays_utf_8() -> None:
    body = ("<urlset>" + "<url><loc>https://a.example/é</loc></url>" * 3 + "<url><loc>https://a.example/é").encode()[:-1]
    assert [entry.url for entry in sitemap_entries(body)][:3] == ["https://a.example/é"] * 3
