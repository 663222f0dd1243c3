"""`crawlhouse stop`: the clean end of a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from crawlhouse.output.console import say
from schemas.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from schemas.config.settings import Settings
    from storage.frontier.frontier import Frontier
    from storage.ledger.ledger import Ledger

EXAMPLES = """
Examples:

  crawlhouse stop my_news

  crawlhouse stop my_news-20260101T120000Z-0a1b2c

  crawlhouse stop my_news --no-wait
"""
REASON = "stopped"
POLL_SECONDS = 0.5
NO_WORKER_SECONDS = 5.0  # for which nobody may hold a host before the run is closed from here


def stop(
    reference: Annotated[str, typer.Argument(metavar="RUN|CRAWL", help="A crawl run, or a crawl, which means its open runs.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the run is closed.")] = True,
    seconds: Annotated[int, typer.Option(min=1, help="How long to wait at most.")] = 90,
) -> None:
    """End a run cleanly: its workers register what they have and leave, the run closes, and the rest is left over for the next one.

    Workers notice within seconds, on every machine. A run whose workers are dead is closed from here, once their leases have expired.
    """
    from schemas.config.settings import load_settings
    from storage.frontier.frontier import open_frontier
    from storage.ledger.ledger import open_ledger

    settings = load_settings()
    frontier, ledger = open_frontier(settings), open_ledger(settings)
    try:
        runs = _open_runs(ledger, reference)
        for run in runs:
            frontier.stop_run(run, REASON)
            say(f"{run} is asked to stop.")
        for run in runs if wait else []:
            _wait_until_closed(run, frontier, ledger, settings, time.monotonic() + seconds)
    finally:
        frontier.close()
        ledger.close()


def _open_runs(ledger: Ledger, reference: str) -> list[str]:
    """The open runs that are meant. Raises NotFoundError, ConflictError."""
    runs = [run for run in ledger.crawl_runs() if reference in {run.crawl_run, run.crawl.name}]
    if not runs:
        raise NotFoundError(f"There is no crawl run and no crawl {reference!r}. `crawlhouse frontier list` shows the crawls.")
    chosen = [run.crawl_run for run in runs if not _closed(ledger, run.crawl_run)]
    if not chosen:
        raise ConflictError(f"{reference} has no open run: nothing is to be stopped.")
    return chosen


def _closed(ledger: Ledger, crawl_run: str) -> bool:
    try:
        ledger.manifest(crawl_run)
    except ConflictError:
        return False
    return True


def _wait_until_closed(crawl_run: str, frontier: Frontier, ledger: Ledger, settings: Settings, deadline: float) -> None:
    idle_since = time.monotonic()
    while not _closed(ledger, crawl_run):
        now = time.monotonic()
        if frontier.state(crawl_run).leased_hosts:
            idle_since = now
        elif now - idle_since > NO_WORKER_SECONDS:
            _close(crawl_run, settings)
            break
        if now > deadline:
            raise ConflictError(f"{crawl_run} still has workers. They will stop; look again with `crawlhouse stop {crawl_run}`.")
        time.sleep(POLL_SECONDS)
    manifest = ledger.manifest(crawl_run)
    counts = manifest.counts
    say(f"{crawl_run} is closed ({manifest.finish_reason}): {counts.fetched:,} fetched, {counts.left_over:,} of {counts.due:,} left over.")


def _close(crawl_run: str, settings: Settings) -> None:
    from schemas.errors import ThresholdError
    from spiders.run import close

    try:
        close(crawl_run, settings)
    except ThresholdError as missed:  # the run is closed all the same
        say(str(missed))
