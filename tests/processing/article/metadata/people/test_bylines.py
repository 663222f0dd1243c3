"""Authors that stand in the page: in bylines, behind "by" in many languages, in signatures and boxes about them."""

from datetime import UTC, datetime

import pytest

from processing.article.metadata.metadata import read_metadata
from processing.article.metadata.people.labels import without_credits
from processing.article.metadata.people.names import names_in
from processing.article.tree.parse import parse
from schemas.page import Page
from tests.cpu import growth

TITLE = "The old mill turns again"
PROSE = "<p>" + "The wheel of the old mill turns again, after forty years and many repairs by the village. " * 3 + "</p>"


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


def test_the_author_of_a_comment_is_not_the_page_s() -> None:
    comment = "<div class=comment-list><div class=comment><a rel=author href='/u/9'>Otto</a> I like mills.</div></div>"
    assert of_page(f"<article><h1>{TITLE}</h1><p>Prose of the mill.</p></article>{comment}") == ()


def test_a_link_to_all_articles_of_an_author_names_the_author() -> None:
    assert of_page(f"<h1>{TITLE}</h1><p>Prose.</p><a href='/author/ann'>Alle Artikel von Ann Lee</a>") == ("Ann Lee",)


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
article by|blog by|post by|guest post by|
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


@pytest.mark.parametrize(
    ("byline", "people"),
    [
        ("Story by Jane Doe", ("Jane Doe",)),
        ("Story and photos by Jane Doe", ("Jane Doe",)),
        ("Photos by Tom Bell, story by Jane Doe", ("Jane Doe",)),
        ("Reporting by Jane Doe; Editing by Tom Bell", ("Jane Doe",)),
        ("By Jane Doe March 7, 2025 5:30 pm", ("Jane Doe",)),
        ("Text Anna Berg | Foto Karl Otto", ("Anna Berg",)),
        ("Text: Karin Ek Foto: Lars Ek", ("Karin Ek",)),
        ("Eine Analyse von Anna Berg", ("Anna Berg",)),
        ("Interview: Anna Berg", ("Anna Berg",)),
        ("Texto Anna Berg", ("Anna Berg",)),
        ("Γράφει ο Γιώργος Παππάς", ("Γιώργος Παππάς",)),
        ("كتب: محمد علي", ("محمد علي",)),
        ("ผู้เขียน: สมชาย ใจดี", ("สมชาย ใจดี",)),
        ("記者王小明／台北報導", ("王小明",)),
        ("<span class=author>Jane Doe</span><span>Political editor</span><span class=author>Tom Bell</span>", ("Jane Doe", "Tom Bell")),
    ],
)
def test_what_else_a_byline_says(byline: str, people: tuple[str, ...]) -> None:
    """The kind of the text, who made the pictures, roles and the date."""
    assert of_page(f"<article><h1>{TITLE}</h1><div class=byline>{byline}</div>{PROSE}</article>") == people


@pytest.mark.parametrize(
    "markup",
    [
        "<p>Submitted by <span>Jane Doe</span> on Fri, 03/07/2025 - 09:30</p>",
        "<div class=post-footer><span class='post-author vcard'>Posted by <span class=fn>Jane Doe</span></span></div>",
        "<address class='h-card p-author author'><a class='u-url p-name fn' href=/about>Jane Doe</a></address>",
        "<div typeof=NewsArticle><span property='schema:author' typeof=Person><span property='schema:name'>Jane Doe</span></span></div>",
    ],
)
def test_bylines_of_systems(markup: str) -> None:
    assert of_page(f"<article><h1>{TITLE}</h1>{PROSE}{markup}</article>") == ("Jane Doe",)


@pytest.mark.parametrize(
    "line", ["Interview: Ann Lee", "Ein Porträt von Anna Berg", "Kritik von Anna Berg", "Bericht: Anna Berg", "Entrevista de Ana Ruiz"]
)
def test_whom_a_text_is_about_is_no_author(line: str) -> None:
    assert of_page(f"<article><h1>{TITLE}</h1><p>{line}</p>{PROSE}</article>") == ()


def test_people_in_the_part_of_a_page_that_is_named_after_its_author() -> None:
    others = "<div class=more><a href=/a>The bridge</a><b class=author>Tom Bell</b><a href=/b>The road</a><b class=author>Bo Li</b></div>"
    assert of_page(f"<div class=single-author><h1>{TITLE}</h1>{PROSE * 2}<div class=author>Jane Doe</div>{others}</div>") == ("Jane Doe",)


def test_a_press_conference_is_no_reporter() -> None:
    assert of_page(f"<h1>{TITLE}</h1>{PROSE}<div class=byline>記者專欄</div>") == ()


def test_an_author_in_the_footer_of_a_site_is_not_the_page_s() -> None:
    footer = "<footer class='{}'><span class=author>Tom Bell</span></footer>"
    assert of_page(f"<article><h1>{TITLE}</h1>{PROSE}</article>{footer.format('metal meta-nav')}") == ()
    assert of_page(f"<article><h1>{TITLE}</h1>{PROSE}{footer.format('entry-meta')}</article>") == ("Tom Bell",)


@pytest.mark.parametrize("unit", ["\n", " a:", ", photo ", "("])
def test_a_long_byline_takes_time_by_its_length(unit: str) -> None:
    def work(size: int) -> None:
        names_in(f"Ann Lee{without_credits(unit * size)}")

    assert growth(work, 10_000) < 10
