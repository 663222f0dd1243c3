"""Removes what crashed workers left in this machine's spools, of runs that were closed meanwhile.

Whoever closes a run empties the spools of its own machine only. A worker that crashed on another machine, and whose task went on elsewhere,
leaves its folder there.
"""

from __future__ import annotations

import logging

from schemas.config.settings import Settings
from schemas.numbers import plural
from spiders.reading.crash_counts import CrashCounts
from spiders.spool.spool import clear_spool
from storage.ledger.ledger import Ledger

LOG = logging.getLogger(__name__)


def sweep_spools(settings: Settings, ledger: Ledger) -> int:
    """Remove the spools of closed runs; returns how many segments were in them. Nothing of them can be registered any more.

    Folders of runs that the ledger does not know stay: it may have been restored from a backup.
    """
    folder = settings.home / "spool"
    names = {path.name for path in folder.iterdir() if path.is_dir()} if folder.is_dir() else set()
    dropped = 0
    for crawl_run in ledger.closed_runs(names) if names else ():
        CrashCounts(settings, ledger.crawl_run(crawl_run).crawl.name)  # counts the URLs at which workers crashed
        for spool in (folder / crawl_run).iterdir():
            segments = clear_spool(spool)
            dropped += segments
            message = "%s was closed while its worker %s was away: removed %s that nobody registered."
            LOG.warning(message, crawl_run, spool.name, plural(segments, "segment"))
    return dropped
