"""Titles as the templates of many systems write them: above the site's name, below it, in lower headings, in elements named titles."""

from datetime import UTC, datetime

import pytest

from processing.article.metadata.metadata import read_metadata
from processing.article.tree.parse import parse
from schemas.page import Page

TITLE = "The old mill turns again"
PROSE = "<p>" + "The wheel of the old mill turns again, after forty years and many repairs by the village. " * 3 + "</p>"


def title(head: str, body: str, url: str = "https://www.valley-post.example/news/mill.html") -> str | None:
    html = f"<html lang=en><head>{head}</head><body>{body}</body></html>"
    return read_metadata(parse(html), Page(url, html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC))).title


@pytest.mark.parametrize(
    ("written", "host"),
    [
        (f"{TITLE} - Mühlenverein Österreich", "www.muehlenverein-oesterreich.example"),
        (f"{TITLE} - Café Économie", "cafe-economie.example"),
        (f"{TITLE} – Łódzki Młyn", "lodzkimlyn.example"),
        (f"{TITLE} - Deutsche Mühlen Zeitung", "www.dmz.example"),
        (f"{TITLE} - Institute of Technology Oz", "ito.example"),
        (f"{TITLE} - Deutsches Rotes Kreuz e.V.", "drk.example"),
        (f"{TITLE} - Musikverein Harmonie Kleinstadt e.V.", "mv-kleinstadt.example"),
        (f"{TITLE} - The Mill Programming Language", "doc.mill-lang.example"),
        (f"{TITLE}, Valley Post", "valley-post.example"),
        (f"{TITLE} @ Valley Post", "valley-post.example"),
        (f"{TITLE} [Valley Post]", "valley-post.example"),
        (f"{TITLE} (Valley Post)", "valley-post.example"),
        (f"Valley Post: {TITLE}", "valley-post.example"),
        (f"{TITLE} - Valley Post - News of the whole valley and its villages", "valley-post.example"),
        (f"{TITLE} - Business - Valley Post", "valley-post.example"),
        (f"{TITLE} - Page 2 - Valley Post", "valley-post.example"),
        (f"{TITLE} - by Ida Kohl - Valley Post", "valley-post.example"),
        ("The &lt;em&gt;old&lt;/em&gt; mill turns again | Valley Post", "valley-post.example"),
    ],
)
def test_the_site_s_name_goes(written: str, host: str) -> None:
    assert title(f"<title>{written}</title>", PROSE, f"https://{host}/a.html") == TITLE


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("The mill - a tale of the valley - Valley Post", "valley-post.example"),
        ("The mill, the valley", "valley-post.example"),
        ("The mill (a tale)", "valley-post.example"),
        ("Anna: the mill turns", "valley-post.example"),
        ("The mill turns - What now?", "wn.example"),
        ("Bakers begin contest - Boris becomes chancellor of the north", "bbc.example"),
        ("Mills of the valley - What became of Kleinstadt", "mv-kleinstadt.example"),
        ("Bundesliga am Samstag - Fischer trifft gegen Bayern", "fcbayern.example"),
        ("Wohnungsmarkt 2025 - Immobilien: hohe Kosten in Berlin", "ihk-berlin.example"),
        ("How mills work - by design and by chance", "valley-post.example"),
    ],
)
def test_what_is_not_the_site_s_name_stays(written: str, host: str) -> None:
    assert title(f"<title>{written}</title>", PROSE, f"https://{host}/a.html") == written.removesuffix(" - Valley Post")


@pytest.mark.parametrize("written", ["Good night, Valley Post", "The best mills (Valley Post)"])
def test_a_main_heading_that_ends_like_the_whole_title_is_the_title(written: str) -> None:
    assert title(f"<title>{written}</title>", f"<h1>{written}</h1>{PROSE}") == written


def test_a_home_page_keeps_its_site_s_name() -> None:
    assert title("<title>Millhub: all about old mills</title>", PROSE, "https://millhub.example/") == "Millhub: all about old mills"
    assert title("<title>Millhub</title>", f"<h2>Some newer story here</h2>{PROSE}", "https://millhub.example/") == "Millhub"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (f"Notes from a Valley: {TITLE}", f"<h1>Notes from a Valley</h1><h3 class='post-title entry-title'>{TITLE}</h3>"),
        (f"{TITLE} - The Book of Mills", f"<div id=menu-bar><h1>The Book of Mills</h1></div><main><h2>{TITLE}</h2></main>"),
        (f"{TITLE} | Of Mills", f"<h1 class=site-title>Of Mills</h1><h2>{TITLE}</h2>"),
        ("Valley Post", f"<h1><a href='/'>Valley Post</a></h1><nav><h2>Site navigation menu</h2></nav><div><h2>{TITLE}</h2></div>"),
        ("Valley Post", f"<div id=content><div class=headline>{TITLE}</div></div>"),
        ("Valley Post", f"<div class=hentry><div class=entry-title>{TITLE}</div></div>"),
        ("Valley Post", f"<div itemprop=headline>{TITLE}</div>"),
        ("Valley Post", f"<meta itemprop=headline content='{TITLE}'>"),
        ("", f"<p class=news-title>{TITLE}</p>"),
        ("Choral Society North - " + TITLE, f"<table><tr><td class=contentheading>{TITLE}</td></tr></table>"),
        ("New Page 1", f"<h2>{TITLE}</h2>"),
        ("Unbenanntes Dokument", f"<h1>{TITLE}</h1>"),
        ("Einzelansicht - Valley Post", f"<h1>{TITLE}</h1>"),
        ("Valley Post: News", f"<h1>{TITLE}</h1>"),
        ("Valley Post", f"<aside><h1>All our newsletters</h1></aside><article><h1>{TITLE}</h1></article>"),
        ("Valley Post", f"<div class=cookie-consent><h1>We use cookies</h1></div><article><h1>{TITLE}</h1></article>"),
        ("Valley Post - detail", f"<h1>detail</h1><h1>{TITLE}</h1><meta property=og:title content='{TITLE}'>"),
    ],
)
def test_the_title_that_readers_see_below_the_site_s_name(head: str, body: str) -> None:
    assert title(f"<title>{head}</title>", body + PROSE) == TITLE


@pytest.mark.parametrize(
    ("written", "heading"),
    [
        (f"{TITLE} - Valley Post", f"<span>Heritage<span class=visually-hidden>: </span></span><span>{TITLE}</span>"),
        (f"Heritage: {TITLE}</title><meta property=og:title content='{TITLE}'><title>", f"<span>Heritage</span> : <span>{TITLE}</span>"),
        (f"{TITLE} - Valley Post", f"{TITLE} <small>A village celebrates</small>"),
        ("Valley Post", f"{TITLE}<span class=subtitle>A village celebrates</span>"),
    ],
)
def test_a_heading_without_what_stands_above_or_below_the_title(written: str, heading: str) -> None:
    assert title(f"<title>{written}</title>", f"<h1>{heading}</h1>{PROSE}") == TITLE


def test_a_lower_heading_as_readers_see_it() -> None:
    assert (
        title("<title>The old mill - again it turns</title>", f"<h2>The old mill – again it turns</h2>{PROSE}")
        == "The old mill – again it turns"
    )


def test_a_heading_of_one_word_before_the_site_s_name() -> None:
    assert title("<title>Kayaks | River Co-op</title>", f"<h1>Kayaks</h1>{PROSE}") == "Kayaks"


def test_a_title_that_is_cut_off_gives_way_to_the_whole_one() -> None:
    head = "<meta property=og:title content='The old mill turns...'>"
    assert title(f"{head}<title>{TITLE} | Valley Post</title>", PROSE) == TITLE


def test_a_heading_in_the_content_is_not_the_site_s() -> None:
    body = f"<header><p>Valley</p></header><main><h1>{TITLE}</h1>{PROSE}<h2>Wheels and cogs</h2></main>"
    assert title(f"<title>Wheels and cogs - {TITLE}</title>", body) == TITLE


@pytest.mark.parametrize(
    ("declared", "body"),
    [
        ("Aktuelles", f"<h1>Aktuelles</h1><div class=news-single><h3 itemprop=headline>{TITLE}</h3>{PROSE}</div>"),
        ("Detail", f"<h1>News of the town hall</h1><div><h3 itemprop=headline>{TITLE}</h3>{PROSE}</div>"),
        ("Pressemitteilungen - Valley Post", f"<h1>Pressemitteilungen</h1><div class=tx-news><h2>{TITLE}</h2>{PROSE}</div>"),
        ("Blog", f"<h1>Blog</h1><article><h2>{TITLE}</h2>{PROSE}<h2>Wheels and cogs</h2></article>"),
        ("News | Fire Brigade", f"<h1>News</h1><h2 class=itemTitle>{TITLE}</h2>{PROSE}"),
    ],
)
def test_the_main_heading_is_only_the_section(declared: str, body: str) -> None:
    assert title(f"<title>{declared}</title>", body) == TITLE


@pytest.mark.parametrize("url", ["https://valley.example/presse/", "https://valley.example/a/archiv.html?page=2"])
def test_the_page_of_a_section_has_its_name(url: str) -> None:
    body = f"<h1>Presse</h1><article><h2>Our contacts here</h2>{PROSE}</article>"
    assert title("<title>Presse</title>", body, url) == "Presse"


@pytest.mark.parametrize(
    "teaser", ["<h2><a href=/2024/bridge>The bridge</a></h2>", "<a href=/2024/bridge><h3 itemprop=headline>The bridge</h3></a>"]
)
def test_the_only_teaser_below_a_section_s_heading_is_no_title(teaser: str) -> None:
    assert title("<title>News</title>", f"<h1>News</h1><article>{teaser}{PROSE}</article>") == "News"
    assert title("<title>Valley Post</title>", f"<h1>{TITLE}</h1>{PROSE}<section>{teaser}</section>") == TITLE


def test_a_heading_that_leads_to_its_own_page_may_be_the_title() -> None:
    body = f"<h1>Blog</h1><article><h2><a href=https://www.valley-post.example/news/mill.html#top>{TITLE}</a></h2>{PROSE}</article>"
    assert title("<title>Blog</title>", body) == TITLE


def test_a_list_below_a_section_s_heading_has_no_title_of_its_own() -> None:
    body = f"<h1>Aktuelles</h1><article><h2>{TITLE}</h2>{PROSE}</article><article><h2>Another mill</h2>{PROSE}</article>"
    assert title("<title>Aktuelles</title>", body) == "Aktuelles"


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("Good night, Berlin", "www.berlin.example"),
        ("A flat for rent, Paris", "paris.example"),
        ("History of Kent - Mill and River", "mar.example"),
        ("The new season - Thomas Early", "the.example"),
    ],
)
def test_a_place_or_a_few_initials_are_no_site_s_name(written: str, host: str) -> None:
    assert title(f"<title>{written}</title>", PROSE, f"https://{host}/a.html") == written
