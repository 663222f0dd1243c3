"""What a command shows: results on stdout, everything else on stderr, movement only on a terminal.

All that people read goes through here: what pages, users and servers say is made `schemas.printable` on its way.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from schemas.printable import printable, printable_json

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod, RenderableType
    from rich.progress import Progress

SECONDS_BETWEEN_LINES = 10.0  # where progress goes into a log
WIDTH_WITHOUT_TERMINAL = 120  # columns of a table that goes into a file or a pipe


@cache
def results() -> Console:
    """Where results go: stdout."""
    from crawlhouse.output.printable_console import PrintableConsole

    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else WIDTH_WITHOUT_TERMINAL
    return PrintableConsole(highlight=False, markup=False, emoji=False, width=width)


@cache
def notes() -> Console:
    """Where everything goes that is no result: stderr."""
    from crawlhouse.output.printable_console import PrintableConsole

    return PrintableConsole(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(text: str) -> None:
    """A note for the user, on stderr."""
    notes().print(text)


def say_error(text: str) -> None:
    """One message that says what is wrong and what to do, on stderr."""
    from rich.text import Text

    notes().print(Text.assemble(("Error: ", "bold red"), text))


def show(result: RenderableType) -> None:
    """A result for people, on stdout."""
    results().print(result)


def write(text: str) -> None:
    """Text as it is, for programs; on a terminal as people may see it."""
    print(printable(text) if sys.stdout.isatty() else text)


def write_line(text: str) -> None:
    """A line for people on stdout, without a table and never folded."""
    print(printable(text, lines=False))


def write_json(value: object, indent: int | None = None) -> None:
    """A result for programs, on stdout."""
    print(printable_json(value, indent))


@contextmanager
def progress() -> Iterator[Progress]:
    """A live bar on stderr if that is a terminal; silent otherwise."""
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
    """A small table of names and words."""
    return _pairs(title, facts, "left")


def _pairs(title: str, pairs: Mapping[str, str], justify: JustifyMethod) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column()
    table.add_column(justify=justify, overflow="fold")
    for name, value in pairs.items():
        table.add_row(name, value)
    return Group(Text(title, style="bold"), table) if title else table


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """A line on stderr that changes in place on a terminal; elsewhere a line of its own, now and then."""
    if notes().is_terminal:
        from rich.text import Text

        with notes().status("") as status:
            yield lambda text: status.update(Text(text))  # a string would be read as markup
        return
    told = time.monotonic()

    def tell(text: str) -> None:
        nonlocal told
        if time.monotonic() - told > SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            say(text)

    yield tell
