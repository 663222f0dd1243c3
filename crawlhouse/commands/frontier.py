"""`crawlhouse frontier`: list the URLs of the frontier and change their state."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlhouse.output.console import say
from crawlhouse.output.row_formats import ListFormat
from schemas.errors import ConfigError
from schemas.numbers import plural
from schemas.outcomes import FetchOutcome, Reason
from storage.frontier.admin.selection import Change, Selection, UrlState

LIST_EXAMPLES = """
Examples:

  crawlhouse frontier list

  crawlhouse frontier list my_news --state waiting --host example.com

  crawlhouse frontier list --outcome failed --reason timeout --format csv > timeouts.csv
"""
CHANGE_EXAMPLES = """
Examples:

  crawlhouse frontier retry my_news --outcome failed

  crawlhouse frontier drop --glob 'https://example.com/calendar/*'

  crawlhouse frontier pause --host example.com

  crawlhouse frontier resume --host example.com
"""
app = typer.Typer(name="frontier", help="List URLs of the frontier and change their state, also while workers run.", no_args_is_help=True)


Name = Annotated[str | None, typer.Argument(metavar="[CRAWL]", help="Of this crawl; the same as --crawl.")]
CrawlName = Annotated[str | None, typer.Option("--crawl", "-c", help="Of this crawl.")]
Host = Annotated[str | None, typer.Option("--host", help="Of this host; with its port if that is not the scheme's default.")]
Glob = Annotated[str | None, typer.Option("--glob", help="Whole URLs like this; * matches any text, ? any one character.")]
Regex = Annotated[str | None, typer.Option("--regex", help="URLs in which this regular expression is found.")]
State = Annotated[UrlState | None, typer.Option("--state", help="Which are in this state.")]
Outcome = Annotated[FetchOutcome | None, typer.Option("--outcome", help="Whose last visit ended so.")]
Why = Annotated[
    Reason | None,
    typer.Option("--reason", metavar="<reason>", help="Whose last visit ended for this reason, such as timeout; docs/reasons.md has all."),
]
Form = Annotated[ListFormat, typer.Option("--format", "-f", help="For people or for programs.")]


@app.command("list", epilog=LIST_EXAMPLES)
def list_urls(  # noqa: PLR0913, PLR0917 the options of a command
    name: Name = None,
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
    from crawlhouse.actions.frontier import show_urls
    from crawlhouse.existing_home import load_existing_home

    show_urls(load_existing_home(), Selection(_one_of(name, crawl), host, glob, regex, state, outcome, reason), rows, form)


def _one_of(name: str | None, crawl: str | None) -> str | None:
    """The crawl, which may be named with or without --crawl. Raises ConfigError if these are two."""
    if name and crawl and name != crawl:
        raise ConfigError(f"Two crawls are named: {name} and {crawl}. Name one.")
    return name or crawl


def _add_change_command(change: Change, text: str, done: str) -> None:
    """Add the command that makes one change to the selected URLs."""

    def command(
        name: Name = None,
        crawl: CrawlName = None,
        host: Host = None,
        glob: Glob = None,
        regex: Regex = None,
        state: State = None,
        outcome: Outcome = None,
        reason: Why = None,
    ) -> None:
        from crawlhouse.actions.frontier import change_urls
        from crawlhouse.existing_home import load_existing_home

        count = change_urls(load_existing_home(), change, Selection(_one_of(name, crawl), host, glob, regex, state, outcome, reason))
        say(f"{plural(count, 'URL')} {done}")

    app.command(change.value, help=text, epilog=CHANGE_EXAMPLES)(command)


_add_change_command(
    Change.RETRY,
    """Make URLs due now, also dropped and paused ones. The crawl's next run takes them.

    URLs that wait in an open run are not changed.""",
    "due for the next run.",
)
_add_change_command(
    Change.DROP,
    """Never fetch these URLs again, even if they are found again.

    In an open run their workers mark them as filtered, for the reason 'dropped'. URLs that a worker has already taken may be fetched once
    more. To exclude similar URLs that are not found yet, use scope.exclude in the crawl's file.""",
    "dropped. `crawlhouse frontier retry` takes that back.",
)
_add_change_command(
    Change.PAUSE,
    """Do not fetch these URLs until they are resumed.

    In an open run their workers mark them as filtered, for the reason 'paused'. URLs that a worker has already taken may be fetched once
    more.""",
    "paused. `crawlhouse frontier resume` ends the pause; URLs that are found from now on are not paused.",
)
_add_change_command(Change.RESUME, "Resume paused URLs: each is due at the time that it had.", "resumed.")
