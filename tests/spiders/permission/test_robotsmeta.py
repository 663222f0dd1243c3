"""What a page asks of robots means the same to the crawler, which follows and archives, and to processing, which publishes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from processing.article.tree.parse import parse
from processing.extract.robots_meta import page_directives
from schemas.capture import Capture, HeaderList
from spiders.discover.links import page_links
from spiders.permission.opt_outs import header_opt_outs

URL, PRODUCT = "https://a.example/story", "crawlhouse"
LONG = "x" * 100_000

PAGES = [
    ("<head><meta name=robots content='noindex, nofollow'></head><p>x", {"noindex", "nofollow"}),
    ('<head><META CONTENT="NoArchive" NAME=" Robots "></head>', {"noarchive"}),
    ("<meta name=CrawlHouse content=none>", {"none"}),
    (
        "<meta name='googlebot, crawlhouse' content='noindex nofollow'><meta name=robots content='noarchive.'>",
        {"noindex", "nofollow", "noarchive"},
    ),
    ("<meta name=googlebot content=noindex><meta name=viewport content=noindex>", set()),
    ("<meta name=robots content=index><meta name=robots content=noarchive>", {"index", "noarchive"}),
    ("<meta name=robots data-note='a > b' content=noindex>", {"noindex"}),
    ("<meta content='a > b, noindex' name=robots>", {"a > b", "noindex"}),
    (f"<meta name=robots data-note='{LONG}' content=noindex>", {"noindex"}),
    ("<meta name=robots content='no&#105;ndex'>", {"noindex"}),
    ("<meta name=robots content=noindex content=index>", {"noindex"}),
    ("<head><!-- <meta name=robots content=noindex> --></head>", set()),
    ("<head><script>'<meta name=robots content=noindex>'</script></head>", set()),
    ("<head><title><meta name=robots content=noindex></title></head>", set()),
    ("<head></head><meta name=robots content=noindex><body>", {"noindex"}),
    ("<head></head><body><p>x</p><meta name=robots content=noindex></body>", {"noindex"}),
    (f"<head><style>{LONG}</style><meta name=robots content=noindex></head>", {"noindex"}),
    ("<head><noscript><meta name=robots content=noindex></noscript></head>", set()),
    ("<body><noscript><div><meta name=robots content=noindex></div></noscript><meta name=robots content=nofollow>", {"nofollow"}),
    ("<template><meta name=robots content=noindex></template>", set()),
    ("<meta name=robots><meta content=noindex><meta name=robots content>", set()),
    ("<meta name=viewport content=x>" * 999 + "<meta name=robots content=noindex>" * 2, {"noindex"}),
    ("<meta name=viewport content=x>" * 1_000 + "<meta name=robots content=noindex>", set()),
    ("", set()),
]


def capture(headers: HeaderList = ()) -> Capture:
    return Capture(URL, datetime(2026, 1, 1, tzinfo=UTC), 200, "OK", "HTTP/1.1", (), headers, b"")


@pytest.mark.parametrize(("html", "words"), PAGES, ids=range(len(PAGES)))
def test_both_rooms_read_the_same_meta_elements(html: str, words: set[str]) -> None:
    crawler = page_links(html.encode(), "utf-8", PRODUCT).opt_outs.directives
    assert crawler.words == words
    assert page_directives(capture(), parse(html), PRODUCT) == crawler


def test_both_rooms_read_the_same_headers() -> None:
    headers = (
        (b"Content-Type", b"text/html"),
        (b"X-ROBOTS-Tag", b"noarchive, googlebot: noindex"),
        (b"x-robots-tag", b"CrawlHouse: nofollow, unavailable_after: 25 Jun 2030 15:00:00 GMT"),
        (b"x-robots-not", b"none"),
        (b"X-Robots-Tag", b"OtherBot: none; CrawlHouse/2.0: noimageindex"),
    )
    crawler = header_opt_outs(headers, PRODUCT).directives
    assert crawler.words == {"noarchive", "nofollow", "noimageindex"}
    assert crawler.unavailable_after == datetime(2030, 6, 25, 15, tzinfo=UTC)
    assert page_directives(capture(headers), parse(""), PRODUCT) == crawler
