"""Who wrote a page: names come out whole, several persons apart, and other pages' people not at all."""

import json
from datetime import UTC, datetime

import pytest

from processing.article.metadata.authors import names_in
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


@pytest.mark.parametrize(
    "name",
    [
        "Di Wu", "Von Tran", "Par Lund", "En Lai", "Af Berg", "Wu En Lai", "Anna With", "Marian Guest", "Bill Press", "Bo Read",
        "Ana Media", "By Design",
                "José Ortega y Gasset", "Maria do Carmo e Silva", "Prince", "Jean-Luc de la Fontaine",
        "Martin Luther King, Jr.", "D. C. Minute", "Otto von und zu Tal",
    ],
)  # fmt: skip
def test_the_name_of_a_structured_person_is_whole(name: str) -> None:
    assert authors({"@type": "Person", "name": name}) == [name]


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("By Ann Lee", ["Ann Lee"]),
        ("Smith, Jane", ["Jane Smith"]),
        ("van der Berg, Anna", ["Anna van der Berg"]),
        ("Smith, Jane Ann", ["Jane Ann Smith"]),
        ("Ann Lee and Tom Bell", ["Ann Lee", "Tom Bell"]),
        ("Ann Lee, Tom Bell, and Bo Li", ["Ann Lee", "Tom Bell", "Bo Li"]),
        ("Ann Lee, MD", ["Ann Lee"]),
        ("Smith, J., Doe, A. B.", ["J. Smith", "A. B. Doe"]),
        ("Ó Súilleabháin, Seán", ["Seán Ó Súilleabháin"]),
        ("김철수 기자", ["김철수"]),
    ],
)
def test_what_else_stands_in_the_name_of_a_person(name: str, people: list[str]) -> None:
    assert authors({"@type": "Person", "name": name}) == people


def test_a_person_of_given_and_family_name() -> None:
    assert authors({"@type": "Person", "givenName": "Di", "familyName": "Wu"}) == ["Di Wu"]


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Di Wu", ["Di Wu"]),
        ("Von Anna Berger", ["Anna Berger"]),
        ("Ana Ruiz y Luis Gil", ["Ana Ruiz", "Luis Gil"]),
        ("Ana Silva e João Costa", ["Ana Silva", "João Costa"]),
        ("Jan Nowak i Anna Lis", ["Jan Nowak", "Anna Lis"]),
        ("Иван Петров и Анна Лис", ["Иван Петров", "Анна Лис"]),
        ("Ayşe Kaya ve Ali Demir", ["Ayşe Kaya", "Ali Demir"]),
        ("Antoni Puig i Cadafalch", ["Antoni Puig i Cadafalch"]),
        ("山田太郎、鈴木花子", ["山田太郎", "鈴木花子"]),
        ("Smith, Jane; Doe, John", ["Jane Smith", "John Doe"]),
        ("Smith, Jane and Doe, John", ["Jane Smith", "John Doe"]),
        ("Ann Lee, Tom Bell", ["Ann Lee", "Tom Bell"]),
        ("Ann Lee, Reuters", ["Ann Lee"]),
        ("Otto und Söhne", ["Otto und Söhne"]),
        ("Miller & Sons", ["Miller & Sons"]),
        ("Tekst: Kari Nord & Ola Dahl", ["Kari Nord", "Ola Dahl"]),
        ("Ann Lee im Gespräch mit Tom Bell", ["Ann Lee", "Tom Bell"]),
    ],
)
def test_several_people_in_one_text(text: str, people: list[str]) -> None:
    assert names_in(text) == people


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


@pytest.mark.parametrize(
    "byline",
    [
        "<a rel=author href='/u/7'>Millie</a>",
        "<div class=entry-footer>Posted by <a rel=author href='/u/7'>Millie</a></div>",
        "<div class=post-footer><span itemprop=author itemscope><a href='/u/7'><span itemprop=name>Millie</span></a></span></div>",
    ],
)
def test_a_declared_author_may_have_one_name_and_stand_in_the_article_s_footer(byline: str) -> None:
    assert of_page(f"<article><h1>{TITLE}</h1><p>Prose of the mill.</p>{byline}</article>") == ("Millie",)


@pytest.mark.parametrize(
    ("byline", "people"),
    [
        ("By Ann Lee and Tom Bell, Bo Li contributing", ("Ann Lee", "Tom Bell")), ("By Ann Lee ann@valley.example", ("Ann Lee",)),
        ("Oleh Budi Santoso", ("Budi Santoso",)), ("Szerző: Nagy Péter", ("Nagy Péter",)), ("Tác giả: Nguyễn Văn An", ("Nguyễn Văn An",)),
        ("بقلم: محمد علي", ("محمد علي",)), ("โดย สมชาย ใจดี", ("สมชาย ใจดี",)), ("김철수 기자", ("김철수",)), ("記者 王小明", ("王小明",)),
    ],
)  # fmt: skip
def test_bylines_in_other_languages(byline: str, people: tuple[str, ...]) -> None:
    assert of_page(f"<p class=byline>{byline}</p>") == people


def test_several_properties_beside_one_another() -> None:
    assert of_page("<p><b itemprop=author>Ann Lee</b>, <b itemprop=author>Tom Bell</b></p>") == ("Ann Lee", "Tom Bell")


def test_a_site_that_declares_no_name_is_no_author_beside_a_person() -> None:
    assert of_page("<p class=byline>By Ann Lee</p>", "<meta name=author content=Valley>") == ("Ann Lee",)


def test_a_person_that_is_an_organization_too_is_a_person() -> None:
    assert authors([{"@type": ["Person", "Organization"], "name": "Ann Lee"}, {"@type": "Person", "name": "Bo Li"}]) == ["Ann Lee", "Bo Li"]


def test_an_address_is_no_name() -> None:
    assert authors({"@type": "Person", "name": "ann.lee@valley.example"}) == []


def test_the_author_of_a_comment_is_not_the_page_s() -> None:
    comment = "<div class=comment-list><div class=comment><a rel=author href='/u/9'>Otto</a> I like mills.</div></div>"
    assert of_page(f"<article><h1>{TITLE}</h1><p>Prose of the mill.</p></article>{comment}") == ()


def test_a_link_to_all_articles_of_an_author_names_the_author() -> None:
    assert of_page(f"<h1>{TITLE}</h1><p>Prose.</p><a href='/author/ann'>Alle Artikel von Ann Lee</a>") == ("Ann Lee",)


def test_labels_for_previews_name_the_author() -> None:
    head = "<meta name=twitter:label1 content='Written by'><meta name=twitter:data1 content='Ann Lee'>"
    assert of_page(f"<h1>{TITLE}</h1>", head) == ("Ann Lee",)
    other = "<meta name=twitter:label1 content='Reading time'><meta name=twitter:data1 content='Five minutes'>"
    assert of_page(f"<h1>{TITLE}</h1>", other) == ()


def test_the_site_s_name_is_no_author_beside_a_person() -> None:
    head = "<meta property=og:site_name content='Valley Watch'><meta name=author content='{}'>"
    assert of_page("", head.format("Valley Watch, Ann Lee")) == ("Ann Lee",)
    assert of_page("", head.format("Valley Watch")) == ("Valley Watch",)


PROSE = "<p>" + "The wheel of the old mill turns again, after forty years and many repairs by the village. " * 3 + "</p>"


def body_authors(body: str, head: str = "") -> list[str]:
    html = f"<html><head><title>{TITLE}</title>{head}</head><body><h1>{TITLE}</h1>{body}</body></html>"
    return list(
        read_metadata(parse(html), Page("https://valley.example/2025/mill", html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC))).authors
    )


@pytest.mark.parametrize(
    ("body", "people"),
    [
        (f"{PROSE}<p><em>Von <span>Ida Kohl</span></em></p>", ["Ida Kohl"]),
        (f"{PROSE}<p>Text: Ida Kohl</p>", ["Ida Kohl"]),
        (f"{PROSE}<p>记者：王小明</p>", ["王小明"]),
        (f"{PROSE}<p style='text-align: right'>Ida Kohl</p>", ["Ida Kohl"]),
        (f"{PROSE}<footer class=author-bio><h3>Ida Kohl</h3><p>She mills.</p></footer>", ["Ida Kohl"]),
        ("<p>Blog Beitrag von Ida Kohl</p>" + PROSE, ["Ida Kohl"]),
        ("<div><span>von</span> Ida Kohl, Bo Li</div><h2>Great Wheel</h2>" + PROSE, ["Ida Kohl", "Bo Li"]),
        # Several works with their authors, several signatures: none is the page's.
        (f"{PROSE}<h2>The Wheel</h2><h3>by Ida Kohl</h3><h2>The Mill</h2><h3>by Bo Li</h3>", []),
        (f"{PROSE * 3}<p>Text: Ida Kohl</p>{PROSE}<p>Text: Bo Li</p>", []),
        # What a picture's or a quoted work's microdata says is not the page's.
        (
            f"<div itemprop=image itemscope itemtype=http://schema.org/ImageObject><meta itemprop=author content='Ida Kohl'></div>{PROSE}",
            [],
        ),
        (f"{PROSE}<p itemprop=citation itemscope><span itemprop=author>Ida Kohl</span></p>", []),
    ],
)
def test_names_in_the_body(body: str, people: list[str]) -> None:
    assert body_authors(body) == people


@pytest.mark.parametrize("name", ["Valley Post", "valley post /IK", "valley_editor"])
def test_the_name_of_the_site_or_a_login_gives_way_to_a_person(name: str) -> None:
    head = f'<meta property="og:site_name" content="Valley Post"><meta name=author content="{name}">'
    assert body_authors(f"<p class=byline>By Ida Kohl</p>{PROSE}", head) == ["Ida Kohl"]
    assert body_authors(PROSE, head)[0].lower().startswith("valley")


LABELS = """
by|written by|posted by|words by|story by|published by|reviewed by|edited by|authors|from|von|par|por|di|af|av|door|
Autorin|interview by|compiled by|recommended by|ein Gastbeitrag von|Blogbeitrag von|Artikel von|Bericht von|
Text von|verfasst von|geschrieben von|gepostet von|veröffentlicht von|gespeichert von|eingestellt von|
publié par|écrit par|rédigé par|propos recueillis par|escrito por|publicado por|redactado por|scritto da|
pubblicato da|a cura di|geschreven door|skrevet af|skriven av|автор|texte|texto|testo|tekst|ord|reportage|текст|作者|記者|
记者|撰文|文|責任編輯|责任编辑|執筆|글|기자
"""


@pytest.mark.parametrize("label", LABELS.replace("\n", "").split("|"))
def test_a_signature_behind_any_label(label: str) -> None:
    """All labels must pass the test of their first letter, which is made before the words are looked at."""
    assert body_authors(f"{PROSE * 4}<p>{label.capitalize()}: Anna Berg</p>") == ["Anna Berg"]
