"""`crawlhouse quarantine`: look at rows that broke a rule, and decide what becomes of them."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from crawlhouse.output.row_formats import LinesFormat, ReportFormat

if TYPE_CHECKING:
    from processing.quarantine.selection import QuarantineFilter

LIST_EXAMPLES = """
Examples:

  crawlhouse quarantine list

  crawlhouse quarantine list --crawl shop --dataset products --rule type

  crawlhouse quarantine list --url 'https://shop.example/p/*' --format jsonl
"""
SHOW_EXAMPLES = """
Examples:

  crawlhouse quarantine show 3f0c6a52b1e94d07
"""
RELEASE_EXAMPLES = """
Examples:

  crawlhouse quarantine release 3f0c6a52b1e94d07 --reason "a voucher may cost less than nothing"

  crawlhouse quarantine release --crawl news --rule too_short --reason "news in brief"
"""
RETRY_EXAMPLES = """
Examples:

  crawlhouse quarantine retry --dataset products

  crawlhouse quarantine retry --crawl shop --rule type --reason "the selector is corrected"
"""
DROP_EXAMPLES = """
Examples:

  crawlhouse quarantine drop --dataset products --url 'https://shop.example/test/*' --reason "the shop's own tests"
"""
MAX_WHO_CHARACTERS = 200

app = typer.Typer(name="quarantine", help="Look at rows that broke a rule, and release, retry or drop them.", no_args_is_help=True)

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Rows, as `quarantine list` names them.")]
CrawlName = Annotated[str | None, typer.Option("--crawl", "-c", help="Of this crawl.")]
DatasetName = Annotated[str | None, typer.Option("--dataset", "-d", help="Of this dataset.")]
Rule = Annotated[str | None, typer.Option("--rule", help="That broke this rule: as listed, its part before a colon, or the reason.")]
Url = Annotated[str | None, typer.Option("--url", help="Of this page; * matches any text.")]
Run = Annotated[str | None, typer.Option("--run", help="Of this crawl run, or judged by this process run.")]
Why = Annotated[str, typer.Option("--reason", "-r", help="Why; stored with your name and the date.")]
Who = Annotated[str | None, typer.Option("--who", help="Who decides; the name of your login by default.")]


@app.command("list", epilog=LIST_EXAMPLES)
def list_rows(
    crawl: CrawlName = None,
    dataset: DatasetName = None,
    rule: Rule = None,
    url: Url = None,
    run: Run = None,
    rows: Annotated[int, typer.Option(min=0, help="How many rows to list; JSON lines list all by default.")] = 50,
    form: Annotated[LinesFormat, typer.Option("--format", "-f", help="For people or for programs.")] = LinesFormat.TABLE,
) -> None:
    """List the rows in quarantine, with the rule that each broke, and count them by dataset and rule."""
    from crawlhouse.actions.lake.quarantine import show_list
    from crawlhouse.existing_home import load_existing_home

    show_list(load_existing_home(), _filter(None, crawl, dataset, rule, url, run), rows, form)


@app.command(epilog=SHOW_EXAMPLES)
def show(
    row_id: Annotated[str, typer.Argument(metavar="ID", help="A row, as `quarantine list` names it.")],
    form: Annotated[ReportFormat, typer.Option("--format", "-f", help="For people or for programs.")] = ReportFormat.TABLE,
) -> None:
    """Show one row whole: its values, the rule that it broke, and where it is from."""
    from crawlhouse.actions.lake.quarantine import show_row
    from crawlhouse.existing_home import load_existing_home

    show_row(load_existing_home(), row_id, form)


@app.command(epilog=RELEASE_EXAMPLES)
def release(
    reason: Why,
    ids: Ids = None,
    crawl: CrawlName = None,
    dataset: DatasetName = None,
    rule: Rule = None,
    url: Url = None,
    run: Run = None,
    who: Who = None,
) -> None:
    """Publish rows as they are, in spite of the rule.

    A row with a value that does not fit its column cannot be released; the error names the field. What is released stays when its page is
    fetched again and has not changed.
    """
    from crawlhouse.actions.lake.quarantine import settle_rows
    from crawlhouse.existing_home import load_existing_home
    from schemas.runs import RunKind

    settle_rows(load_existing_home(), RunKind.RELEASE, _filter(ids, crawl, dataset, rule, url, run), _who(who), reason)


@app.command(epilog=RETRY_EXAMPLES)
def retry(
    ids: Ids = None,
    crawl: CrawlName = None,
    dataset: DatasetName = None,
    rule: Rule = None,
    url: Url = None,
    run: Run = None,
    reason: Why = "",
    who: Who = None,
) -> None:
    """Judge rows again by the crawl's file, the definitions and the expectations of today.

    Pages are read again from the archive where that may change a row. What still breaks a rule stays in quarantine.
    """
    from crawlhouse.actions.lake.quarantine import settle_rows
    from crawlhouse.existing_home import load_existing_home
    from schemas.runs import RunKind

    settle_rows(load_existing_home(), RunKind.RETRY, _filter(ids, crawl, dataset, rule, url, run), _who(who), reason)


@app.command(epilog=DROP_EXAMPLES)
def drop(
    reason: Why,
    ids: Ids = None,
    crawl: CrawlName = None,
    dataset: DatasetName = None,
    rule: Rule = None,
    url: Url = None,
    run: Run = None,
    who: Who = None,
) -> None:
    """Remove rows from quarantine for good. The pages stay in the archive, and `captures` says `dropped`."""
    from crawlhouse.actions.lake.quarantine import settle_rows
    from crawlhouse.existing_home import load_existing_home
    from schemas.runs import RunKind

    settle_rows(load_existing_home(), RunKind.DROP, _filter(ids, crawl, dataset, rule, url, run), _who(who), reason)


def _filter(
    ids: list[str] | None, crawl: str | None, dataset: str | None, rule: str | None, url: str | None, run: str | None
) -> QuarantineFilter:
    from processing.quarantine.selection import QuarantineFilter

    return QuarantineFilter(crawl, dataset, rule, url, run, frozenset(ids or ()))


def _who(given: str | None) -> str:
    return (given or getpass.getuser())[:MAX_WHO_CHARACTERS]
