"""What answers say: links, feeds, sitemaps, redirects and reservations."""

import gzip
from datetime import UTC, datetime

import pytest

from schemas.capture import Capture, HeaderList, UrlKind
from schemas.config.crawl_file import parse_crawl
from schemas.outcomes import Reason
from spiders.discover.body import MAX_LISTS
from spiders.discover.link_memory import LinkMemory
from spiders.discover.response import MAX_REDIRECTS, ParsedResponse
from spiders.urls.scope import CrawlScope
from tests.spiders.readers import read_answer

NOW = datetime.now(UTC)
BASE = "https://a.example/dir/page"
NEWS = b"""<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc>https://a.example/1</loc><news:news><news:publication><news:name>A</news:name></news:publication>
<news:publication_date>2026-02-03T04:05+02:00</news:publication_date><news:title>One &amp; only</news:title></news:news></url>
<url><loc>https://other.example/2</loc></url></urlset>"""
RSS = b"""<rss version="2.0"><channel><item><title>Two</title><link>/2?utm_source=rss</link>
<pubDate>Tue, 03 Feb 2026 04:05:00 GMT</pubDate></item></channel></rss>"""


def answer(
    body: bytes, *headers: tuple[bytes, bytes], status: int = 200, kind: UrlKind = UrlKind.PAGE, redirects: int = 0
) -> ParsedResponse:
    crawl = parse_crawl("seeds: [https://a.example/]\nscope: {exclude: ['/never']}\n", "news")
    given: HeaderList = headers or ((b"Content-Type", b"text/html; charset=utf-8"),)
    capture = Capture(BASE, datetime.now(UTC), status, "", "HTTP/1.1", (), given, body, kind=kind)
    return read_answer(capture, redirects, crawl, CrawlScope(crawl))


def urls(found: ParsedResponse) -> list[str]:
    return [one.url for one in found.discoveries]


def test_a_page_names_so_many_feeds_and_sitemaps_at_most() -> None:
    feeds = b"".join(b"<link rel=alternate type=application/rss+xml href=/f%d>" % number for number in range(2 * MAX_LISTS))
    sitemaps = b"".join(b"<link rel=sitemap href=/s%d.xml>" % number for number in range(2 * MAX_LISTS))
    assert len(urls(answer(feeds + sitemaps))) == 2 * MAX_LISTS


@pytest.mark.parametrize(("status", "found"), [(203, ["https://a.example/b"]), (300, ["https://a.example/b"]), (404, [])])
def test_pages_under_other_statuses_than_200_have_links(status: int, found: list[str]) -> None:
    assert urls(answer(b"<a href=/b>", status=status)) == found


def test_links_in_scope_each_once() -> None:
    page = b"""<a href="one">1</a><a href=one#x>1</a><a href="https://other.example/">no</a><a rel=nofollow href=/hidden>no</a>
    <area href="/map"><a href="/never/x">no</a><link rel=canonical href="/dir/canonical">
    <link rel="alternate" type="application/rss+xml" href="/feed"><link rel="sitemap" type="application/xml" href="/map.xml">
    <link rel="alternate" hreflang="de" href="/de/page"><link rel="alternate stylesheet" href="/dark.css">
    <link rel="alternate" type="application/json" href="/page.json"><link rel="alternate" media="handheld" href="/m/page">"""
    found = answer(page)
    assert urls(found) == [
        "https://a.example/feed",
        "https://a.example/map.xml",
        "https://a.example/dir/one",
        "https://a.example/map",
        "https://a.example/dir/canonical",
        "https://a.example/de/page",
    ]
    assert [one.kind for one in found.discoveries[:2]] == [UrlKind.FEED, UrlKind.SITEMAP]
    assert found.discoveries[2].depth == 1


def test_a_link_too_deep_here_may_be_near_enough_elsewhere() -> None:
    crawl = parse_crawl("seeds: [https://a.example/]\nscope: {max_depth: 3}\n", "news")
    memory, scope = LinkMemory(), CrawlScope(crawl)

    def found(url: str, depth: int) -> list[str]:
        page = Capture(
            url, datetime.now(UTC), 200, "", "HTTP/1.1", (), ((b"Content-Type", b"text/html"),), b"<a href='/far'>x</a>", depth=depth
        )
        return urls(read_answer(page, 0, crawl, scope, memory))

    assert found(BASE, 3) == []
    assert found(BASE + "/a", 2) == ["https://a.example/far"]
    assert found(BASE + "/b", 1) == []


def test_the_base_element_counts() -> None:
    assert urls(answer(b"<base href='/elsewhere/'><a href=x>x</a>")) == ["https://a.example/elsewhere/x"]


def test_links_of_a_page_in_another_charset() -> None:
    page = "<a href='/caf\u00e9'>x</a>".encode("latin-1")
    assert urls(answer(page, (b"Content-Type", b"text/html; charset=iso-8859-1"))) == ["https://a.example/caf%C3%A9"]


@pytest.mark.parametrize("charset", ["undefined", "idna", "punycode", "hex", "rot13", "unicode_escape", "utf-7", "no-such", "", "\xff"])
def test_a_charset_that_no_page_means_is_passed_over(charset: str) -> None:
    page = "<a href='/caf\u00e9'>x</a><a href=\\x2fy>y</a>".encode()
    found = urls(answer(page, (b"Content-Type", f"text/html; charset={charset}".encode("latin-1"))))
    assert found[0] == "https://a.example/caf%C3%A9"


def test_a_chain_of_sitemap_indexes_ends_with_the_depth() -> None:
    index = b"<sitemapindex><sitemap><loc>https://a.example/next.xml</loc></sitemap></sitemapindex>"
    pages = b"<urlset><url><loc>https://a.example/page</loc></url></urlset>"

    def found(body: bytes, depth: int) -> list[tuple[str, int]]:
        crawl = parse_crawl("seeds: [https://a.example/]\nscope: {max_depth: 2}\n", "news")
        given = ((b"Content-Type", b"image/png"),)
        capture = Capture(BASE, NOW, 200, "", "HTTP/1.1", (), given, body, kind=UrlKind.SITEMAP, depth=depth)
        return [(one.url, one.depth) for one in read_answer(capture, 0, crawl, CrawlScope(crawl)).discoveries]

    assert [found(index, depth) for depth in (0, 1, 2)] == [[("https://a.example/next.xml", 1)], [("https://a.example/next.xml", 2)], []]
    assert found(pages, 2) == [("https://a.example/page", 1)]


@pytest.mark.parametrize(
    ("feed", "wanted"),
    [
        (b"<rss><channel><item><link>rel/1</link></item></channel></rss>", "https://a.example/dir/rel/1"),
        (b'<rss xml:base="/b/"><channel><item><link>1</link></item></channel></rss>', "https://a.example/b/1"),
        (b'<feed xml:base="https://a.example/b/"><entry xml:base="c/"><link href="1"/></entry></feed>', "https://a.example/b/c/1"),
        (b'<feed><entry><link rel="self" href="/self"/><link rel="alternate" href="/1"/></entry></feed>', "https://a.example/1"),
        (b"<rss><channel><item><guid>https://a.example/1</guid></item></channel></rss>", "https://a.example/1"),
    ],
)
def test_links_of_feeds_are_relative_to_their_base(feed: bytes, wanted: str) -> None:
    found = answer(feed.replace(b"<feed", b'<feed xmlns="http://www.w3.org/2005/Atom"'), (b"Content-Type", b"text/plain"))
    assert urls(found) == [wanted]


@pytest.mark.parametrize("coded", [False, True])
def test_a_news_sitemap_brings_titles_and_dates(coded: bool) -> None:
    found = answer(gzip.compress(NEWS) if coded else NEWS, (b"Content-Type", b"application/octet-stream"), kind=UrlKind.SITEMAP)
    assert found.kind is UrlKind.SITEMAP
    (one,) = found.discoveries
    assert (one.url, one.hints.title, one.hints.source) == ("https://a.example/1", "One & only", "news sitemap")
    assert one.hints.published_at == datetime(2026, 2, 3, 2, 5, tzinfo=UTC)


def test_a_feed_is_recognised_by_itself() -> None:
    found = answer(RSS, (b"Content-Type", b"text/html"))
    assert found.kind is UrlKind.FEED
    (one,) = found.discoveries
    assert (one.url, one.hints.title) == ("https://a.example/2", "Two")
    assert one.hints.published_at == datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


def test_a_cut_sitemap_gives_what_it_has() -> None:
    assert urls(answer(NEWS[:-120], (b"Content-Type", b"text/xml"), kind=UrlKind.SITEMAP)) == ["https://a.example/1"]


def test_a_redirect_is_a_discovery_and_chains_are_bounded() -> None:
    location = (b"Location", b"/there")
    (one,) = answer(b"", location, status=301, redirects=2).discoveries
    assert (one.url, one.redirects) == ("https://a.example/there", 3)
    lost = answer(b"", location, status=302, redirects=MAX_REDIRECTS)
    assert lost.too_many_redirects
    assert not lost.discoveries
    assert not answer(b"", (b"Location", b"http://10.0.0.1/"), status=302).discoveries


@pytest.mark.parametrize(
    ("body", "headers", "status", "target", "dead_end"),
    [
        (b"<meta http-equiv=refresh content='0; url=/b?utm_source=x'>", (), 200, "https://a.example/b?utm_source=x", None),
        (b"<meta http-equiv=refresh content='1; url=//www.a.example/b'>", (), 200, "https://www.a.example/b", None),
        (b"<meta http-equiv=refresh content='0; url=https://b.example/'>", (), 200, "https://b.example/", Reason.OUT_OF_SCOPE),
        (b"<meta http-equiv=refresh content='0; url=page'>", (), 200, BASE, Reason.REDIRECT_LOOP),
        (b"<meta http-equiv=refresh content='5; url=page'>", (), 200, None, None),  # people read it
        (b"<meta http-equiv=refresh content='0'>", (), 200, BASE, Reason.REDIRECT_LOOP),
        (b"", ((b"Refresh", b"0; url=/b"),), 200, "https://a.example/b", None),
        (b"<meta http-equiv=refresh content='0; url=/b'>", ((b"Refresh", b"0; url=http://"),), 200, "https://a.example/b", None),
        (b"moving", ((b"Content-Type", b"text/plain"), (b"Refresh", b"0;/b")), 200, "https://a.example/b", None),
        (b"moving", ((b"Refresh", b"3; url=/b"),), 302, "https://a.example/b", None),
        (b"moving", ((b"Refresh", b"3; url=/b"), (b"Location", b"/c")), 302, "https://a.example/c", None),
    ],
)
def test_an_immediate_refresh_is_a_redirect(
    body: bytes, headers: tuple[tuple[bytes, bytes], ...], status: int, target: str | None, dead_end: Reason | None
) -> None:
    found = answer(body, *headers, status=status)
    assert (found.redirect_to, found.dead_end) == (target, dead_end)
    assert [(one.url, one.redirects) for one in found.discoveries] == ([(target, 1)] if target and not dead_end else [])


def test_a_slower_refresh_behind_one_that_leads_nowhere_is_no_redirect() -> None:
    found = answer(b"<meta http-equiv=refresh content='5; url=/b'>", (b"Refresh", b"0; url=http://"))
    assert (found.redirect_to, [one.url for one in found.discoveries]) == (None, ["https://a.example/b"])


def test_a_chain_of_refreshes_is_bounded() -> None:
    found = answer(b"<meta http-equiv=refresh content='0; url=/b'>", redirects=MAX_REDIRECTS)
    assert found.too_many_redirects
    assert not found.discoveries


@pytest.mark.parametrize(
    ("header", "reserved"),
    [
        ((b"X-Robots-Tag", b"noarchive"), True),
        ((b"x-robots-tag", b"crawlhouse: noarchive, nofollow"), True),
        ((b"X-Robots-Tag", b"otherbot: noarchive"), False),
        ((b"X-Robots-Tag", b"noindex"), False),
        ((b"TDM-Reservation", b"1"), True),
        ((b"TDM-Reservation", b"0"), False),
    ],
)
def test_reservations_in_headers(header: tuple[bytes, bytes], reserved: bool) -> None:
    assert (answer(b"<p>x", (b"Content-Type", b"text/html"), header).opt_outs.archiving_opt_out(NOW) is not None) is reserved


def test_reservations_in_the_page() -> None:
    assert answer(b"<meta name=robots content='index, NOARCHIVE'>").opt_outs.archiving_opt_out(NOW) is not None
    assert answer(b"<meta name=tdm-reservation content=1>").opt_outs.archiving_opt_out(NOW) is not None
    nofollow = answer(b"<meta name=robots content=nofollow><a href=/x>x</a>")
    assert nofollow.opt_outs.archiving_opt_out(NOW) is None
    assert not nofollow.discoveries


@pytest.mark.parametrize(
    "yaml",
    [
        "seeds: ['http://bücher.example/']",
        "seeds: ['http://Bücher.Example.:80/']",
        "seeds: ['http://xn--bcher-kva.example/']",
        "seeds: ['http://a.example/']\nscope: {hosts: ['bücher.example:443']}",
    ],
)
def test_a_host_is_in_scope_in_all_its_spellings(yaml: str) -> None:
    scope = CrawlScope(parse_crawl(yaml, "news"))
    assert scope.covers("https://xn--bcher-kva.example/page", UrlKind.PAGE, 1)
    assert not scope.covers("https://xn--bcher-kva.example:8080/page", UrlKind.PAGE, 1)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("/caf\u00e9".encode(), "https://a.example/caf%C3%A9"),
        ("/caf\u00e9".encode("latin-1"), "https://a.example/caf%E9"),
        (b"/caf%c3%a9", "https://a.example/caf%C3%A9"),
        (b"//user:pw@a.example/x", "https://a.example/x"),
        (b" /a b ", "https://a.example/a%20b"),
    ],
)
def test_a_location_is_utf_8_where_it_can_be(written: bytes, wanted: str) -> None:
    assert urls(answer(b"", (b"Location", written), status=301)) == [wanted]


def test_a_charset_that_no_feed_means_is_not_used() -> None:
    found = answer(b"<?xml version='1.0' encoding='punycode'?><rss><channel><item><link>/1</link></item></channel></rss>")
    assert [one.url for one in found.discoveries] == ["https://a.example/1"]
