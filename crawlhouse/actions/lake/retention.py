"""Counts or removes the rows that crawls keep no longer."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.config.crawl_file import find_crawl
from schemas.config.settings import Settings
from storage.lake.lake import open_lake
from storage.lake.reader.lake_file import refresh_lake_file
from storage.lake.upkeep.expired import Expiry, count_expired, crawls_of, expiries, remove_expired
from storage.ledger.ledger import open_ledger


def expired_rows(settings: Settings, crawl: str | None, *, remove: bool) -> list[tuple[Expiry, int]]:
    """How many rows of each table are removed now, or would be. Raises NotFoundError, ConfigError for a crawl's file.

    Raises UnavailableError, StorageError; ConflictError if a publisher holds the lock for too long.
    """
    crawls = crawls_of(settings) if crawl is None else [find_crawl(crawl, settings.crawls)]
    wanted = list(expiries(crawls, datetime.now(UTC)))
    if not wanted:
        return []
    with open_lake(settings) as lake:
        if not remove:
            return [(one, count_expired(lake, one)) for one in wanted]
        ledger = open_ledger(settings)
        try:
            done = [(one, remove_expired(lake, ledger, one)) for one in wanted]
        finally:
            ledger.close()
    refresh_lake_file(settings)
    return done
