"""Titles: the site's name goes, words of the title stay, and a heading is read as readers see it."""

from datetime import UTC, datetime

import pytest

from processing.article.metadata.metadata import read_metadata
from processing.article.tree.parse import parse
from schemas.page import Page


def title(declared: str, heading: str = "", url: str = "https://www.valley-post.example/mill", head: str = "") -> str | None:
    html = f"<html><head><title>{declared}</title>{head}</head><body>{heading}<p>Prose.</p></body></html>"
    return read_metadata(parse(html), Page(url, html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC))).title


@pytest.mark.parametrize(
    ("declared", "own"),
    [
        ("古い水車が再び回り始めた｜谷間新聞", "古い水車が再び回り始めた"),
        ("山谷里的老水车重新转动起来_社会频道_山谷网", "山谷里的老水车重新转动起来"),
        ("The old mill turns again _ Valley Post", "The old mill turns again"),
        ("The old mill turns again » Valley Post", "The old mill turns again"),
        ("The old mill turns again_Valley Post", "The old mill turns again"),
        ("The old mill of the valley_post turns", "The old mill of the valley_post turns"),
        ("The old mill turns again ⋆ Valley Post", "The old mill turns again"),
        ("The old mill turns again / Valley Post", "The old mill turns again"),
        ("The old mill turns again ― Valley Post", "The old mill turns again"),
        ("The old mill turns again « Valley Post", "The old mill turns again"),
        ("The old mill turns again: Valley Post", "The old mill turns again"),
        ("What turns? | News | Valley Post", "What turns?"),
        ("물레방아 다시 돈다 &lt; 사회 &lt; 기사본문 - Valley Post", "물레방아 다시 돈다"),
        ("The mill / the river turn again", "The mill / the river turn again"),
        ("Valley Post: News – The old mill turns again", "The old mill turns again"),
        ("Valley – the old mill turns again", "Valley – the old mill turns again"),
        ("Post - what it means for the mill", "Post - what it means for the mill"),
        ("The old mill turns again - Post", "The old mill turns again - Post"),
        ("Why nobody reads the valley post – what follows", "Why nobody reads the valley post – what follows"),
        ("How snake_case came to the valley", "How snake_case came to the valley"),
    ],
)
def test_the_name_of_the_site_goes_and_the_title_stays(declared: str, own: str) -> None:
    assert title(declared) == own


@pytest.mark.parametrize(
    "heading",
    [
        "<h1>The old mill turns again<sup>1</sup></h1>",
        "<h1>The old mill turns again<sup><a href='#n1'>[1]</a></sup></h1>",
        "<h1><span class='article__kicker'>River</span> The old mill turns again</h1>",
        "<h1><span class=visually-hidden>Article: </span>The old mill turns again</h1>",
        "<h1>The old mill turns again<span style='display:none'>Share</span></h1>",
        "<h1><button>The old mill turns again</button></h1>",
        "<h1>The old m&shy;ill <wbr>turns again</h1>",
        "<h1><span aria-hidden=true>▶</span>The old mill turns again</h1>",
    ],
)
def test_a_heading_is_read_without_its_additions(heading: str) -> None:
    assert title("Old mill turns – Valley Post", heading) == "The old mill turns again"


def test_a_raised_letter_stays() -> None:
    assert title("The H2O mill of Miller", "<h1>The H<sub>2</sub>O mill of Miller<sup>®</sup></h1>") == "The H2O mill of Miller®"


@pytest.mark.parametrize(
    ("declared", "heading", "own"),
    [
        ("River: The old mill turns again", "<h1><span>River</span><span>The old mill turns again</span></h1>", "The old mill turns again"),
        ("River - “Turn again” - Valley Post", "<h1><b>River</b> <span>“Turn again”</span></h1>", "“Turn again”"),
        # Readers see the colon, so both parts are the title.
        ("River: The old mill turns again", "<h1><b>River:</b> The old mill turns again</h1>", "River: The old mill turns again"),
        (
            "The old mill turns again",
            "<h1>The old <i>mill</i> turns again <small>A visit</small></h1>",
            "The old mill turns again",
        ),
        # The heading that the title begins with, not the one that is the site's.
        ("Small mills | Mill Watch – a web diary", "<h1>Mill Watch – a web diary</h1><h1>Small mills</h1>", "Small mills"),
        ("Small mills - Valley Post - News and views of the valley", "<h1>Small mills</h1>", "Small mills"),
        ("23.01.2025 - The old mill turns again", "", "The old mill turns again"),
        ("2025-01-23: The old mill turns again", "", "The old mill turns again"),
        ("古い水車が再び回り始めた！-谷間新聞", "", "古い水車が再び回り始めた！"),
        ("The end of 23.01.2025 - what remains", "", "The end of 23.01.2025 - what remains"),
    ],
)
def test_what_stands_around_the_title(declared: str, heading: str, own: str) -> None:
    assert title(declared, heading) == own


@pytest.mark.parametrize(
    ("declared", "heading", "own"),
    [
        ("Untitled Document", "<h1>The old mill turns</h1>", "The old mill turns"),
        # A main heading that is only a link to the home page is the site's name.
        ("Old mills : Wheels and Water", "<h1><a href='/'>Wheels and Water</a></h1><h2>Old mills</h2>", "Old mills"),
        ("Wheels and Water – Old mills", "<h1><a href='https://www.valley-post.example/'>Wheels and Water</a></h1>", "Old mills"),
        ("The old mill turns", "<h1><a href='/mill'>The old mill turns</a></h1>", "The old mill turns"),
        # No main heading is a declared title, but a lower one is a part of it.
        (
            "Miller Union - News » Old mills turn again",
            "<h1>Win a trip</h1><h2>News</h2><h2>Old mills turn again</h2>",
            "Old mills turn again",
        ),
        (
            "The old mill turns again / Culture / Home - Post - pictures and films",
            "<h1>The old mill turns again</h1>",
            "The old mill turns again",
        ),
        ("Valley Post – tips for mills", "<h1>Valley Post – tips for mills</h1>", "Valley Post – tips for mills"),
        (
            "Mills of old turn, of water",
            "<h1>Old mills turn<span class=block>Of water and wind</span></h1>",
            "Old mills turn Of water and wind",
        ),
    ],
)
def test_headings_that_are_no_titles_and_others_that_are(declared: str, heading: str, own: str) -> None:
    assert title(declared, heading) == own


def test_a_headline_that_is_the_title_precedes_one_for_social_networks() -> None:
    headline = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"Mills: the latest"}</script>'
    head = f'<meta property="og:title" content="You will not believe it">{headline}'
    assert title("Mills: the latest | Valley Post", "<h1>Fire at the lower mill</h1>", head=head) == "Mills: the latest"


@pytest.mark.parametrize(
    ("declared", "heading", "head", "own"),
    [
        # The main heading is for search engines or in a breadcrumb, and readers see another one that the page declares.
        (
            "River: mills turn",
            (
                "<h1 class=seotitle>River: mills turn</h1>"
                "<h2><span>River</span><span aria-hidden=true> – </span><span>Old mills turn again</span></h2>"
            ),
            "<meta property=og:title content='Old mills turn again'>",
            "Old mills turn again",
        ),
        (
            "Sensation at the river",
            "<h1 data-breadcrumb-headline>Sensation at the river</h1><h2>Old mills turn again</h2>",
            '<script type="application/ld+json">{"@type":"NewsArticle","headline":"Old mills turn again"}</script>',
            "Old mills turn again",
        ),
        (
            "Sensation at the river",
            "<h1>Sensation at the river</h1><h2>Old mills turn again</h2>",
            "<meta property=og:title content='Old mills turn again'>",
            "Sensation at the river",
        ),
        # A kicker before a separator that screen readers do not read.
        (
            "River news – Old mills turn again",
            "<h1><span>River news</span><span aria-hidden=true> – </span><span>Old mills turn again</span></h1>",
            "",
            "Old mills turn again",
        ),
        # Some templates name the application like the page.
        (
            "Old mills turn again - ValleyTV",
            "<h1>Old mills turn again</h1>",
            "<meta name=application-name content='Old mills turn again - ValleyTV'><meta property=og:title content='Old mills turn again'>",
            "Old mills turn again",
        ),
        (
            "A long way to the old mills",
            "<h1>A way to mills in the mountains</h1>",
            "",
            "A way to mills in the mountains",
        ),
    ],
)
def test_the_title_that_readers_see(declared: str, heading: str, head: str, own: str) -> None:
    assert title(declared, heading, head=head) == own


def test_the_headline_of_a_publisher_s_other_site_with_the_same_path() -> None:
    path = "politics/article409961272/old-mills-turn-again.html"
    data = f'{{"@type":"NewsArticle","headline":"Old mills turn again","mainEntityOfPage":"https://other.example/{path}"}}'
    head = f'<script type="application/ld+json">{data}</script>'
    found = title(
        "Sensation at the river", "<h1 class=breadcrumb>Sensation</h1><h2>Old mills turn again</h2>", f"https://valley.example/{path}", head
    )
    assert found == "Old mills turn again"
