"""Runs that were begun and never closed, and that nobody works on any more: their URLs would wait in them for ever."""

from __future__ import annotations

import logging
import time

from schemas.settings import Settings
from storage.frontier import Frontier, open_frontier
from storage.ledger import open_ledger

REASON = "abandoned"
SILENCE_SECONDS = 15.0  # without a lease and without a word from a worker; one that starts on a busy machine takes several
POLL_SECONDS = 0.5
LOG = logging.getLogger(__name__)


def abandoned_runs(crawl: str, key: str, settings: Settings) -> list[str]:
    """The unclosed runs of a crawl but that of this key, whose workers are gone; each is told to stop, so that none comes back.

    Waits for a run that was heard of just now. One whose workers hold hosts is left alone. None where the key has its run already.
    """
    ledger, frontier = open_ledger(settings), open_frontier(settings)
    try:
        unclosed = ledger.unclosed_runs(crawl)
        if any(run.key == key for run in ledger.crawl_runs(crawl)):
            return []
        abandoned = [run for run, seen_at in unclosed.items() if _is_silent(run, seen_at, frontier)]
        for run in abandoned:
            frontier.stop_run(run, REASON)
        return abandoned
    finally:
        frontier.close()
        ledger.close()


def _is_silent(crawl_run: str, seen_at: float, frontier: Frontier) -> bool:
    while not frontier.state(crawl_run).leased_hosts:
        if time.time() - seen_at > SILENCE_SECONDS:
            return True
        time.sleep(POLL_SECONDS)
    LOG.warning("%s is still at work: the URLs that wait in it stay there.", crawl_run)
    return False
