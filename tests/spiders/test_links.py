"""Reading links comes to an end on every page."""

import pytest

from spiders.discover.links import MAX_DEPTH, MAX_TAGS, is_too_deep, page_links

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
def test_towers_of_elements_are_not_parsed(tower: bytes) -> None:
    assert is_too_deep(LINK + tower)
    assert page_links(LINK + tower, None, "crawlhouse").links == ()


@pytest.mark.parametrize("part", [b"<div><a href=/x>x</a><br><img src=y></div>", b"<p>text <a href=/x>x</a>", b"<li><a href=/x>x</A>"])
def test_long_pages_are_parsed(part: bytes) -> None:
    long = b"<p>" + part * (2 * MAX_DEPTH)
    assert not is_too_deep(long)
    assert page_links(long, None, "crawlhouse").links == ("/x",)


def test_of_a_page_of_tags_the_first_ones_count() -> None:
    page = LINK + b"<i></i>" * MAX_TAGS + b"<a href=/far>x</a>"
    assert page_links(page, None, "crawlhouse").links == ("/x",)
