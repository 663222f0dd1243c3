"""How the work of reading a page grows: whatever is repeated on it, four times as much takes about four times as long."""

from __future__ import annotations

import pytest

from processing.article.article import read_article
from processing.article.markdown.cuts import sentences
from processing.article.metadata.jsonld import read_jsonld
from processing.article.outline.table import MAX_COLUMNS, MAX_WIDTH, read_table
from processing.article.outline.walk import read_outline
from processing.article.structure.structure import Piece
from processing.article.structure.tables import read_cells
from processing.article.structure.walk import read_structure
from processing.article.tree.entities import storable, unescaped
from processing.article.tree.parse import parse
from processing.extract.decode import decode
from schemas.article import Article
from schemas.page import Page
from tests.cpu import growth

PARAGRAPH = "<p>This is a long enough paragraph about the ferry that runs between the two towns and about the people who take it.</p>"
STORY = f"<article><h1>A good story about ferries</h1>{PARAGRAPH * 12}</article>"
URL = "https://news.example/2026/a-good-story-about-ferries"


def read(head: str = "", before: str = "", inside: str = "", behind: str = "") -> object:
    html = (
        f"<html lang=en><head><title>A good story</title>{head}</head><body>{before}{STORY[:-10]}{inside}</article>{behind}</body></html>"
    )
    return read_article(Page(URL, html))


# What is repeated anywhere on a page.
UNITS = [
    "<!--", "<", '"', "&", "&amp;#x27;", "&nbsp;", " \n", "x", "</p>", "<b>", "<a href=/x>", "<td>x", "<script>var a</script>",
    "<meta name=description content='a b'>", "<div>x</div>", "x<br><br>", "<h2>A good story</h2>", "<p>x",
    "<figcaption>a caption</figcaption>",
    "<table><tr><td>a<td>b<tr><td>c<td>d</table>", "<time>1 May 2026</time>", "<div class=byline>By Anna Berg</div>",
    "<li><a href=/x>A headline that is long enough to be one</a></li>", f"<article><h1>A headline</h1>{PARAGRAPH * 5}</article>",
    "<p>Related stories</p><p><a href=/x>A headline that is long</a></p>", "<div class=ingredients>", "<h3>Read this next</h3>",
    "<p>Foto: x (Image: y)</p>", "<span itemprop=author>A B</span>", "<pre>a b</pre>",
    "1<span class=sup>1", "<q>a ", "<h3>2 comments</h3><p>x", f"<div class=part>{PARAGRAPH}</div>", "<p>Already a subscriber?</p>",
    "<ul><li><a href=https://a.example/>A headline that is long enough to be one</a></li></ul>",
    "<div class=sidebar><h1>A headline</h1></div>",
]  # fmt: skip


def test_days_below_one_label_of_a_change() -> None:
    def work(size: int) -> None:
        text = "1 May 2020<br>" * (size // 14)
        read_article(Page("https://news.example/about", f"<body><div>Updated: {text}</div></body>"))

    assert growth(work, 40_000) < 10


@pytest.mark.parametrize("unit", UNITS)
def test_whatever_is_repeated(unit: str) -> None:
    def work(size: int) -> None:
        text = unit * (size // len(unit))
        read(before=text)
        read(behind=text)

    assert growth(work, 40_000) < 10


# Attributes, titles and scripts in the head: the beginning, what is repeated, and the end.
HEADS = [
    ("<title>", "a | ", "</title>"), ("<title>a", " ", "b</title>"), ("<meta property=og:title content='", "x - y ", "'>"),
    ("<meta name=author content='", "Anna Berg, ", "'>"), ("<meta name=author content='", "by ", "'>"),
    ("<meta name=author content='a", " &#10;", "b'>"), ("<meta name=keywords content='", "a,", "'>"),
    ("<meta property=article:published_time content='", "2026 ", "'>"), ("<div class='", "ab-cd ", "'>"), ("<div ", "a=1 ", ">"),
    ("<script>", ':"2026-01-01', "</script>"), ("<script>:", " ", "</script>"), ("<meta name=author content='", "A", ",'>"),
    ("<meta property=og:title content='", "_", "'>"),
    ('<script type=application/ld+json>{"@type":"Article","author":{"@type":"Organization","name":"', "a", '"}}</script>'),
]  # fmt: skip


@pytest.mark.parametrize(("begin", "unit", "end"), HEADS)
def test_whatever_a_head_repeats(begin: str, unit: str, end: str) -> None:
    assert growth(lambda size: read(head=begin + unit * (size // len(unit)) + end), 100_000) < 10


@pytest.mark.parametrize(
    ("begin", "unit"),
    [
        ("<div class=gutter>", "<pre>1</pre>"),
        ("<h1>A ", "<span aria-hidden=true>☆"),
        ("<p>1", "<span class=cents>1"),
        ("<p>a <script type=math/mml>", "<div>"),
    ],
)
def test_whatever_an_element_repeats(begin: str, unit: str) -> None:
    assert growth(lambda count: read(inside=begin + unit * count), 2_000) < 10


# What a page opens and never closes, so that each stands in the one before it, or what stands many times in one line.
NESTED = [
    "<table><tr><td>", "<table><tr><th>a<td>", "<del>x", "<div class=meta>1 May 2026", "<i>By", "<span>By</span> ", "<x-y>", "<h1>a<div>",
    "<a rel=author href=/author/x><table><td>A B", "<a href=/x><table><td>", "<span hidden>.",
]  # fmt: skip


@pytest.mark.parametrize("unit", NESTED)
def test_whatever_stands_in_itself(unit: str) -> None:
    assert growth(lambda count: read(inside=unit * count), 400) < 10


@pytest.mark.parametrize("unit", ["<table><tr><td>", "<table><tr><th>a<td>", "<del>x", "<x-y>"])
def test_the_structure_of_what_stands_in_itself(unit: str) -> None:
    assert growth(lambda count: read_structure(parse(f"<p>a{unit * count}"), URL), 400) < 10


def test_parts_that_are_read_after_all() -> None:
    part, first = "<div class=share>At noon.</div>", f"<div class=share>{PARAGRAPH * 6}</div>"

    def work(count: int) -> None:
        assert len(read_outline(parse(f"<body>{first}{part * count}").body).text_blocks) == count + 6

    assert growth(work, 2_000) < 10


def test_a_row_of_cells_that_cover_others_has_an_end() -> None:
    table = parse(f"<table>{'<tr><td rowspan=50 colspan=50>x<td>y' * 60}</table>").css_first("table")
    assert table is not None
    assert max(line.count("|") for line in (read_table(table) or "").split("\n")) < MAX_WIDTH + 2 * MAX_COLUMNS
    assert max(map(len, read_cells(table, lambda _: [Piece("x")]).rows), default=0) < MAX_WIDTH + 2 * MAX_COLUMNS


SCRIPTS = [
    ("", "[", ""), ("", '{"a":', "1"), ("", "1 ", ""), ("", '{"a":1}', ""), ("", '{"a":1}, ;', ""), ('{"@type":[', '"a/b",', '"Article"]}'),
    ('{"@type":"Article",', '"headline":"', ""), ("{", '"author":{"name":"', ""), ('{"headline":"', "\\\\", ""), ("", ", ", "x"),
    ("{}-->", " ", "x"), ("", "-->", "x"), ("{} //", " ", "x"), ("", "/* ]]> ", "x"), ("<!--", " ", "x"), ("{}", "; ", "x"),
    ("[", '{"@id":"x","a":1},', "{}]"), ('{"@type":"Article","articleBody":"', "<a", '"}'),
    ('{"@type":"Article","x":[', '{"@type":"Article","headline":"x"},', "{}]}"), ('{"a":', "9", "}"),
    ('{"@type":"Article","author":', '{"name":', '"x"'), ('{"@type":"Article","author":', "[", "]"),
]  # fmt: skip


@pytest.mark.parametrize(("begin", "unit", "end"), SCRIPTS)
def test_whatever_json_ld_repeats(begin: str, unit: str, end: str) -> None:
    def work(size: int) -> None:
        read_jsonld([begin + unit * (size // len(unit)) + end], URL, "A good story " * (size // 10))

    assert growth(work, 200_000) < 10


@pytest.mark.parametrize("unit", [b"<!--", b"<script>", b"<style x", b"<", b"<script></script ", b"<meta charset ", b"\xe4b", b"\x1b$B"])
def test_charset_detection(unit: bytes) -> None:
    foreign = b"Gr\xfc\xdfe aus K\xf6ln, M\xfcnchen und D\xfcsseldorf "

    def work(size: int) -> None:
        body = b"<html>" + foreign + unit * (size // len(unit)) + foreign
        decode(body, "text/html; charset=iso-8859-2")
        decode(body)
        decode(foreign, "text/html; charset=" + " " * size)

    assert growth(work, 50_000) < 10


def test_nested_values_deeper_than_a_stack_are_left_out() -> None:
    nested = '{"name":' * 500 + '"x"' + "}" * 500
    script = '<script type="application/ld+json">{"@type":"Article","author":%s,"image":%s,"isAccessibleForFree":%s}</script>'
    found = read(head=script % (nested, "[" * 500 + "]" * 500, "[" * 900 + "]" * 900))
    assert isinstance(found, Article)


def test_an_endless_number_in_json_ld_costs_itself() -> None:
    script = '<script type="application/ld+json">{"@type":"NewsArticle","position":%s,"headline":"A story","author":"Anna Berg"}</script>'
    found = read(head=script % ("9" * 5000))
    assert isinstance(found, Article)
    assert found.authors == ("Anna Berg",)


def test_half_a_character_in_json_ld_is_replaced() -> None:
    script = '<script type="application/ld+json">{"@type":"NewsArticle","author":"Anna \\udc00 Berg","image":"https://h/\\ud83d"}</script>'
    found = read(head=script)
    assert isinstance(found, Article)
    assert "Anna \ufffd Berg" in found.authors
    assert found.lead_image == "https://h/\ufffd"
    assert storable("\ud83d\ude00 \ud83d") == "\U0001f600 \ufffd"


def test_a_character_reference_of_5000_digits_is_none() -> None:
    assert unescaped("a &#" + "9" * 5000 + "; &amp; b") == "a \ufffd & b"
    assert isinstance(read(head="<meta property=og:title content='A &amp;#" + "9" * 5000 + "; story'>"), Article)


def test_the_body_in_the_data_is_read_in_one_pass() -> None:
    script = '<script type="application/ld+json">{"@type":"NewsArticle","headline":"A story","articleBody":"%s"}</script>'

    def work(size: int) -> None:
        html = f"<html><head><title>A story</title>{script % ('<a' * (size // 2))}</head><body><p>Short.</p></body></html>"
        read_article(Page(URL, html))

    assert growth(work, 100_000) < 10


@pytest.mark.parametrize("unit", ["](<", '](a "', "[a. ", "\\] "])
def test_the_sentences_of_whatever_is_repeated(unit: str) -> None:
    assert growth(lambda size: list(sentences(unit * (size // len(unit)), 500)), 20_000) < 10
