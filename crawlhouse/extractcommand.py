"""`crawlhouse extract`: articles from any WARC files, without a lake."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crawlhouse.console import counts_table, progress, show
from schemas.errors import ConfigError, NotFoundError

EXAMPLES = """
Examples:

  crawlhouse extract CC-NEWS-20260101.warc.gz -o articles.parquet

  crawlhouse extract *.warc.gz -o articles.jsonl --workers 4

  crawlhouse extract one.warc.gz -o articles.parquet --site-memory off
"""
SUFFIXES = (".parquet", ".jsonl")


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


def extract(
    warcs: Annotated[list[Path], typer.Argument(metavar="WARC...", help="WARC files, compressed or not, from any crawler.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The result; .parquet or .jsonl.")],
    site_memory: Annotated[Switch, typer.Option(help="Learn each host's furniture from all given pages first.")] = Switch.ON,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as cores by default.")] = None,
) -> None:
    """Extract the articles of WARC files: one row per response record, with its status and the reason if it is no article.

    Nothing is fetched and no lake is needed. A damaged record is a row too, and the rest of its file is read on. Running the same
    command again after an interruption goes on where it was.
    """
    from processing.warcfiles import extract_files

    _check(warcs, output)
    with progress() as bar:
        task = bar.add_task("extracting", total=None)
        report = extract_files(
            warcs,
            output,
            site_memory=site_memory is Switch.ON,
            workers=workers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    show(counts_table(str(output), report))


def _check(warcs: list[Path], output: Path) -> None:
    missing = [str(path) for path in warcs if not path.is_file()]
    if missing:
        raise NotFoundError(f"There is no file {', '.join(missing)}.")
    if output.suffix not in SUFFIXES:
        raise ConfigError(f"{output} does not say its format: it must end in {' or '.join(SUFFIXES)}.")
