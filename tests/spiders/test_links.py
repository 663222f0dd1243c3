"""Reading links comes to an end on every page."""

from spiders.links import MAX_DEPTH, is_too_deep, page_links


def test_towers_of_elements_are_not_parsed() -> None:
    tower = b"<a href=/x>x</a>" + b"<div>" * 100_000
    assert is_too_deep(tower)
    assert is_too_deep(tower + b"</div>" * 100_000)
    assert page_links(tower, None, "crawlhouse").links == ()


def test_long_pages_are_parsed() -> None:
    long = b"<p>" + b"<div><a href=/x>x</a><br><img src=y></div>" * (2 * MAX_DEPTH)
    assert not is_too_deep(long)
    assert page_links(long, None, "crawlhouse").links == ("/x",)
