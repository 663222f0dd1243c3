"""A table for people, and the form that it has where the terminal is too narrow: each row as a heading with its values below.

A table that is squeezed folds names of runs and URLs into pieces, which nobody can read or copy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

COLUMN_GAP = 3  # characters between two columns of Rich's table
WHOLE_WORD = 40  # characters of a value without blanks that is not folded: the name of a run, most URLs of a host
WHOLE_TEXT = 24  # of other values: a date with its time is read in one piece
BETWEEN_VALUES = "   "
INDENT = 2  # characters before the values of a row


@dataclass(frozen=True, slots=True)
class FittingTable:
    """A table that Rich prints. `numbers` are columns that are aligned to the right, and never folded. Those in `cut` are cut instead."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    header: bool = True
    numbers: Collection[str] = ()
    cut: Collection[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        needed = sum(self._least_width(index) + COLUMN_GAP for index in range(len(self.columns)))
        if self.header and needed > options.max_width:
            yield from self._records(options.max_width - INDENT)
        else:
            yield self._table()

    def _least_width(self, index: int) -> int:
        widest = self._widest(index)
        return widest if self._is_whole(index) else max(cell_len(self.columns[index]), WHOLE_TEXT)

    def _is_whole(self, index: int) -> bool:
        """Whether a column's values always stand on one line."""
        if self.columns[index] in {*self.numbers, *self.cut}:
            return True
        longest = max((row[index] for row in self.rows), key=cell_len, default="")
        return cell_len(longest) <= WHOLE_TEXT or (cell_len(longest) <= WHOLE_WORD and not any(" " in row[index] for row in self.rows))

    def _widest(self, index: int) -> int:
        return max(map(cell_len, (self.columns[index], *(row[index] for row in self.rows))))

    def _table(self) -> Table:
        made = Table(
            title=self.title or None, title_justify="left", title_style="bold", show_header=self.header, box=box.SIMPLE_HEAD, pad_edge=False
        )
        for index, name in enumerate(self.columns):
            made.add_column(
                name,
                justify="right" if name in self.numbers else "left",
                overflow="ellipsis" if name in self.cut else "fold",
                no_wrap=self.header and self._is_whole(index),
            )
        for row in self.rows:
            made.add_row(*row)
        return made

    def _records(self, room: int) -> Iterator[RenderableType]:
        """Each row as its first value, and the others with their names below it. Empty values are left out."""
        if self.title:
            yield Text(self.title, style="bold")
        for first, *others in self.rows:
            yield Text(first, style="bold", overflow="fold")
            values = [f"{name}: {value}" for name, value in zip(self.columns[1:], others, strict=True) if value]
            if values:
                yield Padding(Text("\n".join(_lines(values, room)), overflow="fold"), (0, 0, 0, INDENT), expand=False)


def _lines(values: Sequence[str], room: int) -> list[str]:
    """The values side by side, as many on a line as there is room for."""
    lines: list[str] = []
    for value in values:
        if lines and cell_len(lines[-1]) + cell_len(BETWEEN_VALUES) + cell_len(value) <= room:
            lines[-1] += BETWEEN_VALUES + value
        else:
            lines.append(value)
    return lines
