"""`crawlhouse fetch`: further workers for an open run, from this machine."""

from __future__ import annotations

from typing import Annotated

import typer

EXAMPLES = """
Examples:

  crawlhouse fetch --run my_news

  crawlhouse fetch --run my_news --workers 3

  crawlhouse fetch --run my_news-20260101T120000Z-0a1b2c --worker north1
"""
MAX_WORKERS = 100  # as many as `workers` of a crawl file allows


def fetch(
    reference: Annotated[str, typer.Option("--run", metavar="RUN|CRAWL", help="A crawl run, or a crawl, which means its open run.")],
    workers: Annotated[int, typer.Option(min=1, max=MAX_WORKERS, help="How many workers join, each a process.")] = 1,
    worker: Annotated[str | None, typer.Option(help="The name of a crashed worker, to continue its work. By default, a new name.")] = None,
) -> None:
    """Join an open run with further workers, until it has nothing left to fetch.

    It works from every machine that shares the database and the store. A run on SQLite can be joined from its own machine only. All workers
    share the hosts, so more workers help if there are many hosts. The command that began the run closes it. If a worker of
    the given name is still running, it loses its hosts to the new one.
    """
    from crawlhouse.actions.fetch import join_run
    from crawlhouse.existing_home import load_existing_home

    join_run(load_existing_home(), reference, worker, workers)
