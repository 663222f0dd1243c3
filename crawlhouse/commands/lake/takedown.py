"""`crawlhouse takedown`: URLs that are never fetched again and no longer shown."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer

from crawlhouse.output.console import say, show, table, write_json
from crawlhouse.output.row_formats import LinesFormat

ADD_EXAMPLES = """
Examples:

  crawlhouse takedown add https://example.com/story --reason "letter of the author"

  crawlhouse takedown add 'https://example.com/people/*'

  crawlhouse takedown add example.org '*.example.net'

  crawlhouse takedown add https://example.com/story --reason "letter of the author" --erase
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
GRACE_SECONDS = 10.0  # for queries that have begun, before files go
ENTRY = "A URL, a URL with * at its end, a host, or *.HOST for it and everything under it. Quote the *."

app = typer.Typer(name="takedown", help="Name URLs that are never fetched again and no longer shown.", no_args_is_help=True)
Entries = Annotated[list[str], typer.Argument(metavar="ENTRY...", help=ENTRY)]


@app.command(epilog=ADD_EXAMPLES)
def add(
    entries: Entries,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Who asked for it, or why; stored with the entry and the date.")] = "",
    erase: Annotated[bool, typer.Option("--erase", help="Erase what is stored of them too, as `crawlhouse erase` does.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before erasing.")] = False,
) -> None:
    """Take URLs down: within half a minute no worker fetches them any more, and queries no longer show their rows.

    The stored captures and the files of the tables stay as they are, unless --erase is given: that cannot be undone.
    """
    if erase:
        from crawlhouse.actions.lake.erase import EraseWishes, run_erase
        from schemas.config.settings import load_settings as load

        run_erase(entries, EraseWishes(getpass.getuser(), reason, GRACE_SECONDS, confirmed=yes), load())
        return
    from schemas.config.settings import load_settings, make_home
    from storage.lake.reader.lake_file import refresh_lake_file
    from storage.lake.takedown import add_takedowns
    from storage.objects.open import open_store

    settings = load_settings()
    make_home(settings)
    added = add_takedowns(settings, open_store(settings), entries, f"{datetime.now(UTC):%Y-%m-%d} {reason}")
    refresh_lake_file(settings)
    known = len(set(entries)) - added
    say(f"{added} added to the takedown list.{f' {known} on it already.' if known else ''}")


@app.command("list", epilog=LIST_EXAMPLES)
def list_entries(
    form: Annotated[LinesFormat, typer.Option("--format", "-f", help="For people or for programs.")] = LinesFormat.TABLE,
) -> None:
    """List what is taken down, with dates and reasons."""
    from schemas.config.settings import load_settings
    from storage.lake.takedown import read_entries
    from storage.objects.open import open_store

    entries = read_entries(open_store(load_settings()))
    found = [{"entry": entry, "reason": reason} for entry, reason in entries]
    if form is not LinesFormat.TABLE:
        for one in found if form is LinesFormat.JSONL else [found]:
            write_json(one)
        return
    if not entries:
        say("Nothing is taken down.")
        return
    show(table("", ("entry", "since, and why"), entries))


@app.command(epilog=REMOVE_EXAMPLES)
def remove(entries: Entries) -> None:
    """Remove entries, as `list` shows them. Their URLs may be fetched again, and their stored rows are shown again."""
    from schemas.config.settings import load_settings
    from storage.lake.reader.lake_file import refresh_lake_file
    from storage.lake.takedown import remove_takedown
    from storage.objects.open import open_store

    settings = load_settings()
    store = open_store(settings)
    for entry in entries:
        remove_takedown(settings, store, entry)
        say(f"{entry} is no longer taken down.")
    refresh_lake_file(settings)
