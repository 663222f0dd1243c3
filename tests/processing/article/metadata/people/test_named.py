"""Authors without "by": labels for previews, elements that are named an author's name, signed headings, desks and teams."""

from datetime import UTC, datetime

import pytest

from processing.article.metadata.metadata import read_metadata
from processing.article.tree.parse import parse
from schemas.page import Page

PROSE = "<p>" + "The wheel of the old mill turns again, after forty years and many repairs by the village. " * 3 + "</p>"


def authors(body: str, head: str = "") -> tuple[str, ...]:
    html = f"<html lang=en><head><title>The mill</title>{head}</head><body><h1>The mill</h1>{body}</body></html>"
    return read_metadata(parse(html), Page("https://valley.example/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC))).authors


def test_labels_for_previews_count_beside_the_address_of_a_profile() -> None:
    profile = "<meta property=article:author content='https://social.example/ann'>"
    label = "<meta name=twitter:label1 content='Written by'><meta name=twitter:data1 content='Ann Lee'>"
    assert authors(PROSE, profile + label) == ("Ann Lee",)
    assert authors(PROSE, "<meta property=article:author content='Bo Li'>" + label) == ("Bo Li",)


@pytest.mark.parametrize(
    "name", ["div class=author-name", "span class=post-author__name", "div class=blog-author", "b class='c byline-name'"]
)
def test_a_team_in_an_element_that_is_named_an_author_s_name(name: str) -> None:
    assert authors(f"<{name}>Riverside Team</{name.split(maxsplit=1)[0]}>{PROSE}") == ("Riverside Team",)


@pytest.mark.parametrize(
    "body", ["<div class=author-name>by the staff</div>", "<div class=author-image>Riverside Team</div>", "<div class=author>Staff</div>"]
)
def test_what_is_no_author_s_name(body: str) -> None:
    assert authors(body + PROSE) == ()


@pytest.mark.parametrize("label", ["Written by", "Article by", "Posted by", "Verfasst von"])
def test_a_signed_heading(label: str) -> None:
    assert authors(f"{PROSE * 4}<h3>{label} Ida Kohl</h3><p>She mills.</p>") == ("Ida Kohl",)


def test_two_signed_headings_are_of_works() -> None:
    assert authors(f"{PROSE * 4}<h3>Written by Ida Kohl</h3>{PROSE}<h3>Written by Bo Li</h3>{PROSE}") == ()
