"""`crawlhouse runs`: the last runs of crawls, and what became of them."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlhouse.output.row_formats import LinesFormat

EXAMPLES = """
Examples:

  crawlhouse runs

  crawlhouse runs my_news --rows 50

  crawlhouse runs my_news --format jsonl
"""


def runs(
    crawl: Annotated[str | None, typer.Argument(metavar="[CRAWL]", help="Of this crawl; of all without it.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="How many runs of each crawl.")] = 10,
    form: Annotated[LinesFormat, typer.Option("--format", "-f", help="For people or for programs.")] = LinesFormat.TABLE,
) -> None:
    """List the last runs, newest first: their state, what they fetched, and why a run missed a threshold.

    fetching: open or being closed; missed: closed, but a threshold of the crawl was missed; closed: waits for its processing; published:
    its rows can be queried.
    """
    from crawlhouse.actions.runs import show_runs
    from schemas.config.settings import load_settings

    show_runs(load_settings(), crawl, rows, form)
