"""Runs that were never closed and that no worker works on any more. Their URLs would wait for ever."""

from __future__ import annotations

import logging
import time

from schemas.config.settings import Settings
from storage.database.clock import Clock
from storage.frontier.frontier import Frontier, open_frontier
from storage.ledger.ledger import Ledger, open_ledger

REASON = "abandoned"
SILENCE_SECONDS = 15.0  # chosen, for a run that workers joined: a worker without a lease may need several seconds to start
UNJOINED_SECONDS = 1800.0  # chosen, for a run without workers: in Airflow its fetch may wait for a pool slot or a retry
POLL_SECONDS = 0.5
LOG = logging.getLogger(__name__)


def abandoned_runs(crawl: str, key: str, settings: Settings, clock: Clock | None = None) -> list[str]:
    """The unclosed runs of a crawl whose workers are gone, except the run of this key. Each is stopped, so that no worker joins it again.

    If a worker of a run reported a moment ago, this waits and looks again. A run is left alone if its workers hold hosts, or if no worker
    has joined it yet and it was planned less than half an hour ago. Returns an empty list if the key has its run already.
    """
    ledger, frontier = open_ledger(settings, clock), open_frontier(settings, clock)
    try:
        unclosed = ledger.unclosed_runs(crawl)
        if any(run.key == key for run in ledger.crawl_runs(crawl)):
            return []
        abandoned = [run for run in unclosed if _is_abandoned(crawl, run, ledger, frontier)]
        for run in abandoned:
            frontier.stop_run(run, REASON)
        return abandoned
    finally:
        frontier.close()
        ledger.close()


def _is_abandoned(crawl: str, crawl_run: str, ledger: Ledger, frontier: Frontier) -> bool:
    """Whether nobody works on an unclosed run."""
    while not frontier.state(crawl_run).leased_hosts:
        run = ledger.unclosed_runs(crawl).get(crawl_run)
        if run is None:  # closed meanwhile
            return False
        if not run.has_workers and run.silent_seconds <= UNJOINED_SECONDS:
            LOG.warning("No worker has joined %s yet. The URLs that wait in it stay in it.", crawl_run)
            return False
        if run.silent_seconds > SILENCE_SECONDS:
            return True
        time.sleep(POLL_SECONDS)
    LOG.warning("Workers are still fetching in %s. The URLs that wait in it stay in it.", crawl_run)
    return False
