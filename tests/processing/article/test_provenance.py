"""Where a field's value stands on the page: a page for each kind of place, and values that stand nowhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from processing.article.article import read_article
from processing.article.provenance import NOT_FOUND, read_provenance
from processing.extract.extracted_rows import article_columns
from processing.extract.page_tasks import ReadPage
from schemas.article import TRACED_FIELDS, Article, plain_text
from schemas.config.crawl import SiteRules
from schemas.page import Hints, Page

URL = "https://www.harbour-post.example/city/ferry-returns"
SENTENCE = "<p>The mayor of island {} told the paper that the ferry would sail again as soon as the fog had lifted, she said.</p>"
PROSE = "".join(map(SENTENCE.format, range(8)))
LONG = "".join(map(SENTENCE.format, range(24)))
H1 = "<h1>The ferry returns</h1>"
STANDFIRST = "After three weeks of fog the ferry sails again between the island and the town, twice a day."
GOLDEN = sorted((Path(__file__).parent / "golden").iterdir())


def page(head: str = "", above: str = H1, inside: str = PROSE, hints: Hints | None = None, url: str = URL) -> Page:
    body = f"<article class='story-body'>{above}{inside}</article>"
    return Page(url, f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>", hints=hints or Hints())


def row_of(found: Page, rules: SiteRules | None = None) -> dict[str, object]:
    article = read_article(found, rules)
    assert isinstance(article, Article)
    return article_columns(ReadPage(article, "utf-8", "utf-8")) | {"text": plain_text(article.blocks)}


def origins(found: Page, rules: SiteRules | None = None) -> dict[str, str]:
    return read_provenance(found, rules, row_of(found, rules))


def json_ld(fields: str) -> str:
    return f'<script type="application/ld+json">{{"@type": "NewsArticle", {fields}}}</script>'


TITLE = "<title>The ferry returns | Harbour Post</title>"
NO_H1 = "<p>Island</p>"


@pytest.mark.parametrize(
    ("found", "field", "place"),
    [
        (page(), "title", "<h1>"),
        (page(TITLE), "title", "<h1>; also: <title> (without the site's name)"),
        (page(TITLE, NO_H1), "title", "<title> (without the site's name)"),
        (
            page("<meta property=og:title content='The ferry returns'>" + json_ld('"headline": "The ferry returns"') + TITLE, NO_H1),
            "title",
            "og:title; also: json-ld headline, <title> (without the site's name)",
        ),
        (page("<meta name=dc.title content='The ferry returns'>", NO_H1), "title", "meta dc.title"),
        (page("", NO_H1, hints=Hints("The ferry returns", None, "feed")), "title", "hint of the feed"),
        (page("<meta name=description content='It sails.'>"), "description", "meta description"),
        (
            page("<meta name=description content='It sails.'><meta property=og:description content='It sails.'>"),
            "description",
            "og:description; also: meta description",
        ),
        (
            page("<meta name=description content='Another.'><meta property=og:description content='It sails.'>"),
            "description",
            "og:description",
        ),
        (page(json_ld('"description": "It sails."')), "description", "json-ld description"),
        (page("", f"<header>{H1}<p class=intro>{STANDFIRST}</p></header><div class=article-body>", PROSE + "</div>"), "description",
         "standfirst after <h1>"),
        (
            page(json_ld('"author": {"@type": "Person", "name": "Ida Kohl"}') + "<meta name=author content='Ida Kohl'>"),
            "authors",
            "json-ld author; also: meta author",
        ),
        (page(json_ld('"creator": ["Ida Kohl", "Bo Lund"]')), "authors", "json-ld creator"),
        (page("<meta name=author content='Ida Kohl'><meta name=byl content='Bo Lund'>"), "authors", "meta author and meta byl"),
        (page("", H1 + "<p><span itemprop=author>Ida Kohl</span></p>"), "authors", "itemprop=author"),
        (page("", H1 + "<p>by Ida Kohl</p>"), "authors", "behind “by” after <h1>; also: text behind “by”"),
        (page("", H1 + "<p><a rel=author href=/x/1>Ida Kohl</a></p>"), "authors", "rel=author; also: byline a"),
        (page("", H1 + "<p><a href=/authors/ida>Ida Kohl</a></p>"), "authors", "link to /authors/ida"),
        (page("", H1 + "<p class='who author-name'>Ida Kohl</p>"), "authors", "byline p.who.author-name"),
        (page(json_ld('"author": {"@type": "Organization", "name": "Harbour Desk"}')), "authors", "json-ld author"),
        (page(json_ld('"articleSection": "City"') + "<meta property=article:section content=City>"), "section",
         "json-ld articleSection; also: article:section"),
        (page("<meta property=article:tag content=Ferry><meta property=article:tag content=Fog>"), "tags", "article:tag"),
        (page(json_ld('"keywords": "Ferry, Fog"') + "<meta name=keywords content='Ferry,Fog'>"), "tags",
         "json-ld keywords; also: meta keywords"),
        (page(json_ld('"publisher": {"name": "Harbour Post"}')), "site_name", "json-ld publisher"),
        (page("<meta property=og:site_name content='Harbour Post'>"), "site_name", "og:site_name"),
        (page(f"<link rel=canonical href={URL}><meta property=og:url content={URL}>"), "canonical_url", "link rel=canonical; also: og:url"),
        (page(f"<link rel=canonical href=https://elsewhere.example/><meta property=og:url content={URL}>"), "canonical_url", "og:url"),
        (page("<meta property=og:image content=/a.jpg><meta name=twitter:image content=/a.jpg>"), "lead_image",
         "og:image; also: twitter:image"),
        (page(json_ld('"image": {"url": "/a.jpg"}')), "lead_image", "json-ld image"),
        (page(json_ld('"isAccessibleForFree": false')), "paywalled", "json-ld isAccessibleForFree"),
        (page("<meta property=article:content_tier content=free>"), "paywalled", "article:content_tier"),
        (page(), "form", "no sign of another form"),
        (page(url=URL + "?print=1"), "form", "the URL"),
        (page(json_ld('"isAccessibleForFree": false')), "form", "paywalled, and only 872 characters"),
        (page("<meta property=og:type content=article>" + json_ld('"headline": "The ferry returns"'), inside=LONG), "page_type",
         "og:type and json-ld @type"),
        (page(), "container", "article.story-body"),
    ],
)  # fmt: skip
def test_the_place_of_a_value(found: Page, field: str, place: str) -> None:
    assert origins(found)[field] == place


def test_site_rules_go_first() -> None:
    rules = SiteRules(title="h2", authors=".who", description=".lead")
    ruled = page(TITLE, H1 + "<h2>The ferry returns</h2><p class=who>Ida Kohl</p><p class=lead>It sails.</p>")
    found = origins(ruled, rules)
    assert found["title"] == "site rule title: h2; also: <h1>, <title> (without the site's name)"
    assert found["authors"] == "site rule authors: .who"
    assert found["description"] == "site rule description: .lead"


def test_a_rule_that_finds_nothing_is_no_place() -> None:
    assert origins(page(), SiteRules(title=".none"))["title"] == "<h1>"


def test_at_most_two_others() -> None:
    metas = "".join(f"<meta name={name} content='The ferry returns'>" for name in ("og:title", "twitter:title", "dc.title"))
    assert origins(page(metas + TITLE))["title"] == "<h1>; also: og:title, twitter:title"


def test_what_today_s_code_would_not_take_is_told_where_it_stands() -> None:
    other = page("<meta property=og:description content='Now.'><meta name=description content='Then.'>")
    assert read_provenance(other, None, {"description": "Then."}) == {"description": "meta description"}


def test_what_stands_nowhere_is_not_guessed() -> None:
    values = {"title": "Another", "authors": ["No One"], "tags": ["x"], "paywalled": True, "form": "gallery", "text": "Another text."}
    assert read_provenance(page(TITLE), None, values) == dict.fromkeys(("title", "authors", "tags", "paywalled", "form"), NOT_FOUND)


def test_a_page_without_an_article_still_says_its_type() -> None:
    found = Page(URL, "<html><head><title>404 page not found</title></head><body><h1>Not found</h1></body></html>")
    assert read_provenance(found, None, {"page_type": "soft_404"}) == {"page_type": "little text, and its words"}


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: folder.name)
def test_all_that_extraction_finds_stands_somewhere(folder: Path) -> None:
    found = replace(page(), html=(folder / "page.html").read_text(encoding="utf-8"))
    article = read_article(found)
    if not isinstance(article, Article):
        pytest.skip("a page that is expected to be none")
    row = row_of(found)
    told = read_provenance(found, None, row)
    assert NOT_FOUND not in told.values()
    assert set(told) - {"container"} == {name for name in TRACED_FIELDS if row[name] not in (None, "", [])}
