"""`crawlhouse takedown`: what is never fetched again, and no longer shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from crawlhouse.output.console import say, show, write_json
from crawlhouse.output.row_formats import ReportFormat

ADD_EXAMPLES = """
Examples:

  crawlhouse takedown add https://example.com/story --reason "letter of the author"

  crawlhouse takedown add 'https://example.com/people/*'

  crawlhouse takedown add example.org '*.example.net'
"""
LIST_EXAMPLES = """
Examples:

  crawlhouse takedown list

  crawlhouse takedown list --format json
"""
REMOVE_EXAMPLES = """
Examples:

  crawlhouse takedown remove https://example.com/story
"""
ENTRY = "A URL, a URL with * at its end, a host, or *.HOST for it and everything under it. Quote the *."

app = typer.Typer(name="takedown", help="Say what is never fetched again, and no longer shown.", no_args_is_help=True)
Entries = Annotated[list[str], typer.Argument(metavar="ENTRY...", help=ENTRY)]


@app.command(epilog=ADD_EXAMPLES)
def add(
    entries: Entries,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Who asked for it, or why: kept beside the entry, with the date.")] = "",
) -> None:
    """Take URLs down: workers leave them alone within half a minute, and queries no longer show their rows.

    The stored captures and the tables' files keep what they have; docs/operations.md says how to delete it.
    """
    from schemas.config.settings import load_settings, make_home
    from storage.lake.takedown import add_takedowns
    from storage.objects.open import open_store

    settings = load_settings()
    make_home(settings)
    fresh = add_takedowns(settings, open_store(settings), entries, f"{datetime.now(UTC):%Y-%m-%d} {reason}")
    known = f" {len(set(entries)) - fresh} stood there already." if fresh < len(set(entries)) else ""
    say(f"{fresh} added to the takedown list.{known}")


@app.command("list", epilog=LIST_EXAMPLES)
def list_entries(
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
) -> None:
    """List what is taken down, with the dates and reasons."""
    from rich.table import Table

    from schemas.config.settings import load_settings
    from storage.lake.takedown import read_entries
    from storage.objects.open import open_store

    entries = read_entries(open_store(load_settings()))
    if form is ReportFormat.JSON:
        write_json([{"entry": entry, "reason": reason} for entry, reason in entries])
        return
    if not entries:
        say("Nothing is taken down.")
        return
    table = Table("entry", "since, and why", box=None, pad_edge=False)
    for entry, reason in entries:
        table.add_row(entry, reason)
    show(table)


@app.command(epilog=REMOVE_EXAMPLES)
def remove(entries: Entries) -> None:
    """Take entries off the list, as `list` shows them: their URLs may be fetched again, and what is stored of them is shown again."""
    from schemas.config.settings import load_settings
    from storage.lake.takedown import remove_takedown
    from storage.objects.open import open_store

    settings = load_settings()
    store = open_store(settings)
    for entry in entries:
        remove_takedown(settings, store, entry)
        say(f"{entry} is no longer taken down.")
