"""Reads from the catalog's database where the current metadata of each table is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from urllib.parse import quote

from schemas.config.settings import Settings
from schemas.credentials.database_url import parse_database_url
from schemas.errors import CrawlhouseError, StorageError

BUSY_SECONDS = 60  # to wait for a publisher's transaction
CONNECT_SECONDS = 10  # chosen: a server that is there answers at once
QUERY = """
SELECT table_name, metadata_location FROM iceberg_tables
WHERE catalog_name = 'crawlhouse' AND table_namespace = 'crawlhouse' AND metadata_location IS NOT NULL
"""


def read_pointers(settings: Settings) -> dict[str, str]:
    """The location of each table's current metadata, by the table's name; empty if there is no catalog yet.

    It is one statement: a run that is published meanwhile is in all of the tables or in none. Raises UnavailableError, StorageError.
    """
    return _of_server(settings) if settings.database else _of_file(settings)


def _of_file(settings: Settings) -> dict[str, str]:
    file = settings.database_file("catalog")
    if not file.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", timeout=BUSY_SECONDS, uri=True)) as connection:
            return dict(sorted(connection.execute(QUERY)))
    except sqlite3.Error as error:
        if "no such table" in str(error):
            return {}
        raise _as_crawlhouse_error(error, f"The catalog database {file}") from error


def _of_server(settings: Settings) -> dict[str, str]:
    import psycopg

    server = parse_database_url(settings.database)
    try:
        with psycopg.connect(server.text(), connect_timeout=CONNECT_SECONDS) as connection:
            return dict(sorted(connection.execute(QUERY)))
    except psycopg.errors.UndefinedTable:
        return {}
    except psycopg.Error as error:
        raise _as_crawlhouse_error(error, f"The catalog database {server.redacted()}", server.secrets()) from error


def _as_crawlhouse_error(error: sqlite3.Error | Exception, name: str, secrets: tuple[str, ...] = ()) -> CrawlhouseError:
    from sqlalchemy.exc import DBAPIError, OperationalError

    from storage.database.errors import as_crawlhouse_error, first_line

    is_operational = type(error).__name__ == "OperationalError" or "OperationalError" in {one.__name__ for one in type(error).__mro__}
    wrapped = (OperationalError if is_operational else DBAPIError)(None, None, error)
    known = as_crawlhouse_error(wrapped, name, BUSY_SECONDS, secrets)
    return known or StorageError(f"{name} cannot be used: {first_line(wrapped)}. Correct CRAWLHOUSE_DATABASE, or restore it from a backup.")
