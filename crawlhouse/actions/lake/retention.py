"""Counts or removes the rows and segments that crawls keep no longer."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from schemas.config.crawl_file import find_crawl
from schemas.config.settings import Settings
from storage.lake.lake import open_lake
from storage.lake.reader.lake_file import refresh_lake_file
from storage.lake.upkeep.expired import Expiry, archive_expiries, count_expired, crawls_of, expiries, remove_expired
from storage.ledger.ledger import open_ledger
from storage.ledger.segment_retention import expired_segments, remove_segments
from storage.objects.open import open_store


def expired_rows(settings: Settings, crawl: str | None, *, remove: bool) -> list[tuple[Expiry, int]]:
    """How many rows of each table, and segments, are removed now or would be. Raises NotFoundError, ConfigError for a crawl's file.

    Raises UnavailableError, StorageError; ConflictError if a publisher holds the lock for too long.
    """
    crawls = crawls_of(settings) if crawl is None else [find_crawl(crawl, settings.crawls)]
    now = datetime.now(UTC)
    wanted, archives = list(expiries(crawls, now)), list(archive_expiries(crawls, now))
    if not wanted and not archives:
        return []
    store, ledger = open_store(settings), open_ledger(settings)
    with closing(ledger), open_lake(settings) as lake:
        if not remove:
            rows = [(one, count_expired(lake, one)) for one in wanted]
            return rows + [(one, len(expired_segments(ledger, store, one.crawl, one.before))) for one in archives]
        done = [(one, remove_expired(lake, ledger, one)) for one in wanted]
        with ledger.publish_lock():
            done += [(one, remove_segments(ledger, store, one.crawl, one.before)) for one in archives]
    refresh_lake_file(settings)
    return done
