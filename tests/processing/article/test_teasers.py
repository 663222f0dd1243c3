"""What stands beside an article without a name that says so: teasers, comments, offers; and the parts of a text that names hide."""

from datetime import UTC, datetime

import pytest

from processing.article.article import read_article
from schemas.article import Article
from schemas.page import Page

WHEN = datetime(2026, 3, 4, tzinfo=UTC)
PEOPLE = ["mayor", "captain", "teacher", "baker", "doctor", "priest", "joiner", "painter"]
PROSE = [f"The {who} of the island told the paper that the ferry would sail again as soon as the fog had lifted." for who in PEOPLE]
EXCERPT = "The harbour master of the next island had told the same story a week before, and nobody had believed it."
LATER = [f"On the next day the {who} said the opposite, and the paper printed that as well." for who in PEOPLE]
ITEM = "<li><a href=/{}>Passengers wait in the harbour hall</a> {}</li>"


def texts(body: str) -> list[str]:
    html = f"<html><head><title>Ferry sails again</title></head><body>{body}</body></html>"
    article = read_article(Page("https://www.news.example/2026/ferry-sails-again-soon", html, fetched_at=WHEN))
    assert isinstance(article, Article)
    return [block.text for block in article.blocks]


def paragraphs(items: list[str]) -> str:
    return "".join(f"<p>{item}</p>" for item in items)


def test_a_ticker_above_the_headline_is_not_text() -> None:
    ticker = "".join(ITEM.format(index, EXCERPT) for index in range(8))
    body = f"<div id=page><ul>{ticker}</ul><h2>Ferry sails again</h2>{paragraphs(PROSE)}</div>"
    assert texts(body) == PROSE


def test_linked_headings_with_whole_lists_under_them_are_text() -> None:
    goods = "".join(f"<h3><a href=/{index}>The long rowing boat of the year</a></h3>{'<p>Length: 4 m</p>' * 6}" for index in range(3))
    assert "The long rowing boat of the year" in texts(f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE)}{goods}</article>")


@pytest.mark.parametrize(
    ("address", "is_text"), [("https://books.example.org/{}", True), ("https://shop.news.example/{}", False), ("/books/{}", False)]
)
def test_a_short_list_of_links_is_text_only_if_they_lead_to_other_sites(address: str, is_text: bool) -> None:
    items = "".join(f"<li><a href={address.format(place)}>Book {place}: The Ferry and the Fog</a></li>" for place in range(3))
    found = texts(f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE[:4])}<ul>{items}</ul>{paragraphs(PROSE[4:])}</article>")
    assert ("Book 1: The Ferry and the Fog" in found) is is_text


@pytest.mark.parametrize(
    "heading",
    ["14 responses to “Ferry sails again”", "2 Comments", "Kommentare (3)", "3 commentaires", "Комментарии", "コメント"],
)
def test_comments_are_known_by_their_heading(heading: str) -> None:
    comments = "".join(f"<li>User{index} <p>{EXCERPT} {index}</p></li>" for index in range(20))
    body = f"<div id=a><h1>Ferry sails again</h1>{paragraphs(PROSE)}</div><div id=b><h3>{heading}</h3><ol>{comments}</ol></div>"
    assert texts(body) == PROSE


@pytest.mark.parametrize("heading", ["5 thoughts on the new ferry", "The comments of the captain", "Antworten"])
def test_a_heading_about_what_people_say_is_text(heading: str) -> None:
    found = texts(f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE[:4])}<h2>{heading}</h2>{paragraphs(PROSE[4:])}</article>")
    assert found == [*PROSE[:4], heading, *PROSE[4:]]


@pytest.mark.parametrize("heading", ["Comments", "Kommentar", "Comentarios", "Комментарий", "コメント", "评论"])
def test_a_heading_without_a_number_in_the_text_s_own_element_is_text(heading: str) -> None:
    found = texts(f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE[:4])}<h2>{heading}</h2>{paragraphs(PROSE[4:])}</article>")
    assert [text for text in found if text != heading] == PROSE


def test_a_section_called_comments_among_sections_is_text() -> None:
    sections = "".join(
        f"<section><h2>{name}</h2>{paragraphs(items)}</section>" for name, items in (("Comments", LATER), ("Loops", PROSE[4:]))
    )
    found = texts(f"<main><h1>Ferry sails again</h1>{paragraphs(PROSE[:4])}{sections}</main>")
    assert set(PROSE + LATER) <= set(found)


def test_a_short_column_beside_the_text_is_not_text() -> None:
    column = f"<div class=col-md-6><p>{EXCERPT}</p></div>"
    assert texts(f"<div class=row><div class=col-md-6><h1>Ferry sails again</h1>{paragraphs(PROSE)}</div>{column}</div>") == PROSE


def test_comments_end_at_the_next_heading_that_is_not_below_theirs() -> None:
    body = f"{paragraphs(PROSE[:4])}<h2>2 comments</h2><p>{EXCERPT}</p><h2>The second day</h2>{paragraphs(PROSE[4:])}"
    assert texts(f"<article><h1>Ferry sails again</h1>{body}</article>") == [*PROSE[:4], "The second day", *PROSE[4:]]


@pytest.mark.parametrize(
    "box",
    [
        "<h3>Jetzt weiterlesen mit PLUS</h3><p>Testen Sie unser Digitalabo für nur 1 Euro.</p><ul><li>Alle Inhalte</li></ul>",
        "<p>This article is exclusive to subscribers</p><p>Monthly</p><p>$39 for a whole month of all our reporting on islands</p>",
        "<p>Il vous reste 57 % de cet article à lire. La suite est réservée aux abonnés.</p>",
    ],
)
def test_an_offer_under_the_opening_of_a_paid_article_is_not_text(box: str) -> None:
    assert texts(f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE[:3])}<div>{box}</div></article>") == PROSE[:3]


def test_a_sentence_about_a_subscription_in_the_text_is_text() -> None:
    said = "This article is for subscribers, said the notice in the harbour, and the captain laughed."
    long = " ".join(PROSE)
    found = texts(f"<article><h1>Ferry sails again</h1><p>{PROSE[0]}</p><p>{said}</p><p>{long}</p></article>")
    assert found == [PROSE[0], said, long]


@pytest.mark.parametrize(
    "said",
    [
        "Unlock the full potential of the island with a map.",
        "Already a member of the crew, the joiner stayed on board.",
        "Der Artikel kostet 10 Euro plus Versand.",
        "Bereits Kunden der ersten Stunde lobten die Fähre.",
        "Il vous reste 3 étapes : mélanger, cuire, servir.",
        "Материал доступен по свободной лицензии.",
        "Bli medlem i föreningen på ön.",
    ],
)
def test_a_last_line_that_only_begins_like_an_offer_is_text(said: str) -> None:
    body = f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE)}<p>{said}</p><p>Then the fog came back.</p></article>"
    assert texts(body) == [*PROSE, said, "Then the fog came back."]


def test_a_long_aside_is_not_text_beside_a_short_article() -> None:
    beside = f"<aside class=sidebar>{paragraphs([EXCERPT] * 9)}</aside>"
    assert texts(f"<div><h1>Ferry sails again</h1>{paragraphs(PROSE[:3])}</div>{beside}") == PROSE[:3]


def test_a_long_list_of_related_pages_is_not_text() -> None:
    related = "".join(f"<li><a href=/{index}>Harbour news {index}</a> {EXCERPT}</li>" for index in range(15))
    body = f"<div class=entry><h1>Ferry sails again</h1>{paragraphs(PROSE)}<ul class=related_post>{related}</ul></div>"
    assert texts(body) == PROSE


def test_an_element_with_the_headline_is_no_boilerplate() -> None:
    standfirst = (
        "It had been in the harbour for a week, and now it takes the people of the island to the market again, "
        "with all their hens, honey, cheese and woollen coats."
    )
    head = f"<div class=teaser_breadcrumb><h1>Ferry sails again</h1><p>{standfirst}</p></div>"
    assert texts(f"<main>{head}<div class=text>{paragraphs(PROSE)}</div></main>")[0] == standfirst


def test_a_setting_in_a_class_name_says_nothing_of_the_element() -> None:
    parts = "".join(f'<div class="main__part sidebar-enabled--false"><p>{item}</p></div>' for item in PROSE[4:])
    assert texts(f"<div><h1>Ferry sails again</h1>{paragraphs(PROSE[:4])}{parts}</div>") == PROSE


def test_the_other_parts_of_a_text_are_read_with_its_longest() -> None:
    parts = [PROSE[:6], PROSE[6:7], PROSE[7:]]
    sections = "".join(f"<div class=part>{paragraphs(part)}</div>" for part in [[*PROSE[:6], *LATER], *parts[1:]])
    assert texts(f"<div><h1>Ferry sails again</h1>{sections}</div>") == [*PROSE[:6], *LATER, *PROSE[6:]]


def test_teasers_beside_the_text_with_the_same_names_are_no_parts_of_it() -> None:
    teaser = f"<div class=part><h3><a href=/x>Passengers wait in the harbour hall</a></h3><p>{EXCERPT}</p></div>"
    assert EXCERPT not in texts(f"<div><div class=part><h1>Ferry sails again</h1>{paragraphs(PROSE + LATER)}</div>{teaser}</div>")
