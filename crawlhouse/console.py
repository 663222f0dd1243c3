"""What a command shows: results on stdout, everything else on stderr, movement only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress

WIDTH_WITHOUT_TERMINAL = 120  # columns of a table that goes into a file or a pipe


@cache
def results() -> Console:
    """Where results go: stdout."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or os.environ.get("COLUMNS") else WIDTH_WITHOUT_TERMINAL
    return Console(highlight=False, markup=False, emoji=False, width=width)


@cache
def notes() -> Console:
    """Where everything goes that is no result: stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)


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


@contextmanager
def progress() -> Iterator[Progress]:
    """A live bar on stderr if that is a terminal; silent otherwise."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notes(), disable=not notes().is_terminal, transient=True) as bar:
        yield bar


def counts_table(title: str, counts: Mapping[str, object]) -> RenderableType:
    """A small table of names and numbers."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False, box=None, padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name, value in counts.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else str(value))
    return table
