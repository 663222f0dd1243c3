"""Write one block as Markdown, without the lists and quotations around it."""

from __future__ import annotations

from processing.article.markdown.escape import code_block, escaped, with_escaped_start
from processing.article.markdown.inline import BREAK, inline_markdown
from processing.article.structure.structure import Piece, StructureBlock, TableCells
from schemas.article import Block, BlockKind

MAX_LEVEL = 6


def leaf_markdown(block: StructureBlock) -> str:
    """A block of the structure as Markdown."""
    if block.kind is BlockKind.HEADING:
        return heading(inline_markdown(block.pieces, is_line=True), block.level)
    if block.kind is BlockKind.CODE:
        return code_block(block.text, block.language)
    if block.cells is not None:
        return table(block.cells)
    return paragraph(inline_markdown(block.pieces))


def plain_markdown(block: Block) -> str:
    """A block of which only the text is known."""
    if block.kind is BlockKind.CODE:
        return code_block(block.text, "")
    if block.kind is BlockKind.TABLE:
        rows = [[[Piece(cell)] if cell else [] for cell in line.split(" | ")] for line in block.text.split("\n")]
        return table(TableCells(rows))
    text = escaped(" ".join(block.text.split()))
    return heading(text, block.level) if block.kind is BlockKind.HEADING else paragraph(text)


def heading(text: str, level: int) -> str:
    """A heading; a `#` at its end belongs to the text."""
    text = " ".join(text.split())
    text = f"{text[:-1]}\\#" if text.endswith("#") else text
    return f"{'#' * max(1, min(level, MAX_LEVEL))} {text}"


def paragraph(text: str) -> str:
    """A paragraph of inline Markdown."""
    return BREAK.join(with_escaped_start(line.strip()) for line in text.split(BREAK))


def table(cells: TableCells) -> str:
    """A table with a header: its first row, or an empty one."""
    width = max(len(row) for row in cells.rows)
    rows = [[_cell(cell) for cell in row] + [""] * (width - len(row)) for row in cells.rows]
    rows = rows if cells.has_header else [[""] * width, *rows]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])


def _cell(pieces: list[Piece]) -> str:
    text = " ".join(inline_markdown(pieces, is_line=True).split())
    return text if "`" not in text else _with_escaped_bars(text)


def _with_escaped_bars(text: str) -> str:
    """A cell is cut at each bar that has no backslash, those in code too."""
    return "".join("\\|" if character == "|" and text[place - 1 : place] != "\\" else character for place, character in enumerate(text))
