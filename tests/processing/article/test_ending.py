"""What stands between an article's own texts or behind its end, and the standfirst above it."""

from datetime import UTC, datetime

import pytest

from processing.article.article import read_article
from schemas.article import Article
from schemas.page import Page

WHEN = datetime(2026, 3, 4, tzinfo=UTC)
PEOPLE = ["mayor", "captain", "teacher", "baker", "doctor", "priest", "joiner", "painter"]
PROSE = [f"The {who} of the island told the paper that the ferry would sail again as soon as the fog had lifted." for who in PEOPLE]


def texts(body: str, head: str = "", language: str = "en") -> list[str]:
    html = f"<html lang={language}><head><title>Ferry sails again</title>{head}</head><body>{body}</body></html>"
    article = read_article(Page("https://news.example/2026/ferry-sails-again-soon", html, fetched_at=WHEN))
    assert isinstance(article, Article)
    return [block.text for block in article.blocks]


def paragraphs(items: list[str]) -> str:
    return "".join(f"<p>{item}</p>" for item in items)


@pytest.mark.parametrize(
    ("offer", "text"),
    [
        ("<p>{}</p>", "Do you like ferries? <a href=/n>Sign up</a> for our newsletter."),
        ("<ul><li>{}</li></ul>", "Nachrichten aufs Handy? Hier geht es zu unserer <a href=/app>News-App</a>."),
        ("<p>{}</p>", "Folgen Sie uns auf unserem <a href=/w>WhatsApp-Kanal</a>."),
    ],
)
def test_an_offer_of_a_newsletter_is_not_text_wherever_it_stands(offer: str, text: str) -> None:
    found = texts(f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE[:4])}{offer.format(text)}{paragraphs(PROSE[4:])}</article>")
    assert found == PROSE


@pytest.mark.parametrize(
    "text",
    [
        "The mayor posted on <a href=/s>social media</a> that the ferry had sailed.",
        "Its <a href=/n>newsletter</a> had told the passengers the evening before.",
        "To sail again, the crew had to sign up in the <a href=/t>harbour office</a>.",
    ],
)
def test_a_sentence_about_a_newsletter_is_text(text: str) -> None:
    plain = text.replace("<a href=/s>", "").replace("<a href=/n>", "").replace("<a href=/t>", "").replace("</a>", "")
    assert plain in texts(f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE[:4])}<p>{text}</p>{paragraphs(PROSE[4:])}</article>")


@pytest.mark.parametrize("heading", ["About the author", "Über die Autorin:", "この記事を書いた人", "Sobre el autor"])
@pytest.mark.parametrize("tag", ["h3", "p"])
def test_a_section_about_the_author_is_not_text(heading: str, tag: str) -> None:
    section = f"<{tag}>{heading}</{tag}><p>Ada Marsh</p><p>She lives by the sea and has written three books about boats.</p>"
    assert texts(f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE)}{section}</article>") == PROSE


def test_what_follows_a_heading_about_the_author_in_the_text_stays() -> None:
    body = f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE[:2])}<h3>About the author</h3>{paragraphs(PROSE[2:])}</article>"
    assert texts(body) == PROSE


@pytest.mark.parametrize("last", ["First published in the Harbour Post.", "This is a developing story and will be updated."])
def test_a_note_on_the_text_ends_it(last: str) -> None:
    assert texts(f"<article><h1>Ferry sails again</h1>{paragraphs([*PROSE, last])}</article>") == PROSE


STANDFIRST = "The ferry between the island and the town sails again after three weeks of thick fog."


def test_a_standfirst_stands_below_a_headline_that_is_no_h1() -> None:
    head = f"<header><h2>Harbour</h2><h3>Ferry sails again</h3><div class=teaser-text><p>{STANDFIRST}</p></div></header>"
    assert texts(f"<div>{head}<div class=article-body>{paragraphs(PROSE)}</div></div>", language="de") == [STANDFIRST, *PROSE]


def test_a_standfirst_without_a_headline_is_known_by_the_description() -> None:
    body = f"<div><p>{STANDFIRST}</p><div class=article-body>{paragraphs(PROSE)}</div></div>"
    declared = f"<meta name=description content='{STANDFIRST}'>"
    assert texts(body, declared) == [STANDFIRST, *PROSE]
    assert texts(body) == PROSE


def test_a_link_around_several_texts_is_a_card() -> None:
    card = "<a href=/other><h4>From the archive</h4><h4>Fog kept the ferry in the harbour</h4></a>"
    assert texts(f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE[:4])}{card}{paragraphs(PROSE[4:])}</article>") == PROSE


def test_a_link_around_one_heading_is_a_heading() -> None:
    heading = "<a href=/other><h2>What the captain of the ferry says</h2></a>"
    assert (
        len(texts(f"<article><h1>Ferry sails again</h1>{paragraphs(PROSE[:4])}{heading}{paragraphs(PROSE[4:])}</article>"))
        == len(PROSE) + 1
    )


@pytest.mark.parametrize("line", ["Ida Kohl, 3 March 2026", "09:15 Ida Kohl", "3. März 2026 um 15:46 Uhr / Ida Kohl", "Von Ida Kohl"])
def test_a_byline_is_no_text(line: str) -> None:
    head = "<meta name=author content='Ida Kohl'>"
    body = f"<article><h1>Ferry sails again</h1><p>{line}</p><p>Ida Kohl was glad.</p>{paragraphs(PROSE)}</article>"
    assert texts(body, head) == ["Ida Kohl was glad.", *PROSE]
