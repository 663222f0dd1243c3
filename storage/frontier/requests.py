"""The requests of users' spiders that the frontier has for URLs."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from schemas.config.settings import Settings
from storage.database.engine import open_database
from storage.database.frontier_tables import URLS
from storage.frontier.enqueue import LOOKUP_ROWS


def stored_requests(settings: Settings, digests: Collection[bytes]) -> dict[bytes, str | None]:
    """The stored request by the digest of its URL (`storage.urls.host_key.url_digest`). URLs that the frontier does not have are left out.

    Raises UnavailableError, StorageError.
    """
    wanted, found = sorted(digests), dict[bytes, str | None]()
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection:
            for start in range(0, len(wanted), LOOKUP_ROWS):
                query = select(URLS.c.digest, URLS.c.request).where(URLS.c.digest.in_(wanted[start : start + LOOKUP_ROWS]))
                found |= {row.digest: row.request for row in connection.execute(query)}
    finally:
        database.close()
    return found
