"""Markdown: a parser of others reads it back to the structure that the page has."""

from __future__ import annotations

import random

import pytest
from markdown_it import MarkdownIt

from processing.article.article import read_article
from processing.article.markdown.align import markup_of
from processing.article.markdown.chunks import split_chunks
from processing.article.markdown.document import write_document
from processing.article.markdown.leaf import leaf_markdown
from processing.article.structure.containers import MAX_CONTAINERS
from processing.article.structure.structure import Piece, Structure, StructureBlock
from processing.article.structure.walk import MAX_DEPTH, read_structure
from processing.article.tree.parse import parse
from schemas.article import Article, Block, BlockKind, BlockMarkup, Container
from schemas.page import Page

URL = "https://valley.example/2025/mill"
PARSER = MarkdownIt("commonmark").enable("table")


def structure(html: str) -> Structure:
    return read_structure(parse(html), URL)


def markdown(html: str) -> str:
    return write_document(BlockMarkup(leaf_markdown(block), block.containers) for block in structure(html).blocks)


def shape(html: str) -> list[object]:
    """Everything that Markdown keeps of a page: kinds, levels, text, inline marks, cells, and which blocks share lists and items."""
    names: dict[tuple[str, int], int] = {}

    def named(container: Container) -> tuple[object, ...]:
        group, item = (names.setdefault((kind, number), len(names)) for kind, number in (("g", container.group), ("i", container.item)))
        return container.kind, container.number, group, item

    return [
        (
            block.kind, block.text, block.level if block.kind is BlockKind.HEADING else 0, block.language, pieces(block.pieces),
            [[pieces(cell) for cell in row] for row in block.cells.rows] if block.cells else None, [named(c) for c in block.containers],
        )
        for block in structure(html).blocks
    ]  # fmt: skip


def pieces(found: list[Piece]) -> list[tuple[object, ...]]:
    """Each character but blanks, with its marks: Markdown may not begin or end a mark with a blank."""
    return [
        (character, [(mark.kind, mark.target) for mark in piece.marks], piece.image)
        for piece in found
        for character in ("\n" if piece.is_break else piece.text.replace(" ", "") or ("image" if piece.image else ""))
    ]


@pytest.mark.parametrize(
    "html",
    [
        "<h1>One</h1><h2>Two <em>of</em> six #</h2><h6>Six</h6><p>Text.</p>",
        "<p>A <strong>strong</strong>, an <em>emphasised</em> and a <strong>strong <em>and emphasised</em></strong> word.</p>",
        "<p>in<em>side</em> a word, <strong>a</strong><em>b</em> together, <em> blank </em>edges, (<em>in brackets</em>).</p>",
        "<p>The call <code>open(`a|b`)</code> and <code>``</code>, <a href='/doc?a=1&amp;b=2'><code>linked</code></a>.</p>",
        "<p>See <a href='/a_(b)'>the <em>other</em> page</a>, <a href='https://x.example/%C3%A4 b'>one more</a>![not an image](x).</p>",
        "<p>A picture <img src='/p.png' alt='of a [mill]'> in the text, <a href='/big'><img src='/s.png' alt='linked'></a>.</p>",
        "<p>First line<br>- second line<br># third line<br>=== fourth</p>",
        "<ul><li>a</li><li>b<ul><li>b1<ol><li>deep</li><li>deeper</li></ol></li><li>b2</li></ul></li><li>c</li></ul>",
        "<ol start=9><li>nine</li><li>ten<ul><li>inside ten</li></ul></li><li>eleven</li></ol>",
        "<ul><li><p>one</p><p>more of one</p><pre><code class='language-python'>a = 1\n\n    b</code></pre></li><li>two</li></ul>",
        "<ul><li>first list</li></ul><ul><li>second list</li></ul><ul><li>third list</li></ul><ol><li>a</li></ol><ol><li>b</li></ol>",
        "<ul><li>a<ol start=3><li>three</li></ol></li></ul><p>Between.</p><ul><li>b</li></ul>",
        "<blockquote><p>one</p><ul><li>in</li></ul><blockquote><p>inner</p></blockquote></blockquote><blockquote>two</blockquote>",
        "<table><tr><th>A</th><th>B</th></tr><tr><td>x|y</td><td><code>a|b</code> <b>z</b></td></tr><tr><td></td><td>2</td></tr></table>",
        "<pre><code class='lang-js'>```\nfence\n````\n  end</code></pre><pre>* no list\n# no heading</pre>",
    ],
)  # fmt: skip
def test_a_parser_reads_it_back(html: str) -> None:
    assert shape(PARSER.render(markdown(html)).replace("\n</code>", "</code>")) == shape(html)


@pytest.mark.parametrize(
    ("html", "written"),
    [
        ("<p><b>Tip:</b>turn</p>", "**Tip**:turn"), ("<p>a<em>(b)</em>c</p>", "a(_b_)c"),
        ("<p>中文<b>“中文”</b>中文</p>", "中文“**中文**”中文"),
        ("<p>a<b>!</b>b</p>", "a\\!b"), ("<p>2<em>*</em>3</p>", "2\\*3"),
    ],
)  # fmt: skip
def test_signs_at_the_ends_of_a_mark_go_out_of_it_where_a_word_touches_them(html: str, written: str) -> None:
    assert markdown(html) == written
    assert [block.text for block in structure(PARSER.render(written)).blocks] == [block.text for block in structure(html).blocks]


def test_a_bar_in_an_address_divides_no_cell() -> None:
    cell = "<a href='/a|b'>l</a> <img src='/i|.png' alt='a|b'>"
    written = markdown(f"<table><tr><th>A<th>B<tr><td>{cell}<td>x</table>")
    assert len(parse(PARSER.render(written)).css("td")) == 2
    assert "(https://valley.example/a%7Cb)" in written


def test_a_first_row_in_bold_type_is_the_header() -> None:
    assert markdown("<table><tr><td><b>A</b><td><strong>B</strong><tr><td>1<td>2</table>").splitlines()[0] == "| **A** | **B** |"
    assert markdown("<table><tr><td><b>A</b><td>B<tr><td>1<td>2</table>").splitlines()[0] == "|  |  |"


def test_a_table_in_a_cell_stays_in_it() -> None:
    inner = "<table><tr><td><a href=/8>8:00</a> <td><b>9:00</b><tr><td>10:00</table>"
    written = markdown(f"<table><tr><th>Ferry<th>Times<tr><td>North<td>{inner}<tr><td>South<td>never</table>").splitlines()
    assert written[2:] == ["| North | [8:00](https://valley.example/8), **9:00**; 10:00 |", "| South | never |"]


@pytest.mark.parametrize(
    ("image", "source"),
    [
        ("src=/blank.gif data-x-original-src=/a.png", "/a.png"),
        ("src='data:image/gif;base64,x' data-lazy=/b.webp?w=1", "/b.webp?w=1"),
        ("src=/img/placeholder.png srcset='/c.jpg 1x, /d.jpg 2x'", "/c.jpg"),
        ("srcset='/c.jpg 400w, /d.jpg 800w'", "/c.jpg"),
        ("src=blank.gif data-srcset='/c.jpg 1x'", "/c.jpg"),
        ("src=/spacer.gif", "/spacer.gif"),
        ("src=/e.jpg data-original=/large.jpg", "/e.jpg"),
    ],
)
def test_an_image_that_is_loaded_late(image: str, source: str) -> None:
    assert markdown(f"<p>A picture <img alt=mill {image}> of it.</p>") == f"A picture ![mill](https://valley.example{source}) of it."


@pytest.mark.parametrize("length", [1, 100])
def test_an_image_for_readers_without_scripts_is_read_once(length: int) -> None:
    image = "<p><img src=/placeholder.png><noscript><img src=/c.jpg></noscript></p>"
    text = "The mill turns again. " * length
    assert markdown(f"{image}<p>{text}</p>") == f"![](https://valley.example/c.jpg)\n\n{text.strip()}"


@pytest.mark.parametrize(
    "text",
    [
        "# no heading", "####### seven", "1. no list", "12) no list", "- no", "+ no", "* no", "> no", "---", "***", "___", "===",
        "~~~", "```", "- - -",
        "a *b* c", "a _b_ c", "snake_case_name", "a `b` c", "[a](b)", "[a]: /b", "![a](b)", "<b>a</b>", "a < b > c",
        "&amp; &copy; &#42; & co", "a\\*b\\",
        "| a | b |", "|---|", "~~a~~", "5 * 3 * 2", "http://a.example/b_c_d", "a@b.example", "**", "a!", "#",
        "1.", "tab\there", "trailing #", "$x_1$",
        "+1 for it", "-5 degrees", "2025. The year", "*", ":-", "!", "\\", "a  b", "\u200bzero", "[", "]", "(1) one",
    ],
)  # fmt: skip
def test_text_stays_text(text: str) -> None:
    node = parse(f"<p>{text.replace('&', '&amp;').replace('<', '&lt;')}</p>")
    (block,) = read_structure(node, URL).blocks
    for template in ("{}", "- {}", "> {}"):
        inside = parse(PARSER.render(template.format(leaf_markdown(block))))
        assert [found.text for found in read_structure(inside, URL).blocks] == [block.text]
    cells = parse(PARSER.render(markdown(f"<table><tr><th>A<th>B<tr><td>{text.replace('&', '&amp;').replace('<', '&lt;')}<td>2</table>")))
    assert cells.css("td")[0].text() == block.text
    heading = parse(PARSER.render(markdown(f"<h2>{text.replace('&', '&amp;').replace('<', '&lt;')}</h2>")))
    assert heading.css("h2")[0].text() == block.text


def test_any_mixture_of_inline_elements_keeps_its_text() -> None:
    choice = random.Random(7)
    signs = ["*", "_", "`", "[", "](x)", "!", "\\", "<", "&lt;b", "|", "~", "#", " ", "word", "1.", "(", ".", "é"]
    tags = ["em", "strong", "code", "a href='/x'", "i", "b"]
    for _ in range(100):
        html = ""
        for _ in range(choice.randrange(1, 8)):
            inner = "".join(choice.choices(signs, k=choice.randrange(1, 4))).replace("<", "&lt;")
            for tag in choice.sample(tags, choice.randrange(3)):
                inner = f"<{tag}>{inner}</{tag.split()[0]}>"
            html += inner
        html = f"<p>{html}</p>"
        before = structure(html).blocks
        again = structure(PARSER.render(markdown(html))).blocks
        assert [block.text for block in again] == [block.text for block in before], markdown(html)


PROSE = "".join(
    f"<p>The {who} told us that the mill would turn again as soon as the river carried enough water.</p>" for who in ("miller", "mayor")
)
PAGE = f"""<html lang=en><head><title>The old mill turns</title></head><body><nav><a href=/>Home</a></nav>
<article><h1>The old mill turns</h1>
<figure><img src=/wheel.jpg alt="The wheel"><figcaption>The wheel in spring.</figcaption></figure>{PROSE}
<h2>What it costs</h2>
<p>The <a href=/council>council of the valley</a> pays <strong>half</strong> of what the carpenters ask for the wheel.</p>
<ul><li>the wheel</li><li>the race<ul><li>its gate</li></ul></li></ul>
<h3>Later</h3>{PROSE.replace("mill", "saw")}</article></body></html>"""


def article(html: str) -> tuple[Article, tuple[BlockMarkup, ...]]:
    tree = parse(html)
    found = read_article(Page(URL, html), tree=tree)
    assert isinstance(found, Article)
    return found, markup_of(found.blocks, read_structure(tree, URL))


def test_an_article_has_links_lists_and_pictures_with_captions() -> None:
    found, markup = article(PAGE)
    assert len(markup) == len(found.blocks)
    written = write_document(markup)
    assert written.startswith('![The wheel](https://valley.example/wheel.jpg "The wheel in spring.")')
    assert "The [council of the valley](https://valley.example/council) pays **half** of" in written
    assert "- the wheel\n- the race\n  - its gate" in written
    assert written.count("The wheel in spring.") == 1


@pytest.mark.parametrize(
    ("items", "numbers"),
    [
        ("<ol reversed><li>x<li>x<li>x</ol>", [3, 2, 1]),
        ("<ol reversed start=10><li>x<li>x</ol>", [10, 9]),
        ("<ol start=5><li>x<li>x</ol>", [5, 6]),
        ("<ol><li value=3>x<li>x<li value=10>x<li>x</ol>", [3, 4, 10, 11]),
        ("<ol start=0><li>x<li>x</ol>", [0, 1]),
        ("<ol start=' 7 '><li>x</ol>", [7]),
        ("<ol start=-1><li>x<li>x<li>x</ol>", [0, 1]),  # Markdown has no negative numbers
    ],
)
def test_items_keep_their_numbers(items: str, numbers: list[int]) -> None:
    """A parser counts on from the first number of each list."""
    found: list[int] = []
    for token in PARSER.parse(markdown(items)):
        if token.type == "ordered_list_open":
            following = int(token.attrs.get("start", 1))
        elif token.type == "list_item_open" and token.markup in {".", ")"}:
            found.append(following)
            following += 1
    assert found == numbers


def test_captions_of_a_gallery_stand_with_its_pictures() -> None:
    slide = "<div class=swiper-slide><img src=/{0}.jpg><div class=caption>The wheel {0}.</div></div>"
    gallery = f"<div class='swiper slider'>{slide.format('a')}{slide.format('b')}</div>"
    written = write_document(article(PAGE.replace("<h3>Later</h3>", f"{gallery}<h3>Later</h3>"))[1])
    assert '![](https://valley.example/a.jpg "The wheel a.")' in written
    assert '![](https://valley.example/b.jpg "The wheel b.")' in written


def test_a_picture_of_a_formula_is_not_written_beside_it() -> None:
    formula = "<span><math alttext='x_{1}'><mi>x</mi></math></span><img src=https://w.example/media/math/render/svg/1 alt='x_{1}'>"
    assert markdown(f"<p>So {formula} is.</p>") == "So x\\_{1} is."


def test_a_block_that_the_page_does_not_have_is_plain() -> None:
    found, _ = article(PAGE)
    blocks = [*found.blocks[:2], StructureBlock(BlockKind.LIST_ITEM, "not *here*", [], 0, 1)]
    markup = markup_of(blocks, structure("<p>Something else.</p>"))  # type: ignore[arg-type]
    assert markup[-1].markdown == r"not \*here\*"
    assert write_document(markup).endswith("- not \\*here\\*")


def test_chunks_end_at_blocks_and_know_their_headings() -> None:
    found, markup = article(PAGE)
    chunks = split_chunks(found.blocks, markup, 250)
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert all(len(chunk.text) <= 250 for chunk in chunks)
    assert [chunk.headings for chunk in chunks if chunk.text.startswith("### Later")] == [("What it costs", "Later")]
    assert next(chunk for chunk in chunks if "council" in chunk.text).text.startswith("## What it costs\n\nThe [council")
    assert "\n\n".join(chunk.text for chunk in chunks).replace("\n", "") == write_document(markup).replace("\n", "")
    assert [found.blocks[chunk.block].text[:20] in chunk.text.replace("*", "") for chunk in chunks if chunk.block > 2]


def test_a_block_longer_than_a_chunk_is_cut_at_rows_lines_sentences() -> None:
    rows = "".join(f"<tr><td>row {number}</td><td>{number * 7}</td></tr>" for number in range(80))
    lines = "\n".join(f"line_{number} = {number}" for number in range(80))
    html = f"<table><tr><th>A</th><th>B</th></tr>{rows}</table><pre>{lines}</pre><p>{'This is a sentence. ' * 80}</p><p>{'x' * 900}</p>"
    blocks = structure(html).blocks
    chunks = split_chunks(blocks, [BlockMarkup(leaf_markdown(block), block.containers) for block in blocks], 300)  # type: ignore[arg-type]
    assert all(len(chunk.text) <= 300 for chunk in chunks)
    tables = [chunk.text for chunk in chunks if chunk.text.startswith("| A | B |\n| --- | --- |\n| row")]
    assert sum(text.count("| row") for text in tables) == 80
    assert (
        sum(text.count("line_") for text in (chunk.text for chunk in chunks) if text.startswith("```\n") and text.endswith("\n```")) == 80
    )
    assert sum(chunk.text.count("x") for chunk in chunks) == 900


@pytest.mark.parametrize("size", [40, 60, 90, 200])
@pytest.mark.parametrize(
    "inner",
    [
        "He said: “It turns.” Then (as ever!) the <b>wheel stood. It stood still.</b> Nobody had *seen* it.",
        "See <a href='/the-old-mill(1874)'>the page. It is old</a> and <i>what it says.</i> Run <code>a. b</code> and <code>c</code> then.",
        "磨坊又转了。人们说“真好。”然后<b>轮子停了。它停了很久。</b>没有人看见它再次转动。",
        "A <b>very long mark. It goes on and on. It does not end soon. It goes on and on, and then on again.</b> The end.",
        "A sentence with \\* and [brackets] and `ticks` and under_scores and *stars* that is as long as two or three of the others are.",
    ],
)
def test_no_mark_is_cut(inner: str, size: int) -> None:
    found = structure(f"<p>{inner}</p>").blocks
    blocks = [Block(block.kind, block.text) for block in found]
    chunks = split_chunks(blocks, [BlockMarkup(leaf_markdown(block)) for block in found], size)
    texts = [child.content for chunk in chunks for token in PARSER.parse(chunk.text) for child in token.children or ()]
    assert "".join("".join(texts).split()) == "".join(found[0].text.split())
    assert all(len(chunk.text) <= size for chunk in chunks)


def test_hostile_nesting_is_bounded() -> None:
    for inner in ("<ul><li>", "<blockquote>", "<b><i>", "<div>", "<a href=/x><em>", "<table><tr><td>"):
        html = inner * (MAX_DEPTH + 50) + "deep"
        found = structure(html)
        assert [block.text for block in found.blocks][-1:] == ["deep"]
        assert max(len(block.containers) for block in found.blocks) <= MAX_CONTAINERS
        assert len(markdown(html)) < 500
