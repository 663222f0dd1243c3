"""Reads a few rows of the databases without SQLAlchemy, which takes longer to import than a command that only shows something runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any
from urllib.parse import quote

from schemas.config.settings import Settings
from schemas.credentials.database_url import parse_database_url
from schemas.errors import CrawlhouseError, StorageError

BUSY_SECONDS = 60  # to wait for a publisher's transaction
CONNECT_SECONDS = 10  # chosen: a server that is there answers at once

PlainRow = tuple[Any, ...]  # Any: the values of a row


def read_plain_rows(settings: Settings, database: str, name: str, query: str, parameters: Sequence[str] = ()) -> list[PlainRow]:
    """The rows of one statement; none if database or table are not there yet. `?` in the statement are the parameters.

    `database` is `catalog` or `frontier`: on SQLite each is a file of its own. `name` is for errors. Raises UnavailableError, StorageError.
    """
    if settings.database:
        return _of_server(settings, name, query.replace("?", "%s"), parameters)
    return _of_file(settings, database, name, query, parameters)


def _of_file(settings: Settings, database: str, name: str, query: str, parameters: Sequence[str]) -> list[PlainRow]:
    file = settings.database_file(database)
    if not file.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", timeout=BUSY_SECONDS, uri=True)) as connection:
            return list(connection.execute(query, parameters))
    except sqlite3.Error as error:
        if "no such table" in str(error):
            return []
        raise _as_crawlhouse_error(error, f"{name} {file}") from error


def _of_server(settings: Settings, name: str, query: str, parameters: Sequence[str]) -> list[PlainRow]:
    import psycopg

    server = parse_database_url(settings.database)
    try:
        with psycopg.connect(server.text(), connect_timeout=CONNECT_SECONDS) as connection:
            return list(connection.execute(query, parameters or None))
    except psycopg.errors.UndefinedTable:
        return []
    except psycopg.Error as error:
        raise _as_crawlhouse_error(error, f"{name} {server.redacted()}", server.secrets()) from error


def _as_crawlhouse_error(error: Exception, name: str, secrets: tuple[str, ...] = ()) -> CrawlhouseError:
    from sqlalchemy.exc import DBAPIError, OperationalError

    from storage.database.errors import as_crawlhouse_error, first_line

    is_operational = type(error).__name__ == "OperationalError" or "OperationalError" in {one.__name__ for one in type(error).__mro__}
    wrapped = (OperationalError if is_operational else DBAPIError)(None, None, error)
    known = as_crawlhouse_error(wrapped, name, BUSY_SECONDS, secrets)
    return known or StorageError(f"{name} cannot be used: {first_line(wrapped)}. Correct CRAWLHOUSE_DATABASE, or restore it from a backup.")
