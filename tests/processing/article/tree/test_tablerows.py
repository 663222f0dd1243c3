"""Rows and columns of tables stand where browsers show them, in the text and in Markdown."""

import pytest

from processing.article.markdown.leaf import leaf_markdown
from processing.article.structure.walk import read_structure
from processing.article.tree.parse import parse
from schemas.article import BlockKind
from tests.cpu import growth
from tests.processing.article.millpage import blocks, text


def rows_of(html: str) -> list[list[str]]:
    """The cells of the first table, as its text has them."""
    return [[cell.strip() for cell in line.split("|")] for line in text(html).split("\n")]


def markdown_rows_of(html: str) -> list[list[str]]:
    block = read_structure(parse(html), "https://valley.example/").blocks[0]
    lines = [line.strip("|").split("|") for line in leaf_markdown(block).split("\n")]
    rows = [[cell.strip() for cell in line] for line in lines if set("".join(line)) != set(" -")]
    return rows[1:] if not any(rows[0]) else rows


@pytest.mark.parametrize(
    ("rows", "cells"),
    [
        (
            "<tfoot><tr><td>sum<td>9</tfoot><tbody><tr><td>x<td>4<tr><td>y<td>5</tbody>",
            [["x", "4"], ["y", "5"], ["sum", "9"]],
        ),
        ("<tr><td rowspan=0>all<td>1<tr><td>2<tr><td>3", [["all", "1"], ["", "2"], ["", "3"]]),
        ("<tr><td rowspan=99999>all<td>1<tr><td>2<tr><td>3", [["all", "1"], ["", "2"], ["", "3"]]),
        (
            "<tbody><tr><td rowspan=9>a<td>1<tr><td>2</tbody><tbody><tr><td>b<td>3</tbody>",
            [["a", "1"], ["", "2"], ["b", "3"]],
        ),
        ("<tr><td colspan='2.5'>w<td>c<tr><td>1<td>2<td>3", [["w", "", "c"], ["1", "2", "3"]]),
        ("<tr><td>1<td>2<tr><td rowspan=2px>x<td>3<tr><td>4", [["1", "2"], ["x", "3"], ["", "4"]]),
    ],
)
def test_cells_stand_in_their_columns(rows: str, cells: list[list[str]]) -> None:
    assert rows_of(f"<table>{rows}</table>") == cells
    assert markdown_rows_of(f"<table>{rows}</table>") == cells


def test_a_cell_over_columns_that_the_table_does_not_have_makes_none() -> None:
    assert markdown_rows_of("<table><tr><td colspan=9999>w<tr><td>1<td>2</table>") == [["w", ""], ["1", "2"]]


def test_absurd_numbers_are_no_error() -> None:
    assert rows_of(f"<table><tr><td rowspan={'9' * 5000}>w<td>v<tr><td colspan={'9' * 5000}>2</table>") == [["w", "v"], ["", "2"]]


def test_tables_of_roles_keep_their_columns() -> None:
    rows = (
        "<div role=row><span role=columnheader>Year</span><span role=columnheader>Wins</span></div>"
        "<div role=row><span role=cell>2024</span><span role=cell></span></div>"
        "<div role=row><span role=cell>2025</span><span role=cell>12</span></div>"
    )
    assert text(f"<div role=table>{rows}</div>") == "Year | Wins\n2024 |\n2025 | 12"


@pytest.mark.parametrize(
    ("inner", "written"),
    [
        ("<p>Before the rows.</p><div role=row><b role=cell>a</b> <b role=cell>c</b></div>", "Before the rows.\na c"),
        ("<div role=row>no cell <b role=cell>a</b></div>", "no cell a"),
        ("<div role=row><div role=cell>a <div role=cell>inner</div></div></div>", "a\ninner"),
        ("<div role=row><div role=cell>a <div role=grid>inner</div></div></div>", "a\ninner"),
    ],
)
def test_a_table_of_roles_loses_and_doubles_no_text(inner: str, written: str) -> None:
    assert text(f"<div role=table>{inner}</div>") == written


@pytest.mark.parametrize("opening", ["<div role=table><div role=row><div role=cell>x", "<div role=row><div role=cell>x"])
def test_tables_of_roles_in_one_another_take_time_by_their_length(opening: str) -> None:
    def work(size: int) -> None:
        read_structure(parse("<div role=table>" + opening * (size // len(opening))), "https://valley.example/")

    assert growth(work, 10_000) < 10


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("1<br>200", "1; 200"),
        ("<p>12</p><p>500 kg</p>", "12; 500 kg"),
        ("<ul><li>5 eggs</li><li>2 l milk</li></ul>", "5 eggs 2 l milk"),
        ("<input type=checkbox checked disabled>", "☑"),
        ("<input type=checkbox disabled>", "☐"),
        ("<i class='fa fa-check'></i>", "✓"),
        ("<i class='fas fa-times'></i>", "✗"),
        ("<i class='fa fa-star'></i>", ""),
        ("<i class='check-icon'></i>", "✓"),
        ("<i class='icon-close'></i>", "✗"),
        ("<span class=no-print></span>", ""),
        ("<span class='icon no-wrap'></span>", ""),
        ("<span class=form-check></span>", ""),
        ("<span class=close></span>", ""),
        ("<i class=icon-check-empty></i>", ""),
        ("<i class='fa fa-check'></i><i class='fa fa-times'></i>", ""),  # a script shows one of them
        ("<input type=checkbox name=row>", ""),  # for readers to choose the row
    ],
)
def test_lines_and_signs_in_cells(cell: str, written: str) -> None:
    rows = f"<tr><th>Who<th>What<th>More<tr><td>Ann<td>{cell}<td>x"
    assert text(f"<table>{rows}</table>") == f"Who | What | More\nAnn | {written} | x"


def test_long_cells_below_headers_stay_in_their_columns() -> None:
    long = "The mill has turned for long and will turn again. " * 15
    assert text(f"<table><tr><th>Who<th>Says<tr><td>Ann<td>{long}</table>") == f"Who | Says\nAnn | {long.strip()}"


@pytest.mark.parametrize(
    ("markup", "code"),
    [
        ("<pre><span class=ln>1</span> a = 1\n<span class=ln>2</span>   b = 2</pre>", "a = 1\n  b = 2"),
        ("<pre><code><span class=line>a = 1</span><span class=line>b = 2</span></code></pre>", "a = 1\nb = 2"),
        ("<listing>a\n  b</listing>", "a\n  b"),
        ("<pre><span class=line>a\n</span><span class=line>b\n</span></pre>", "a\nb"),
        ("<pre>\n  <span class=line>a</span>\n  <span class=line>b</span></pre>", "  a\n  b"),
        ("<pre>File x, line <span class=line>12</span>, in go</pre>", "File x, line 12, in go"),
        ("<pre><span class=ln>1</span>  a\n  b</pre>", "  a\n  b"),
    ],
)
def test_lines_of_code(markup: str, code: str) -> None:
    assert text(markup) == code


def test_what_is_named_a_caption_is_one() -> None:
    caption = "<div class=wp-caption><img src=/a.jpg><p class=wp-caption-text>The wheel in 1902.</p></div>"
    assert blocks(caption) == [(BlockKind.CAPTION, "The wheel in 1902.")]
    assert blocks("<div class=video-caption>The wheel in motion.</div>") == []
