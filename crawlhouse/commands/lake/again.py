"""`crawlhouse reprocess` and `crawlhouse rollback`: rows that are published are made again, or taken out."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from crawlhouse.output.row_formats import ReportFormat

REPROCESS_EXAMPLES = """
Examples:

  crawlhouse reprocess my_news --dry-run

  crawlhouse reprocess my_news --since 2026-03-01 --yes

  crawlhouse reprocess shop --dataset products --run shop-20260301T120000Z-a1b2c3

  crawlhouse reprocess shop --url 'https://shop.example/p/*'

  crawlhouse reprocess shop --quarantined
"""
ROLLBACK_EXAMPLES = """
Examples:

  crawlhouse rollback shop-20260301T120000Z-a1b2c3 --reason "the shop showed test prices"

  crawlhouse gate accept shop-20260301T120000Z-a1b2c3 --reason "they were real"
"""
MAX_WHO_CHARACTERS = 200


def reprocess(  # noqa: PLR0913, PLR0917 each is an option of the command
    crawl: Annotated[str, typer.Argument(metavar="CRAWL", help="A crawl's name, or the path of its file.")],
    run: Annotated[str | None, typer.Option("--run", metavar="RUN", help="Only this crawl run, or those of a process run.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Only crawl runs planned since then, like 2026-03-01 or 2026-03-01T12:00.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", "-u", help="Only captures of this page; * matches any text.")] = None,
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Only captures with a row in quarantine.")] = False,
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="Only the rows of this dataset.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare only: publish nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    stored_items: Annotated[
        bool, typer.Option("--stored-items", help="Take a spider's items as they are stored, without calling it again.")
    ] = False,
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
) -> None:
    """Make the rows of stored captures again, by the code, the crawl's file and the definitions of today. Nothing is fetched.

    Without a selection it takes every published run of the crawl. First it compares: how many rows are added, lost and changed, in which
    fields, ten of them side by side, and what the expectations say. On a terminal it then asks. The new rows take the place of the old
    ones in one commit for each portion of the history; a reader sees one or the other, never both. `query --as-of` shows the old ones as
    long as their snapshots are kept.

    A row that is made again keeps its version's number. Rows that were released from quarantine by hand, or dropped, are judged again.
    After an interruption the same command goes on; what today's code and rules have made again already is left out.
    """
    from crawlhouse.actions.lake.reprocess import Wishes, run_reprocess, selected
    from crawlhouse.existing_home import load_existing_home

    wishes = Wishes(dry_run=dry_run, confirmed=yes, stored_items=stored_items, form=form)
    run_reprocess(crawl, selected(run, since, url, dataset, quarantined=quarantined), wishes, load_existing_home())


def rollback(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A crawl run; or a process run, for all of its crawl runs.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; stored with your name and the date.")],
    who: Annotated[str | None, typer.Option("--who", help="Who decides; the name of your login by default.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    for_good: Annotated[bool, typer.Option("--for-good", help="Also if its segments are removed, so that no row can come back.")] = False,
) -> None:
    """Take the rows of a published crawl run out of every table, as if it had not been published.

    Rows of other runs stay, and versions keep their numbers, so that numbers may be missing. The site memory is made again without the
    run's pages. The run is held: `crawlhouse reprocess` makes its rows again by today's rules, `crawlhouse gate accept` publishes them,
    `crawlhouse gate discard` leaves them out for good. The archive is not changed. A run whose segments are removed (`retention`) is
    refused, because nothing could make its rows again.
    """
    from crawlhouse.actions.lake.rollback import run_rollback
    from crawlhouse.existing_home import load_existing_home

    run_rollback(load_existing_home(), run, (who or getpass.getuser())[:MAX_WHO_CHARACTERS], reason, confirmed=yes, for_good=for_good)
