"""What `crawlhouse stop` does: ask open runs to end, wait for their workers, and close what has no worker."""

from __future__ import annotations

import time

from crawlhouse.actions.runs import runs_of
from crawlhouse.output.console import say
from schemas.config.settings import Settings
from schemas.errors import ConflictError, ThresholdError
from storage.frontier.frontier import Frontier, open_frontier
from storage.ledger.ledger import Ledger, open_ledger

REASON = "stopped"
POLL_SECONDS = 0.5
NO_WORKER_SECONDS = 5.0  # so long no host is leased before the run is closed from here: a worker that starts leases one within a second


def stop_runs(settings: Settings, reference: str, *, wait: bool, seconds: int) -> None:
    """Ask the open runs of a name to end, and wait up to `seconds` seconds. Raises NotFoundError, ConflictError."""
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
    """The open runs of a name, which is a run's or a crawl's. Raises NotFoundError, ConflictError."""
    still_open = [run for run in runs_of(ledger, reference) if not _closed(ledger, run)]
    if not still_open:
        raise ConflictError(f"{reference} has no open run: there is nothing to stop.")
    return still_open


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
    from spiders.run import close

    try:
        close(crawl_run, settings)
    except ThresholdError as error:  # the run is closed all the same
        say(str(error))
