"""Reading links comes to an end on every page."""

import pytest

from spiders.discover.links import MAX_DEPTH, MAX_TAGS, page_links, parsable_length, with_shadow_trees
from spiders.discover.refresh import Refresh, read_refresh
from tests.cpu import growth

LINK = b"<a href=/x>x</a>"


@pytest.mark.parametrize(
    "tower",
    [
        b"<div>" * 100_000,
        b"<div>" * 100_000 + b"</div>" * 100_000,
        b"<div/>" * 100_000,
        b"<div></x>" * 100_000,
        b"<div></div " * 10 + b"<section></DIV>" * 100_000,
        b"<p><b>" * 100_000,
        b"<ul><li>" * 100_000,
        b"<SPAN\n>" * 100_000,
    ],
)
def test_of_towers_of_elements_the_lower_part_counts(tower: bytes) -> None:
    """What stands before them is read, what its owner reserves as well."""
    head = b"<meta name=robots content=noarchive>" + LINK
    assert parsable_length(head + tower) < len(head) + 40 * MAX_DEPTH
    found = page_links(head + tower + b"<a href=/far>x</a>", None, "crawlhouse")
    assert (found.links, found.opt_outs.directives.words) == (("/x",), {"noarchive"})


@pytest.mark.parametrize("charset", ["utf-16le", "utf-16be"])
def test_the_tags_of_a_page_in_another_charset_count_too(charset: str) -> None:
    page = b"<meta name=robots content=noarchive>" + LINK + b"<div></x>" * (4 * MAX_DEPTH) + b"<a href=/far>x</a>"
    found = page_links(page.decode().encode(charset), charset, "crawlhouse")
    assert (found.links, found.opt_outs.directives.words) == (("/x",), {"noarchive"})


def test_a_drawing_of_many_shapes_is_no_tower() -> None:
    drawing = b"<svg>" + b"<path d='M0 0'/><g><circle r=1 /></g>" * MAX_DEPTH + b"</svg>"
    page = drawing + LINK
    assert parsable_length(page) == len(page)
    assert page_links(page, None, "crawlhouse").links == ("/x",)


@pytest.mark.parametrize("part", [b"<div><a href=/x>x</a><br><img src=y></div>", b"<p>text <a href=/x>x</a>", b"<li><a href=/x>x</A>"])
def test_long_pages_are_parsed(part: bytes) -> None:
    long = b"<p>" + part * (2 * MAX_DEPTH)
    assert parsable_length(long) == len(long)
    assert page_links(long, None, "crawlhouse").links == ("/x",)


def test_of_a_page_of_tags_the_first_ones_count() -> None:
    page = LINK + b"<i></i>" * MAX_TAGS + b"<a href=/far>x</a>"
    assert page_links(page, None, "crawlhouse").links == ("/x",)


@pytest.mark.parametrize(
    ("written", "reference", "is_redirect"),
    [
        ("0; url=/news/", "/news/", True),
        ("0;URL='/news/?a=1;b'", "/news/?a=1;b", True),
        ("5, /news/", "/news/", True),
        ("0 url = /news/", "/news/", True),
        (';url="/news/"', "/news/", True),
        ("0.5; url=/news/", "/news/", True),
        ("900; url=/news/", "/news/", False),
    ],
)
def test_a_refresh_names_another_page(written: str, reference: str, is_redirect: bool) -> None:
    seconds = int(written[0]) if written[0].isdigit() else 0
    assert read_refresh(written) == Refresh(reference, is_redirect, is_immediate=seconds <= 1)


@pytest.mark.parametrize("written", ["0", "0;", "0; url=", " 0.5; url=''"])
def test_a_refresh_of_the_page_itself_without_a_pause(written: str) -> None:
    assert read_refresh(written) == Refresh("", is_redirect=True, is_immediate=True)


@pytest.mark.parametrize("written", ["30", "1", "", None, "soon; url=/x", "; url=", "5; url=''"])
def test_a_refresh_without_a_page(written: str | None) -> None:
    assert read_refresh(written) is None


def test_frames_and_refreshes_are_links() -> None:
    page = b"""<noscript><meta http-equiv=refresh content="0; url=/no-script"></noscript><meta http-equiv="Refresh" content="0; url=/b">
    <iframe src="/c"></iframe>"""
    found = page_links(page, None, "x")
    assert (found.refresh, found.links) == ("0; url=/b", ("/c",))
    nested = b"<body><noscript><div><meta http-equiv=refresh content='0; url=/no-script'></div></noscript>"
    assert page_links(nested, None, "x").refresh is None
    frames = page_links(b"<html><frameset><frame src='/f1'><frame src='/f2'></frameset></html>", None, "x")
    assert frames.links == ("/f1", "/f2")
    without = page_links(
        b"<frameset><frame src=/f><noframes><body><a href='/a?b&amp;c'>A</a><a rel=nofollow href=/no></noframes>", None, "x"
    )
    assert without.links == ("/f", "/a?b&c")


def test_links_of_shadow_trees_drawings_and_embedded_pages() -> None:
    html = b"""<div><template shadowrootmode="open"><a href="/shadow">S</a></template><template><a href="/copy">C</a></template></div>
    <svg><a xlink:href="/drawing"><text>D</text></a></svg><p><a xlink:href="/none">none</a></p>
    <object data="/object.html" type="text/html"></object><object data="/film.swf"></object><embed src="/embed" type="text/html">"""
    assert page_links(html, None, "x").links == ("/shadow", "/drawing", "/object.html", "/embed")
    assert page_links(b'<iframe src="" data="a film"></iframe><embed src="" data="x" type="text/html">', None, "x").links == ()


@pytest.mark.parametrize(
    "html",
    [
        b"<template class='my-shadowroot'><a href='/{{x}}'>a</a></template>",
        b"<template data-shadowroot='open'><a href='/{{x}}'>a</a></template>",
        b"<template title='has no shadowroot'><a href='/{{x}}'>a</a></template>",
        b"<template><x-a><template shadowrootmode=open><a href='/{{x}}'>a</a></template></x-a><a href='/{{y}}'>b</a></template>",
    ],
)
def test_templates_that_are_not_shown_have_no_links(html: bytes) -> None:
    assert page_links(b"<script>'<template>'</script>" + html + b"<a href=/c>", None, "x").links == ("/c",)


def test_shadow_trees_end_with_their_hosts() -> None:
    component = b"<p><x-a><template shadowrootmode=open><a href=/s%d>s</a></template><a href=/l%d>l</a></x-a></p>"
    html = b"".join(component % (number, number) for number in range(MAX_DEPTH + 1))
    assert page_links(html, None, "x").links[-2:] == (f"/s{MAX_DEPTH}", f"/l{MAX_DEPTH}")
    assert growth(lambda size: with_shadow_trees(b"<template shadowroot " * (size // 21)), 60_000) < 10


def test_related_links_of_elements_and_headers() -> None:
    page = b"""<link rel="next" href="/2"><link rel=prev href="/0">
    <link rel=alternate type="Application/RSS+XML; charset=utf-8" href="/rss">
    <link rel=alternate type="application/feed+json" href="/feed.json">"""
    header = (
        '</style.css>; rel=preload; as=style, <3?a=1,2>; rel="next last"; title="a, b; c",'
        ' </rss>; rel=alternate;type="application/rss+xml",'
        " </map.xml>;REL=sitemap, <broken; rel=next, </4>; rel*=UTF-8''next"
    )
    found = page_links(page, None, "x").with_header(header)
    assert (found.links, found.feeds, found.sitemaps) == (("3?a=1,2", "/2", "/0"), ("/rss", "/feed.json"), ("/map.xml",))
    assert page_links(page, None, "x").with_header("<" * 100_000 + ";" * 100_000).links == ("/2", "/0")


@pytest.mark.parametrize(
    ("charset", "head", "header", "path", "query"),
    [
        ("windows-1251", "<meta charset=windows-1251>", None, "/новости", "?q=%ED%EE%E2"),
        ("windows-1251", "<meta http-equiv=Content-Type content='text/html; charset=win-1251'>", "none", "/новости", "?q=%ED%EE%E2"),
        ("shift_jis", "", "Shift_JIS", "/ニュース", "?q=%90V"),
        ("gbk", "<meta charset=gb2312>", None, "/新闻", "?q=%D0%C2"),
        ("latin-1", "", None, "/café", "?q=%E9"),
        ("utf-16", "", None, "/é", "?q=é"),
        ("utf-8", "<meta charset=iso-8859-1>", "iso-8859-1", "/é", "?q=é"),
        ("utf-8", "<meta charset=utf-16>", None, "/é", "?q=é"),
    ],
)
def test_links_of_pages_in_any_charset(charset: str, head: str, header: str | None, path: str, query: str) -> None:
    """A query is sent in the page's charset, as browsers do it, but that of UTF-16."""
    word = {"%ED%EE%E2": "нов", "%90V": "新", "%D0%C2": "新", "%E9": "é", "é": "é"}[query[3:]]
    page = f"<html><head>{head}</head><body><a href='{path}?q={word}'>x</a></body></html>"
    (found,) = page_links(page.encode(charset), header, "x").links
    assert found == path + (query if charset != "utf-16" else f"?q={word}")
