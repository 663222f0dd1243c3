"""Large changes in short transactions: workers that share a SQLite file can write in between."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection

from runtime import failpoint
from storage.database.engine import Database

CHUNK_ROWS = 5_000  # take some 0.1 to 0.3 s on SQLite
PAUSE_SECONDS = 0.12  # a process that waits for a SQLite file tries again at least every 0.1 s


def write_chunks(database: Database, write: Callable[[Connection, int], int]) -> int:
    """Call `write(connection, limit)`, each time in a new transaction, until it returns less than `limit`; returns the sum."""
    total = 0
    while True:
        with database.write() as connection:
            count = write(connection, CHUNK_ROWS)
        total += count
        if count < CHUNK_ROWS:
            return total
        failpoint.reached("between-chunks")
        pause(database)


def pause(database: Database) -> None:
    """Let other processes write to a SQLite file. A server does not need this."""
    if database.is_sqlite:
        time.sleep(PAUSE_SECONDS)
