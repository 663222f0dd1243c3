"""Locks that end with their process, so that a killed process never blocks the lake: the publisher's, and short ones for single objects."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.config.settings import Settings
from schemas.errors import ConflictError
from storage.database.engine import Database
from storage.database.private_files import make_private_file

PUBLISH_KEY = 7_205_760  # of PostgreSQL's advisory lock; arbitrary, as the other lock keys
POLL_SECONDS = 0.2  # between two attempts


@contextmanager
def hold_publish_lock(database: Database, wait_seconds: float) -> Iterator[None]:
    """Hold the publish lock of the lake whose ledger is in this database.

    It is an advisory lock of PostgreSQL, or a lock on a file next to the SQLite file. Both end with the process that holds them.
    Raises ConflictError if it is not free within `wait_seconds`.
    """
    with _wait_for_lock(database, PUBLISH_KEY, "publish", wait_seconds, "publishing"):
        yield


@contextmanager
def hold_lock(settings: Settings, key: int, wait_seconds: float, doing: str) -> Iterator[None]:
    """Hold the lock `key` of this home. `doing` says in the error message what its holder does. Raises ConflictError."""
    database = Database(settings.database_url("frontier"))
    try:
        with _wait_for_lock(database, key, str(key), wait_seconds, doing):
            yield
    finally:
        database.close()


@contextmanager
def _wait_for_lock(database: Database, key: int, name: str, wait_seconds: float, doing: str) -> Iterator[None]:
    deadline = time.monotonic() + wait_seconds
    while True:
        with _try_lock(database, key, name) as is_held:
            if is_held:
                yield
                return
        if time.monotonic() >= deadline:
            raise ConflictError(f"Another process has been {doing} for {wait_seconds:.0f} s. Wait for it to end, or stop it.")
        time.sleep(POLL_SECONDS)


@contextmanager
def _try_lock(database: Database, key: int, name: str) -> Iterator[bool]:
    if not database.is_sqlite:
        with database.session_lock(key) as is_held:
            yield is_held
        return
    path = Path(f"{database.url.database}.{name}.lock")
    make_private_file(path)
    handle = os.open(path, os.O_RDWR)
    try:
        yield _lock_file(handle)
    finally:
        os.close(handle)


def _lock_file(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
