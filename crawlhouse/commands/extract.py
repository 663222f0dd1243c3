"""`crawlhouse extract`: articles from any WARC files, without a lake."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crawlhouse.output.console import counts_table, progress, say, show
from schemas.errors import StorageError
from schemas.numbers import plural
from schemas.outcomes import Reason

EXAMPLES = """
Examples:

  crawlhouse extract CC-NEWS-20260101.warc.gz -o articles.parquet

  crawlhouse extract *.warc.gz -o articles.jsonl --workers 4

  crawlhouse extract one.warc.gz -o articles.parquet --site-memory off

  crawlhouse extract *.warc.gz -o articles.md

  crawlhouse extract *.warc.gz -o articles.parquet --chunks 1500
"""


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


def extract(
    warcs: Annotated[
        list[Path], typer.Argument(metavar="WARC...", help="WARC files from any crawler, with gzip, zstd or uncompressed, or WACZ files.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The result: .parquet or .jsonl, or .md, a folder of Markdown files.")],
    site_memory: Annotated[Switch, typer.Option(help="First learn each host's boilerplate from all given pages.")] = Switch.ON,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; as many as cores by default.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Add the column markdown: links, emphasis, images, tables, lists.")] = False,
    chunks: Annotated[int | None, typer.Option(min=200, max=100_000, help="Add the column chunks: parts of at most N characters.")] = None,
) -> None:
    """Extract the articles of WARC files: one row per response record, with its status, and the reason if it is not an article.

    With a name that ends in .md, each article becomes a Markdown file in a folder of that name.

    Nothing is fetched and no lake is needed. A damaged record has a row too, and the rest of its file is read; the exit code is then 5.
    After an interruption the same command continues.
    """
    from processing.files.warc_files import extract_files

    passed_over: Counter[str] = Counter()
    with progress() as bar:
        task = bar.add_task("extracting", total=None)
        counts = extract_files(
            warcs,
            output,
            site_memory=site_memory is Switch.ON,
            workers=workers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            passed_over=passed_over,
            markdown=markdown,
            chunks=chunks,
        )
    show(counts_table(str(output), {"records": sum(counts.values()), **{f"= {name}": count for name, count in counts.items()}}))
    if passed_over:
        labels = ", ".join(f"{count:,} {label}" for label, count in sorted(passed_over.items()))
        say(f"Left out, because they are no web pages: {labels}.")
    if damaged := counts.get(Reason.DAMAGED_RECORD, 0):
        raise StorageError(
            f"{plural(damaged, 'record')} cannot be read: a file is cut off or damaged, see the rows of {output} with reason "
            "damaged_record. All others are in it. Fetch that file again, or use what there is."
        )
