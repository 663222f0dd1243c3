"""Long writing in short transactions: workers that share a SQLite file write in between."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection

from runtime import failpoint
from storage.database.engine import Database

CHUNK_ROWS = 5_000  # some 0.1 to 0.3 s on SQLite
PAUSE_SECONDS = 0.12  # who waits for a SQLite file looks at least every 0.1 s


def write_chunks(database: Database, write: Callable[[Connection, int], int]) -> int:
    """Calls `write(connection, limit)` in transactions of its own until it changes fewer than `limit` rows; returns how many in all."""
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
    """Lets other writers have their turn; a server does that by itself."""
    if database.is_sqlite:
        time.sleep(PAUSE_SECONDS)
