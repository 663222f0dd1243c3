"""Read the cells of a table of data with their inline pieces."""

from __future__ import annotations

from collections.abc import Callable

from processing.article.outline.table import MAX_WIDTH, begins_group, columns_of, drawn_sign, is_header, own_rows, row_cells, rows_of
from processing.article.structure.structure import STRONG, Piece, TableCells
from processing.article.tree.parse import Node

MAX_CELLS = 100_000

Cell = list[Piece]


def read_cells(table: Node, read_cell: Callable[[Node], Cell]) -> TableCells:
    """The rows with all columns: a cell that covers several is followed by empty ones. Rows without text are left out."""
    covered: dict[int, int] = {}  # column: rows below that a cell from above still covers
    rows: list[list[Cell]] = []
    has_header, count = False, 0
    for node in own_rows(table):
        if covered and begins_group(node):
            covered.clear()
        cells = row_cells(node)
        row = _row(cells, covered, read_cell)
        count += len(row)
        if any(row):
            parent = node.parent
            if not rows:
                has_header = (parent is not None and parent.tag == "thead") or all(map(is_header, cells))
                has_header = has_header or _is_strong(row)
            rows.append(row)
        if count > MAX_CELLS:
            break
    return TableCells(rows, has_header)


def _is_strong(row: list[Cell]) -> bool:
    """Whether all text of a row is in bold type, by which pages mark a header without `th`."""
    pieces = [piece for cell in row for piece in cell if piece.text.strip()]
    return len(row) > 1 and bool(pieces) and all(any(mark.kind == STRONG for mark in piece.marks) for piece in pieces)


def _row(cells: list[Node], covered: dict[int, int], read_cell: Callable[[Node], Cell]) -> list[Cell]:
    row: list[Cell] = []
    covering: dict[int, int] = {}
    columns = 1
    for cell in cells:
        row += [[] for _ in range(columns - 1)]  # covered by the cell before
        _add_covered(row, covered)
        columns = rows = 1
        if len(row) < MAX_WIDTH:
            columns, rows = columns_of(cell.attributes), rows_of(cell.attributes)
        if rows > 1:
            covering |= dict.fromkeys(range(len(row), len(row) + columns), rows - 1)
        pieces = read_cell(cell)
        if not pieces and cell.first_child is not None and (sign := drawn_sign(cell)):
            pieces = [Piece(sign)]
        row.append(pieces)
    _add_covered(row, covered)
    for column in [column for column in covered if column >= len(row)]:
        del covered[column]
    covered |= covering
    return row


def _add_covered(row: list[Cell], covered: dict[int, int]) -> None:
    while (rows := covered.get(len(row), 0)) > 0:
        covered[len(row)] = rows - 1
        row.append([])
