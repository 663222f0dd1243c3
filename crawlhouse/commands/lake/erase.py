"""`crawlhouse erase`: what is stored of URLs is deleted for good."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from crawlhouse.output.row_formats import ReportFormat

EXAMPLES = """
Examples:

  crawlhouse erase https://example.com/story --reason "letter of the author" --dry-run

  crawlhouse erase https://example.com/story --reason "letter of the author"

  crawlhouse erase --pattern 'https://example.com/people/*' --reason "the site asked for it" --yes

  crawlhouse erase --host example.org --host '*.example.net' --reason "the site asked for it"
"""
MAX_WHO_CHARACTERS = 200

Urls = Annotated[list[str] | None, typer.Argument(metavar="URL...", help="Pages to erase.")]
Hosts = Annotated[list[str] | None, typer.Option("--host", metavar="HOST", help="A host, or *.HOST for it and everything under it.")]
Patterns = Annotated[list[str] | None, typer.Option("--pattern", metavar="URL*", help="All URLs that begin so; the * is at the end.")]


def erase(  # noqa: PLR0913, PLR0917 each is an option of the command
    urls: Urls = None,
    host: Hosts = None,
    pattern: Patterns = None,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Who asked for it, or why; it is stored.")] = "",
    who: Annotated[str | None, typer.Option("--who", help="Who decides; the name of your login by default.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only: erase nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    grace: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Time for queries that have begun, before files go.")] = 10.0,
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
) -> None:
    """Erase pages: their rows in all versions and snapshots, their records in the archive, and what else is stored of them.

    It cannot be undone. The URLs go on the takedown list, so that they are never fetched again. Each record of the archive is replaced by
    one of the same length that says so. The row of a capture stays as `rejected: erased`, without URL and digest, so that sums hold. Every
    snapshot that had one of the rows goes, so `query --as-of` before it is an error.

    The receipt says what was erased where, and names the copies that are not crawlhouse's, such as backups. It is stored in `erasures/`.
    After an interruption the same command goes on. Without --reason nothing is erased.
    """
    from crawlhouse.actions.lake.erase import EraseWishes, entries_of, run_erase
    from schemas.config.settings import load_settings

    wishes = EraseWishes((who or getpass.getuser())[:MAX_WHO_CHARACTERS], reason, grace, dry_run, yes, form)
    run_erase(entries_of(urls or [], host or [], pattern or []), wishes, load_settings())
