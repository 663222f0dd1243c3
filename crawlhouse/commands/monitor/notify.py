"""`crawlhouse notify`: what is wrong with crawls, who is told, and whether a channel works."""

from __future__ import annotations

from typing import Annotated

import typer

from crawlhouse.output.row_formats import LinesFormat

LIST_EXAMPLES = """
Examples:

  crawlhouse notify list

  crawlhouse notify list my_news --format json
"""
WATCH_EXAMPLES = """
Examples:

  crawlhouse notify watch

  */10 * * * * crawlhouse notify watch
"""
TEST_EXAMPLES = """
Examples:

  CRAWLHOUSE_NOTIFY_OPS="mailto://user:password@mail.example.com?to=me@example.com" crawlhouse notify test ops

  CRAWLHOUSE_NOTIFY_HOOK="json://127.0.0.1:8000/crawls" crawlhouse notify test hook
"""

app = typer.Typer(name="notify", help="Show what is wrong with crawls, and tell the channels of `notify:`.", no_args_is_help=True)


@app.command("list", epilog=LIST_EXAMPLES)
def list_alarms(
    crawl: Annotated[str | None, typer.Argument(metavar="[CRAWL]", help="Of this crawl; of all without it.")] = None,
    form: Annotated[LinesFormat, typer.Option("--format", "-f", help="For people or for programs.")] = LinesFormat.TABLE,
) -> None:
    """List what is wrong with crawls now. Nothing is told."""
    from crawlhouse.actions.monitor.notify import show_alarms
    from schemas.config.settings import load_settings

    show_alarms(load_settings(), crawl, form)


@app.command(epilog=WATCH_EXAMPLES)
def watch() -> None:
    """Look at every crawl once, and tell its channels what changed since the last time.

    In Airflow the DAG watch_crawls does this every ten minutes. Each change is told once to each channel. Exit code 4 if a channel did not
    take a message; the next watch tries again.
    """
    from crawlhouse.actions.monitor.notify import watch_once
    from schemas.config.settings import load_settings

    watch_once(load_settings())


@app.command(epilog=TEST_EXAMPLES)
def test(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="As `notify:` of a crawl file names it.")],
) -> None:
    """Send a test message to a channel. The variable CRAWLHOUSE_NOTIFY_CHANNEL has its address, a URL of Apprise."""
    from crawlhouse.actions.monitor.notify import send_test

    send_test(channel)
