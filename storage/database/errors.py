"""Translates a database's error for the user, by SQLite's error code or PostgreSQL's SQLSTATE. Secrets of its URL are removed."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable

from sqlalchemy.exc import DBAPIError, OperationalError

from schemas.credentials.redaction import redacted
from schemas.errors import ConfigError, CrawlhouseError, DatabaseOutageError, StorageError, UnavailableError

PRIMARY_CODE = 0xFF  # the lowest byte of SQLite's extended codes is the primary code
BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
UNUSABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOLFS,
}
SERVER_FULL = {"53100"}  # disk_full
SERVER_DAMAGED = {"58030", "XX001", "XX002"}  # io_error, data_corrupted, index_corrupted
SERVER_FORBIDS = {"42501"}  # insufficient_privilege
SERVER_REFUSES = re.compile("authentication failed|no password supplied|does not exist|no pg_hba.conf entry|not permitted")
SERVER_BUSY = {"40001", "40P01", "55P03"}  # serialization_failure, deadlock_detected, lock_not_available


def as_crawlhouse_error(error: DBAPIError, name: str, busy_seconds: float = 0, secrets: Iterable[str] = ()) -> CrawlhouseError | None:
    """The error as a CrawlhouseError, or None if it is of another kind (a mistake in SQL, a violated constraint).

    `name` names the database in the message, like "The database X"; `secrets` are removed from the driver's message.
    """
    message = redacted(first_line(error), secrets)
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return _of_sqlite(code & PRIMARY_CODE, name, message, busy_seconds)
    state, operational = getattr(error.orig, "sqlstate", None), isinstance(error, OperationalError)
    if error.statement is None and state is None and not operational:  # the driver did not try to connect
        return ConfigError(f"{name} cannot be used: {message}. Correct CRAWLHOUSE_DATABASE.")
    return _of_server(state, name, message, operational)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether the only problem is that another process uses the SQLite file now."""
    return error.sqlite_errorcode & PRIMARY_CODE in BUSY


def first_line(error: DBAPIError) -> str:
    """The driver's message, without the statement and its values."""
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def _of_sqlite(code: int, name: str, message: str, busy_seconds: float) -> CrawlhouseError | None:
    if code in BUSY:
        since = f" for {busy_seconds:.0f} s" if busy_seconds else ""
        return UnavailableError(f"{name} has been held by another process{since}. Wait for that process or end it, then run again.")
    if code in DAMAGED:
        return StorageError(f"{name} is damaged: {message}. Restore it from a backup.")
    if code in UNUSABLE:
        return StorageError(
            f"{name} cannot be read or written: {message}. Free some space, or correct the permissions of file and folder; then run again."
        )
    return None


def _of_server(state: str | None, name: str, message: str, operational: bool) -> CrawlhouseError | None:
    if state in SERVER_FULL:
        return StorageError(f"{name} cannot be written: {message}. Free some space on its server, then run again.")
    if state in SERVER_DAMAGED:
        return StorageError(f"{name} is damaged: {message}. Look at its server's log, or restore it from a backup.")
    if state in SERVER_FORBIDS:
        return StorageError(f"{name} refuses this user: {message}. Let its owner grant the rights.")
    if state in SERVER_BUSY:
        return DatabaseOutageError(f"{name} was busy: {message}. Run again.")
    if operational and not SERVER_REFUSES.search(message):
        return DatabaseOutageError(f"{name} does not answer: {message}. Start it, or correct CRAWLHOUSE_DATABASE.")
    if operational:
        return UnavailableError(f"{name} does not answer: {message}. Start it, or correct CRAWLHOUSE_DATABASE.")
    return None
