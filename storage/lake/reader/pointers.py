"""Reads from the catalog's database where the current metadata of each table is."""

from __future__ import annotations

from schemas.config.settings import Settings
from storage.database.plain_rows import read_plain_rows

QUERY = """
SELECT table_name, metadata_location FROM iceberg_tables
WHERE catalog_name = 'crawlhouse' AND table_namespace = 'crawlhouse' AND metadata_location IS NOT NULL
"""


def read_pointers(settings: Settings) -> dict[str, str]:
    """The location of each table's current metadata, by the table's name; empty if there is no catalog yet.

    It is one statement: a run that is published meanwhile is in all of the tables or in none. Raises UnavailableError, StorageError.
    """
    return dict(sorted(read_plain_rows(settings, "catalog", "The catalog database", QUERY)))
