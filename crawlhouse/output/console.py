"""What a command prints: results on stdout, everything else on stderr, and lines that change in place only on a terminal.

All text for people goes through here. What it repeats from pages, users and servers is made safe by `schemas.printable`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from io import TextIOWrapper
from typing import TYPE_CHECKING

from schemas.printable import printable, printable_json

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod, RenderableType
    from rich.progress import Progress

SECONDS_BETWEEN_LINES = 10.0  # of progress in a log: a run of an hour adds 360 lines
WIDTH_WITHOUT_TERMINAL = 120  # characters of a table that goes into a file or a pipe: most editors show as many


@cache
def results() -> Console:
    """The console for results: stdout."""
    from crawlhouse.output.printable_console import PrintableConsole

    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else WIDTH_WITHOUT_TERMINAL
    return PrintableConsole(highlight=False, markup=False, emoji=False, width=width)


@cache
def notes() -> Console:
    """The console for everything that is not a result: stderr."""
    from crawlhouse.output.printable_console import PrintableConsole

    return PrintableConsole(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def prepare_output() -> None:
    """Let nothing that a page says end a command because the locale has no such character.

    Files and pipes get UTF-8 in every locale, as JSON must be. A terminal gets its own encoding, with escapes for what that does not have.
    """
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.encoding.lower() not in {"utf-8", "utf8"}:
        sys.stdout.reconfigure(encoding=None if sys.stdout.isatty() else "utf-8", errors="backslashreplace")


def say(text: str) -> None:
    """Print a note for the user, on stderr."""
    notes().print(text)


def say_error(text: str) -> None:
    """Print one message that says what is wrong and what to do, on stderr."""
    from rich.text import Text

    notes().print(Text.assemble(("Error: ", "bold red"), text))


def show(result: RenderableType) -> None:
    """Print a result for people, on stdout."""
    results().print(result)


def write(text: str) -> None:
    """Print text unchanged for programs. On a terminal it is made printable."""
    print(printable(text) if sys.stdout.isatty() else text)


def write_line(text: str) -> None:
    """Print a line for people on stdout, outside a table and never folded."""
    print(printable(text, lines=False))


def write_json(value: object, indent: int | None = None) -> None:
    """Print a result for programs, on stdout."""
    print(printable_json(value, indent))


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress bar on stderr if that is a terminal. Otherwise nothing is printed."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=notes(), disable=not notes().is_terminal, transient=True) as bar:
        yield bar


def counts_table(title: str, counts: Mapping[str, int]) -> RenderableType:
    """A small table of names and numbers."""
    return _pairs(title, {name: f"{count:,}" for name, count in counts.items()}, "right")


def facts_table(title: str, facts: Mapping[str, str]) -> RenderableType:
    """A small table of names and texts."""
    return _pairs(title, facts, "left")


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    header: bool = True,
    numbers: Collection[str] = (),
    unfolded: Collection[str] = (),
) -> RenderableType:
    """A table for people. `numbers` are columns that are aligned to the right.

    A long value is folded over several lines, but in the columns `unfolded` it is cut. Where the terminal is too narrow for the table, its
    rows stand one below the other, the first column's value as their heading.
    """
    from crawlhouse.output.fitting_table import FittingTable

    return FittingTable(title, columns, [tuple(row) for row in rows], header, numbers, unfolded)


def _pairs(title: str, pairs: Mapping[str, str], justify: JustifyMethod) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    made = Table(show_header=False, box=None, padding=(0, 2))
    made.add_column()
    made.add_column(justify=justify, overflow="fold", no_wrap=justify == "right")
    for name, value in pairs.items():
        made.add_row(name, value)
    return Group(Text(title, style="bold"), made) if title else made


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """A line on stderr that changes in place on a terminal. Elsewhere, such as in a log, each text is a line, at most one in 10 s."""
    if notes().is_terminal:
        from rich.text import Text

        with notes().status("") as status:
            yield lambda text: status.update(Text(text))  # a string would be read as markup
        return
    last_line_at = time.monotonic()

    def update(text: str) -> None:
        nonlocal last_line_at
        if time.monotonic() - last_line_at > SECONDS_BETWEEN_LINES:
            last_line_at = time.monotonic()
            say(text)

    yield update
