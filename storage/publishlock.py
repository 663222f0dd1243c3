"""The lock of the publisher: held by a live process only, so that a killed one never blocks the lake."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import ConflictError
from storage.database import Database

PUBLISH_KEY = 7_205_760
POLL_SECONDS = 0.2


@contextmanager
def hold_publish_lock(database: Database, wait_seconds: float) -> Iterator[None]:
    """Holds the lock of the lake whose ledger is this database.

    A PostgreSQL advisory lock, or a file lock beside a SQLite file: both end with the process that holds them.
    Raises ConflictError if it is not free within `wait_seconds`.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        with _attempt(database) as got:
            if got:
                yield
                return
        if time.monotonic() >= deadline:
            raise ConflictError(f"Another process has been publishing for {wait_seconds:.0f} s. Wait for it to end, or stop it.")
        time.sleep(POLL_SECONDS)


@contextmanager
def _attempt(database: Database) -> Iterator[bool]:
    if not database.is_sqlite:
        with database.session_lock(PUBLISH_KEY) as got:
            yield got
        return
    handle = os.open(Path(f"{database.url.database}.publish.lock"), os.O_CREAT | os.O_RDWR, 0o644)
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
