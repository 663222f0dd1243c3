"""Read a table of data: its rows with their columns, and its caption. A table in one of its cells is a part of the cell's text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from processing.article.outline.names import Attributes
from processing.article.tree.characters import folded_text
from processing.article.tree.inline import CELLS, inline_text, is_unseen, is_unseen_by
from processing.article.tree.parse import Node, tag_number, tag_numbers

MAX_TABLE_CELL = 400  # characters: a table with a longer cell is used for layout
MAX_PICTURE_CHARACTERS = 40
MAX_TITLED_CELL = 1200  # the same of a table with a row of header cells
MAX_ICONS = 3
LINE = "\u2028"  # between the lines of a cell
_TABLE_SELECTORS = "[role=table]", "[role=grid]", "[role=treegrid]"
_CELL_SELECTORS = "[role=cell]", "[role=gridcell]", "[role=columnheader]", "[role=rowheader]"
# Written out: the parser knows no `:is(...) :is(...)`.
_NESTED = ", ".join(
    [f"{outer} {inner}" for outer in _TABLE_SELECTORS for inner in (*_TABLE_SELECTORS, "table", "form")]
    + [f"{outer} {inner}" for outer in _CELL_SELECTORS for inner in _CELL_SELECTORS]
)
_IN_ROLE_ROWS = ", ".join(f"[role=row] {cell}" for cell in _CELL_SELECTORS)
_ROLE_CELLS = ", ".join(_CELL_SELECTORS)
_THOUSANDS = re.compile(r"\d{3}(?!\d)")
# Classes of icons, `icon-check` or `fa-times-circle`. A word before them may be that of a library or a colour, but no `not` or `form`.
_BEFORE_ICON = r"(?:^|\s)(?:(?!(?:form|not?|un|btn|button)[_-])[a-z]+[_-]{1,2})?"
_OF_ICONS = r"(?:^|\s)(?:(?:[a-z]*icons?|fa|mdi|bi|ti)[_-]{1,2})"
_BEHIND_ICON = r"(?:[_-](?:circle|square|solid|outline|double|o|alt|bold|2|lg|icon|sign))*(?:\s|$)"
_TICK = re.compile(rf"(?:{_BEFORE_ICON}(?:check(?:mark)?|tick)|(?:{_OF_ICONS}|^)yes){_BEHIND_ICON}", re.IGNORECASE)
_CROSS = re.compile(rf"(?:{_BEFORE_ICON}(?:times|cross|xmark)|{_OF_ICONS}close|(?:{_OF_ICONS}|^)no){_BEHIND_ICON}", re.IGNORECASE)
_FILE_NAME = re.compile(r"\.\w{3,4}$")
MAX_COLUMNS = 50  # that one cell may cover; pages write absurd numbers
MAX_ROWS = 65_534  # the same of rows (HTML, 4.9.11); they cost nothing
MAX_WIDTH = 200  # columns; cells behind them cover only one
MAX_CELL_ELEMENTS = 200  # in a table with others in it
MIN_GRID_ROWS = 3  # of a table without header cells that has others in it
_NUMBER = re.compile(r"\s*\+?(\d+)", re.ASCII)
MAX_DIGITS = 9
_INNER = "table, form"
_SCRIPT = "script:not([type*='math/tex'])"  # in tables that lay out the page, and in cells of data
_CELLS, _PARTS = tag_numbers(CELLS), tag_numbers(("thead", "tbody", "tfoot"))
_ROW, _TEXT = tag_number("tr"), tag_number("-text")  # to read the name of a tag takes five times as long

Row = list[str]


def read_table(node: Node) -> str | None:
    """A table of data, a line per row and ` | ` between cells, empty ones too; None for a table that lays out the page."""
    if node.tag != "table" and not _is_all_cells(node):
        return None
    inner = {found.tag for found in _inner(node)}
    if "form" in inner or ("table" in inner and (not _is_data(node) or _is_crowded(node))):
        return None
    if node.css_first(_SCRIPT) is not None and node.css_first("th") is None:
        return None
    rows: list[Row] = []
    longest = 0
    for row in _rows(node):
        longest = longest or (MAX_TITLED_CELL if _has_titles(node) else MAX_TABLE_CELL)
        if max(map(len, row), default=0) > longest:
            return None
        if any(row):
            rows.append(row)
    if len(rows) < 2 or max(sum(map(bool, row)) for row in rows) < 2:
        return None
    return "\n".join(" | ".join(row).rstrip() for row in rows)


def _is_all_cells(node: Node) -> bool:
    """Whether a table of roles has no text but that of its cells, and no tables, forms or cells in these."""
    if node.css_first(_NESTED) is not None:
        return False
    return sum(map(_letters, node.css(_IN_ROLE_ROWS))) == _letters(node)


def _letters(node: Node) -> int:
    return sum(map(len, node.text().split()))


def _has_titles(table: Node) -> bool:
    """Whether the first row is of header cells, at least two: then long cells are data, too."""
    first = next(iter(own_rows(table)), None)
    cells = row_cells(first) if first is not None else []
    return len(cells) > 1 and all(map(is_header, cells))


def is_header(cell: Node) -> bool:
    """Whether a cell is a header by its tag or its role."""
    return cell.tag == "th" or (cell.tag != "td" and cell.attributes.get("role") == "columnheader")


def table_caption(node: Node) -> str:
    """The text of a table's caption; empty if it has none."""
    caption = node.css_first("caption")
    return folded_text(inline_text(caption)) if caption is not None else ""


def own_rows(table: Node) -> list[Node]:
    """The rows of a table, without those of tables in its cells: the parser puts them directly into it or into a part of it."""
    if table.tag != "table":
        return [row for row in table.css("[role=row]") if not is_unseen(row)]
    rows: list[Node] = []
    last: list[Node] = []  # browsers show them last
    for part in table.iter():
        if part.tag_id == _ROW:
            rows.append(part)
        elif part.tag_id in _PARTS:
            (last if part.tag == "tfoot" else rows).extend(row for row in part.iter() if row.tag_id == _ROW)
    return [row for row in rows + last if not row.attributes or not is_unseen(row)]


def _inner(table: Node) -> list[Node]:
    """The tables and forms in a table; selectors find the node itself too."""
    return [found for found in table.css(_INNER) if found.mem_id != table.mem_id]


def _is_data(table: Node) -> bool:
    """Whether a table with others in its cells is one of data: it has header cells, or is a grid without a missing cell."""
    rows = [row_cells(row) for row in own_rows(table)]
    if any(cell.tag == "th" for row in rows for cell in row):
        return True
    nested = sum(cell.css_first("table") is not None for row in rows for cell in row)
    return len(rows) >= MIN_GRID_ROWS and len({len(row) for row in rows}) == 1 and nested <= len(rows) and len(rows[0]) > 1


def _is_crowded(table: Node) -> bool:
    """Whether a cell has more in it than one of data: each of many tables in one another would be read as often as others are around it."""
    cells = (cell for row in own_rows(table) for cell in row_cells(row))
    return any(next(islice(cell.traverse(), MAX_CELL_ELEMENTS, None), None) is not None for cell in cells)


def _rows(node: Node) -> Iterator[Row]:
    """The rows with all columns: a cell that covers several columns or rows is followed by empty ones."""
    covered: dict[int, int] = {}  # column: rows below that a cell from above still covers
    for row in own_rows(node):
        if covered and begins_group(row):
            covered.clear()
        yield _row(_cells_of(row), covered)


def begins_group(row: Node) -> bool:
    """Whether a row is the first of its `tbody`, into which no cell from above reaches."""
    if row.tag != "tr":
        return False
    before = row.prev
    while before is not None and before.tag != "tr":
        before = before.prev
    return before is None


def row_cells(row: Node) -> list[Node]:
    """The cells of a row that readers see."""
    return [cell for cell, _ in _cells_of(row)]


def _cells_of(row: Node) -> list[tuple[Node, Attributes]]:
    """The cells of a row that readers see, with their attributes. The parser puts cells directly into it."""
    if row.tag != "tr":
        return [(cell, cell.attributes) for cell in row.css(_ROLE_CELLS) if not is_unseen(cell)]
    cells = []
    cell = row.first_child
    while cell is not None:
        if cell.tag_id in _CELLS:
            attributes = cell.attributes
            if not attributes or not is_unseen_by(attributes, cell):
                cells.append((cell, attributes))
        cell = cell.next
    return cells


def _row(cells: list[tuple[Node, Attributes]], covered: dict[int, int]) -> Row:
    row: Row = []
    covering: dict[int, int] = {}
    columns = rows = 1
    for cell, attributes in cells:
        row += [""] * (columns - 1)  # covered by the cell before
        if covered:
            _add_covered(row, covered)
        columns = rows = 1
        if attributes and len(row) < MAX_WIDTH:
            columns, rows = columns_of(attributes), rows_of(attributes)
        if rows > 1:
            covering |= dict.fromkeys(range(len(row), len(row) + columns), rows - 1)
        row.append(_cell_text(cell))
    if covered:
        _add_covered(row, covered)
        for column in [column for column in covered if column >= len(row)]:
            del covered[column]
    covered |= covering
    return row


def _cell_text(cell: Node) -> str:
    child = cell.first_child
    if child is None:
        return ""
    if child.tag_id == _TEXT and child.next is None:  # the common case
        return folded_text(child.text_content or "")
    text = inline_text(cell, edge=LINE)
    return (_joined_lines(text) if LINE in text else folded_text(text)) or _picture(cell) or drawn_sign(cell)


def _joined_lines(text: str) -> str:
    """The lines of a cell in one. Between two numbers stands a sign, so that `12` above `500` is not read as 12 500."""
    joined = ""
    for line in filter(None, map(folded_text, text.split(LINE))):
        joined += f"{between_lines(joined, line)}{line}" if joined else line
    return joined


def between_lines(before: str, behind: str) -> str:
    """What stands between two lines of a cell."""
    return "; " if before[-1:].isdigit() and _THOUSANDS.match(behind) else " "


def _picture(cell: Node) -> str:
    """What the only picture of a cell without text stands for, such as "Yes"."""
    pictures = cell.css("img[alt]")
    alt = folded_text(pictures[0].attributes.get("alt") or "") if len(pictures) == 1 else ""
    return alt if len(alt) <= MAX_PICTURE_CHARACTERS and not _FILE_NAME.search(alt) else ""


def drawn_sign(cell: Node) -> str:
    """The sign for a box or an icon that is all of a cell: whether it is ticked, or says yes or no."""
    drawn = cell.css("input[type=checkbox], i[class], span[class], svg[class]")
    if not drawn or len(drawn) > MAX_ICONS:
        return ""
    if drawn[0].tag == "input":  # an empty box for readers to tick says nothing
        return "☑" if "checked" in drawn[0].attributes else "☐" if "disabled" in drawn[0].attributes else ""
    names = " ".join([icon.attributes.get("class") or "" for icon in drawn])
    ticked, crossed = _TICK.search(names) is not None, _CROSS.search(names) is not None
    return "" if ticked == crossed else "✓" if ticked else "✗"


def _add_covered(row: Row, covered: dict[int, int]) -> None:
    """Empty cells where one from above reaches into the row."""
    while (rows := covered.get(len(row), 0)) > 0:
        covered[len(row)] = rows - 1
        row.append("")


def columns_of(attributes: Attributes) -> int:
    """How many columns a cell covers."""
    return max(1, min(_number(attributes.get("colspan")), MAX_COLUMNS))


def rows_of(attributes: Attributes) -> int:
    """How many rows a cell covers. 0 means all of its group."""
    return min(_number(attributes.get("rowspan")) or MAX_ROWS, MAX_ROWS)


def _number(value: str | None) -> int:
    """The number at the beginning of an attribute, as browsers read it; 1 without one."""
    found = _NUMBER.match(value) if value else None
    return int(found[1][:MAX_DIGITS]) if found else 1
