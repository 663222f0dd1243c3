"""What JSON-LD, meta elements and microdata say of the authors, and whether they speak of this page."""

import json
from datetime import UTC, datetime

import pytest

from processing.article.metadata.metadata import Metadata, read_metadata
from processing.article.tree.parse import parse
from schemas.page import Page

TITLE = "The old mill turns again"


def read(*objects: object) -> Metadata:
    scripts = "".join(f'<script type="application/ld+json">{json.dumps(item)}</script>' for item in objects)
    html = f"<html lang=en><head><title>{TITLE}</title>{scripts}</head><body><h1>{TITLE}</h1></body></html>"
    return read_metadata(parse(html), Page("https://valley.example/2025/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC)))


def authors(author: object) -> list[str]:
    return list(read({"@type": "NewsArticle", "headline": TITLE, "author": author}).authors)


def test_a_person_of_given_and_family_name() -> None:
    assert authors({"@type": "Person", "givenName": "Di", "familyName": "Wu"}) == ["Di Wu"]


OTHER = {"author": {"@type": "Person", "name": "Zoe Other"}, "datePublished": "2019-02-03"}


@pytest.mark.parametrize(
    "item",
    [
        {"@type": "Product", "name": "Flour", "review": {"@type": "Review", "reviewBody": "Good", **OTHER}},
        {"@type": "WebPage", "name": TITLE, "reviews": [{"@type": "Review", **OTHER}]},
        {"@type": "VideoObject", "name": "Trains of the northern coast", **OTHER},
        {"@type": "Recipe", "name": TITLE, "review": [{"@type": "UserReview", **OTHER}]},
        {"@type": "NewsArticle", "headline": "Trains run late on Sunday", "url": "https://valley.example/2019/trains", **OTHER},
        {
            "@type": "BlogPosting",
            "headline": "列車の遅れについて",
            "mainEntityOfPage": {"@id": "https://valley.example/2019/trains"},
            **OTHER,
        },
        {"@type": "WebPage", "name": TITLE, "about": {"@type": "Article", "headline": "Trains run late", **OTHER}},
        {"@type": "WebSite", "isBasedOn": {"@type": "Report", "name": "Trains", **OTHER}},
    ],
)
def test_what_json_ld_says_of_another_page_is_not_taken(item: object) -> None:
    found = read(item)
    assert (found.authors, found.published_at) == ((), None)


@pytest.mark.parametrize(
    "fields",
    [
        {"headline": "Mill: it turns again", "url": "https://valley.example/amp/mill"},
        {"headline": "Nothing of the title", "url": "https://valley.example/2025/mill?ref=1"},
        {"headline": "Nothing of the title", "url": "https://valley.example/"},
        {"headline": "Nothing of the title"},
        {"url": "https://valley.example/2019/trains"},
    ],
)
def test_the_page_s_own_article_is_taken(fields: dict[str, str]) -> None:
    assert read({"@type": "NewsArticle", **OTHER, **fields}).authors == ("Zoe Other",)


def test_the_own_article_beside_others() -> None:
    other = {"@type": "NewsArticle", "headline": "Trains run late", "url": "https://valley.example/2019/trains", **OTHER}
    own = {"@type": "NewsArticle", "headline": TITLE, "author": {"@type": "Person", "name": "Di Wu"}}
    assert read([other, own]).authors == ("Di Wu",)


def of_page(body: str, head: str = "") -> tuple[str, ...]:
    html = f"<html lang=en><head><title>{TITLE}</title>{head}</head><body>{body}</body></html>"
    return read_metadata(parse(html), Page("https://valley.example/2025/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC))).authors


def test_several_properties_beside_one_another() -> None:
    assert of_page("<p><b itemprop=author>Ann Lee</b>, <b itemprop=author>Tom Bell</b></p>") == ("Ann Lee", "Tom Bell")


def test_a_site_that_declares_no_name_is_no_author_beside_a_person() -> None:
    assert of_page("<p class=byline>By Ann Lee</p>", "<meta name=author content=Valley>") == ("Ann Lee",)


def test_a_person_that_is_an_organization_too_is_a_person() -> None:
    assert authors([{"@type": ["Person", "Organization"], "name": "Ann Lee"}, {"@type": "Person", "name": "Bo Li"}]) == ["Ann Lee", "Bo Li"]


def test_an_address_is_no_name() -> None:
    assert authors({"@type": "Person", "name": "ann.lee@valley.example"}) == []


def test_labels_for_previews_name_the_author() -> None:
    head = "<meta name=twitter:label1 content='Written by'><meta name=twitter:data1 content='Ann Lee'>"
    assert of_page(f"<h1>{TITLE}</h1>", head) == ("Ann Lee",)
    other = "<meta name=twitter:label1 content='Reading time'><meta name=twitter:data1 content='Five minutes'>"
    assert of_page(f"<h1>{TITLE}</h1>", other) == ()


def test_the_site_s_name_is_no_author_beside_a_person() -> None:
    head = "<meta property=og:site_name content='Valley Watch'><meta name=author content='{}'>"
    assert of_page("", head.format("Valley Watch, Ann Lee")) == ("Ann Lee",)
    assert of_page("", head.format("Valley Watch")) == ("Valley Watch",)


@pytest.mark.parametrize("name", ["News at Ten", "France 24", "3sat", "Mills of Germany e.V."])
def test_the_name_of_an_organization_is_whole(name: str) -> None:
    assert authors({"@type": "Organization", "name": name}) == [name]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("By Associated Press", "Associated Press"),
        ("Text: dpa", "dpa"),
        ("by dpa", "dpa"),
        ("Von Roll", "Von Roll"),
        ("By Design", "By Design"),
    ],
)
def test_a_label_before_the_name_of_an_organization(written: str, name: str) -> None:
    assert authors({"@type": "Organization", "name": written}) == [name]


@pytest.mark.parametrize(
    "work",
    [
        "<div typeof=schema:ImageObject><img src=/a.jpg><span property=schema:creator>Tom Bell</span></div>",
        "<figure><img src=/a.jpg><figcaption>by <a property=dc:creator href=/t>Tom Bell</a></figcaption></figure>",
        "<div typeof=schema:Comment><span property=schema:author>Tom Bell</span><b property=dateCreated content=2020-01-01>x</b></div>",
        "<div typeof=Review><span property=author typeof=Person><span property=name>Tom Bell</span></span></div>",
    ],
)
def test_rdfa_of_other_works_is_not_the_page_s(work: str) -> None:
    html = f"<html><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1><p class=byline>By Jane Doe</p>{work}</body></html>"
    found = read_metadata(parse(html), Page("https://valley.example/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC)))
    assert (found.authors, found.published_at) == (("Jane Doe",), None)


def test_a_list_object() -> None:
    people = [{"@type": "Person", "name": "Jane Doe"}, {"@type": "Person", "name": "Tom Bell"}]
    assert authors({"@list": people}) == ["Jane Doe", "Tom Bell"]
