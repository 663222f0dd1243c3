"""`crawlhouse gate`: rows that broke a critical expectation, and what becomes of them."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from crawlhouse.output.row_formats import LinesFormat

LIST_EXAMPLES = """
Examples:

  crawlhouse gate list

  crawlhouse gate list --crawl shop --format jsonl
"""
ACCEPT_EXAMPLES = """
Examples:

  crawlhouse gate accept shop-20260301T120000Z-a1b2c3 --dataset products --reason "the sale is real"
"""
DISCARD_EXAMPLES = """
Examples:

  crawlhouse gate discard shop-20260301T120000Z-a1b2c3 --dataset products --reason "the shop's test prices"
"""

app = typer.Typer(name="gate", help="Show and decide what the gate holds back.", no_args_is_help=True)

CrawlRun = Annotated[str, typer.Argument(metavar="RUN", help="A crawl run, as `gate list` shows it.")]
DatasetName = Annotated[str | None, typer.Option("--dataset", "-d", help="Only this dataset; all that are held back by default.")]
Why = Annotated[str, typer.Option("--reason", "-r", help="Why; stored with your name and the date.")]
Who = Annotated[str | None, typer.Option("--who", help="Who decides; the name of your login by default.")]


@app.command("list", epilog=LIST_EXAMPLES)
def list_rows(
    crawl: Annotated[str | None, typer.Option("--crawl", "-c", help="Only what is held back of this crawl.")] = None,
    form: Annotated[LinesFormat, typer.Option("--format", "-f", help="For people or for programs.")] = LinesFormat.TABLE,
) -> None:
    """List the crawl runs whose rows of a dataset broke a critical expectation, with the reason and what was decided."""
    from crawlhouse.actions.lake.gate import show_held
    from crawlhouse.existing_home import load_existing_home

    show_held(load_existing_home(), crawl, form)


@app.command(epilog=ACCEPT_EXAMPLES)
def accept(crawl_run: CrawlRun, reason: Why, dataset: DatasetName = None, who: Who = None) -> None:
    """Publish rows that are held back, in spite of the expectations that they broke.

    The rows are made again from the archive. Rows that break an expectation of severity `warning` go to quarantine all the same. From then
    on the run counts as history for drift.
    """
    from crawlhouse.actions.lake.gate import accept_rows
    from crawlhouse.existing_home import load_existing_home

    accept_rows(load_existing_home(), crawl_run, dataset, who or getpass.getuser(), reason)


@app.command(epilog=DISCARD_EXAMPLES)
def discard(crawl_run: CrawlRun, reason: Why, dataset: DatasetName = None, who: Who = None) -> None:
    """Decide that rows that are held back are never published. The pages stay in the archive."""
    from crawlhouse.actions.lake.gate import discard_rows
    from crawlhouse.existing_home import load_existing_home

    discard_rows(load_existing_home(), crawl_run, dataset, who or getpass.getuser(), reason)
