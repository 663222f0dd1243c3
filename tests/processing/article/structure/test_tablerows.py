"""Rows and columns of tables stand where browsers show them, in the text and in Markdown."""

import pytest

from processing.article.markdown.leaf import leaf_markdown
from processing.article.structure.walk import read_structure
from processing.article.tree.parse import parse
from tests.processing.article.millpage import text


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
