"""`crawlhouse frontier`: looking at the frontier and steering it by hand."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from dataclasses import asdict, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from crawlhouse.output.console import counts_table, say, show, write_json
from crawlhouse.output.row_formats import csv_value
from schemas.errors import ConfigError
from schemas.outcomes import FetchOutcome, Reason
from storage.frontier.admin.selection import Change, Selection, UrlState

if TYPE_CHECKING:
    from storage.frontier.admin.changes import UrlRow

LIST_EXAMPLES = """
Examples:

  crawlhouse frontier list

  crawlhouse frontier list --crawl my_news --state waiting --host example.com

  crawlhouse frontier list --outcome failed --reason timeout --format csv > timeouts.csv
"""
CHANGE_EXAMPLES = """
Examples:

  crawlhouse frontier retry --crawl my_news --outcome failed

  crawlhouse frontier drop --glob 'https://example.com/calendar/*'

  crawlhouse frontier pause --host example.com

  crawlhouse frontier resume --host example.com
"""
TIME_COLUMNS = ("due_at", "last_fetch")

app = typer.Typer(name="frontier", help="Look at the frontier, and steer it by hand, also while workers run.", no_args_is_help=True)


class ListFormat(StrEnum):
    """How URLs are listed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


CrawlName = Annotated[str | None, typer.Option("--crawl", "-c", help="Of this crawl.")]
Host = Annotated[str | None, typer.Option("--host", help="Of this host; with its port where that is not the scheme's own.")]
Glob = Annotated[str | None, typer.Option("--glob", help="Whole URLs like this; * and ? stand for anything.")]
Regex = Annotated[str | None, typer.Option("--regex", help="URLs in which this regular expression is found.")]
State = Annotated[UrlState | None, typer.Option("--state", help="Which are in this state.")]
Outcome = Annotated[FetchOutcome | None, typer.Option("--outcome", help="Whose last visit ended so.")]
Why = Annotated[Reason | None, typer.Option("--reason", help="Whose last visit ended so for this reason.")]
Form = Annotated[ListFormat, typer.Option("--format", "-f", help="For people or for programs.")]


@app.command("list", epilog=LIST_EXAMPLES)
def list_urls(  # noqa: PLR0913, PLR0917 the options of a command
    crawl: CrawlName = None,
    host: Host = None,
    glob: Glob = None,
    regex: Regex = None,
    state: State = None,
    outcome: Outcome = None,
    reason: Why = None,
    rows: Annotated[int, typer.Option(min=0, help="How many URLs to list; the counts are always of all.")] = 50,
    form: Form = ListFormat.TABLE,
) -> None:
    """List URLs of the frontier, with counts by state.

    waiting: in an open run; due: for the next run; scheduled: for a later one; finished: never again; paused and dropped: by hand.
    """
    from schemas.config.settings import load_settings
    from storage.frontier.admin.changes import open_steering

    selection = Selection(crawl, host, glob, regex, state, outcome, reason)
    steering = open_steering(load_settings())
    counts = steering.counts(selection)
    found = steering.urls(selection, rows) if rows else []
    if form is ListFormat.CSV:
        _write_csv(found)
    elif form is ListFormat.JSON:
        listed = [{"crawl": crawl, "state": state, "urls": number} for (crawl, state), number in counts.items()]
        write_json({"counts": listed, "urls": [url_row_json(row) for row in found]})
    else:
        _show(found, counts)


def _add_change_command(change: Change, text: str, said: str) -> None:
    """Adds the command that makes one change to the selected URLs."""

    def command(
        crawl: CrawlName = None,
        host: Host = None,
        glob: Glob = None,
        regex: Regex = None,
        state: State = None,
        outcome: Outcome = None,
        reason: Why = None,
    ) -> None:
        count = _change(change, Selection(crawl, host, glob, regex, state, outcome, reason))
        say(f"{count:,} URLs {said}")

    app.command(change.value, help=text, epilog=CHANGE_EXAMPLES)(command)


_add_change_command(
    Change.RETRY,
    """Make URLs due at once, dropped and paused ones too: the crawl's next run takes them.

    What waits in an open run is left as it is.""",
    "are due; the next run takes them.",
)
_add_change_command(
    Change.DROP,
    """Never fetch these URLs again, also when they are found anew.

    In an open run their workers mark them as filtered, for the reason 'dropped'; what a worker has in hand may still be fetched once.
    To keep out what is like them but not found yet, use scope.exclude in the crawl's file.""",
    "dropped. `crawlhouse frontier retry` takes them back.",
)
_add_change_command(
    Change.PAUSE,
    """Hold URLs back until they are resumed.

    In an open run their workers mark them as filtered, for the reason 'paused'; what a worker has in hand may still be fetched once.""",
    "paused. `crawlhouse frontier resume` lets them go; what is found from now on is not paused.",
)
_add_change_command(Change.RESUME, "Let paused URLs go: each is due when it was.", "resumed.")


def url_row_json(row: UrlRow) -> dict[str, object]:
    """A URL with its moments in ISO 8601."""
    return {name: iso_time(value) if name in TIME_COLUMNS else value for name, value in asdict(row).items()}


def iso_time(seconds: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601, UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def request_text(url: str, request: str) -> str:
    """A URL, before it how it is asked for where that is no GET, and after it what is sent."""
    method, _, body = request.partition(" ")
    return url if method == "GET" else f"{method} {url} {body}".rstrip()


def _change(change: Change, selection: Selection) -> int:
    from schemas.config.settings import load_settings
    from storage.frontier.admin.changes import open_steering

    if selection.is_everything():
        raise ConfigError("Say which URLs: by --crawl, --host, --glob, --regex, --state, --outcome or --reason. `--glob '*'` means all.")
    return open_steering(load_settings()).change(selection, change)


def _write_csv(rows: list[UrlRow]) -> None:
    from storage.frontier.admin.changes import UrlRow

    writer = csv.DictWriter(sys.stdout, [field.name for field in fields(UrlRow)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: csv_value(value) for name, value in url_row_json(row).items()} for row in rows)


def _show(rows: list[UrlRow], counts: dict[tuple[str, str], int]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("state", "URL", "crawl", "due", "last visit", "ended"):
        table.add_column(name, overflow="fold" if name == "URL" else "ellipsis", no_wrap=name != "URL")
    for row in rows:
        ended = " ".join(str(part) for part in (row.last_outcome, row.last_reason, row.last_status) if part is not None)
        table.add_row(row.state, request_text(row.url, row.request), row.crawl, _minute(row.due_at), _minute(row.last_fetch), ended)
    if rows:
        show(table)
    by_state: Counter[str] = Counter()
    for (_, state), number in counts.items():
        by_state[state] += number
    total = sum(by_state.values())
    show(counts_table(f"{total:,} URLs", {state.value: by_state[state] for state in UrlState if by_state[state]}))
    if len(rows) < total:
        say(f"The first {len(rows)} URLs. More with --rows N.")


def _minute(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"
