"""How many rows wait in quarantine, by crawl. The table is read again only when the lake has changed."""

from __future__ import annotations

from functools import lru_cache

from crawlhouse.sql.query import open_lake_for_reading, read_rows
from schemas.config.settings import Settings
from storage.lake.reader.pointers import read_pointers

COUNTS = "SELECT crawl, count(*) AS count FROM quarantine GROUP BY crawl"


def waiting_rows(settings: Settings) -> dict[str, int]:
    """Rows in quarantine by crawl; none without a lake. Raises UnavailableError, StorageError."""
    pointers = read_pointers(settings)
    return dict(_counts(settings, tuple(sorted(pointers.items())))) if "quarantine" in pointers else {}


@lru_cache(maxsize=4)
def _counts(settings: Settings, _pointers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, int], ...]:
    with open_lake_for_reading(settings) as lake:
        return tuple((str(row["crawl"]), int(row["count"])) for row in read_rows(lake, COUNTS))
