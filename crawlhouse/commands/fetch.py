"""`crawlhouse fetch`: further workers for a run that is under way, from this machine."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from crawlhouse.output.console import progress_line, say, write_line
from schemas.errors import ConfigError, ConflictError, NotFoundError

if TYPE_CHECKING:
    from storage.ledger.ledger import Ledger

EXAMPLES = """
Examples:

  crawlhouse fetch --run my_news

  crawlhouse fetch --run my_news --workers 3

  crawlhouse fetch --run my_news-20260101T120000Z-0a1b2c --worker north1
"""
WORKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
MAX_WORKERS = 100


def fetch(
    reference: Annotated[str, typer.Option("--run", metavar="RUN|CRAWL", help="A crawl run, or a crawl, which means its open run.")],
    workers: Annotated[int, typer.Option(min=1, max=MAX_WORKERS, help="How many workers join, each a process.")] = 1,
    worker: Annotated[
        str | None, typer.Option(help="The worker's name, to go on as one that died; else a new name of this machine's.")
    ] = None,
) -> None:
    """Join a run that is under way with further workers, until it has no more to fetch.

    Works from every machine that shares the database and the store; a run on SQLite can be joined from its own machine only. Hosts are
    shared out among all workers, so that further ones help where there are many hosts. Closing the run stays with who began it. A name that
    a living worker has takes its hosts away from it.
    """
    from crawlhouse.commands.crawl import worker_log
    from schemas.config.settings import load_settings, make_home
    from spiders.progress import ProgressLine
    from spiders.run import fetch_all
    from storage.ledger.ledger import open_ledger

    names = _names(worker, workers)
    settings = load_settings()
    ledger = open_ledger(settings)
    try:
        crawl_run = open_run(ledger, reference)
    finally:
        ledger.close()
    make_home(settings)
    say(f"{', '.join(names)}: fetching for {crawl_run}.")
    line = ProgressLine()
    with worker_log(settings, f"fetch-{names[0]}") as log, progress_line() as tell:
        told = fetch_all(crawl_run, names, settings, lambda state: tell(line.text(state)), log)
    for statistics in told:
        write_line(f"{statistics.worker}: {statistics.text()}")


def open_run(ledger: Ledger, reference: str) -> str:
    """The one open run that is meant. Raises NotFoundError for an unknown name, ConflictError where none or several are open."""
    named = [run.crawl_run for run in ledger.crawl_runs() if reference in {run.crawl_run, run.crawl.name}]
    if not named:
        raise NotFoundError(f"There is no crawl run and no crawl {reference!r}. `crawlhouse frontier list` shows the crawls.")
    still_open = [run.crawl_run for run in ledger.crawl_runs(state="open") if run.crawl_run in named]
    if not still_open:
        raise ConflictError(f"{reference} has no open run to join. `crawlhouse crawl` or the crawl's DAG begins one.")
    if len(still_open) > 1:
        raise ConflictError(f"{reference} has several open runs; name one of them: {', '.join(still_open)}.")
    return still_open[0]


def _names(worker: str | None, workers: int) -> list[str]:
    if worker is None:
        machine = re.sub(r"[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")[:20] or "machine"
        return [f"{machine}-{os.getpid()}-{number}" for number in range(1, workers + 1)]
    if workers > 1:
        raise ConfigError("--worker names one worker; leave out --workers, or the name.")
    if not WORKER.fullmatch(worker):
        raise ConfigError(f"{worker!r} is no worker's name: letters, digits, '.', '_' and '-', 40 at most.")
    return [worker]
