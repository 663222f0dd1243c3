"""`crawlhouse gate`: rows that broke a critical expectation, and what becomes of them."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from crawlhouse.output.console import say, show, table, write_json
from crawlhouse.output.row_formats import ReportFormat

LIST_EXAMPLES = """
Examples:

  crawlhouse gate list

  crawlhouse gate list --crawl shop --format json
"""
DISCARD_EXAMPLES = """
Examples:

  crawlhouse gate discard shop-20260301T120000Z-a1b2c3 --dataset products --reason "the shop's test prices"
"""

app = typer.Typer(name="gate", help="Show and decide what the gate holds back.", no_args_is_help=True)


@app.command("list", epilog=LIST_EXAMPLES)
def list_rows(
    crawl: Annotated[str | None, typer.Option("--crawl", "-c", help="Only what is held back of this crawl.")] = None,
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
) -> None:
    """List the crawl runs whose rows of a dataset broke a critical expectation, with the reason and what was decided."""
    from schemas.config.settings import load_settings
    from storage.ledger.held import list_held
    from storage.ledger.ledger import open_ledger

    ledger = open_ledger(load_settings())
    try:
        held = list_held(ledger.database, crawl)
    finally:
        ledger.close()
    if form is ReportFormat.JSON:
        write_json([_plain(asdict(one)) for one in held])
    elif not held:
        say("Nothing is held back.")
    else:
        rows = [(one.crawl_run, one.dataset, one.decision or "waits", one.decision_reason or one.reason) for one in held]
        show(table("", ("crawl run", "dataset", "decision", "why"), rows))


@app.command(epilog=DISCARD_EXAMPLES)
def discard(
    crawl_run: Annotated[str, typer.Argument(metavar="RUN", help="A crawl run, as `gate list` shows it.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; stored with your name and the date.")],
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="Only this dataset; all that are held back by default.")] = None,
) -> None:
    """Decide that rows that are held back are never published. The pages stay in the archive."""
    from schemas.config.settings import load_settings
    from storage.ledger.held import discard_held
    from storage.ledger.ledger import open_ledger

    ledger = open_ledger(load_settings())
    try:
        count = discard_held(ledger.database, crawl_run, dataset, getpass.getuser(), reason)
    finally:
        ledger.close()
    say(f"The rows of {count} dataset(s) of {crawl_run} are discarded.")


def _plain(values: dict[str, Any]) -> dict[str, Any]:  # Any: a text or a time
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
