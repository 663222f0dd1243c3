"""The upkeep of the lake: what was staged for runs that are long published is removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas.settings import Settings
from storage.ledger import open_ledger
from storage.objects import open_store

KEEP_STAGED = timedelta(days=7)
STAGING = "staging"


def maintain(settings: Settings, now: datetime | None = None) -> dict[str, int]:
    """Remove the staged objects of runs published more than `KEEP_STAGED` ago; how many runs and objects that were.

    Removing again changes nothing, and nothing that a table refers to is touched. Raises UnavailableError, StorageError.
    """
    store, ledger = open_store(settings), open_ledger(settings)
    before = (now or datetime.now(UTC)) - KEEP_STAGED
    done = {"process_runs": 0, "objects": 0}
    try:
        for process_run in ledger.process_runs():
            published = ledger.published_at(process_run)
            if published is None or published > before:
                continue
            keys = [found.key for found in store.list(f"{STAGING}/{process_run}/")]
            for key in keys:
                store.delete(key)
            done["process_runs"] += bool(keys)
            done["objects"] += len(keys)
    finally:
        ledger.close()
    return done
