"""The time that all processes of a database share: the server's clock, or the machine's clock if the database is a file.

Several machines compare times of leases, and their own clocks may differ.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from sqlalchemy import Connection, text

from schemas.config.settings import Settings
from schemas.errors import ClockError
from storage.database.engine import Database, open_database

WARN_SECONDS = 5.0  # chosen: synchronized clocks differ by far less
REFUSE_SECONDS = 60.0  # the length of a lease; dates in WARC files, due times and a Retry-After are wrong by as much
SAMPLES = 3  # the smallest difference counts: a slow network makes it larger, never smaller
LOG = logging.getLogger(__name__)

Clock = Callable[[], float]  # seconds since the epoch


def current_time(connection: Connection, clock: Clock | None = None) -> float:
    """Seconds since the epoch, by the given clock, or by the database's if none is given."""
    if clock is not None:
        return clock()
    if connection.dialect.name == "sqlite":
        return time.time()
    return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())


def up_since(connection: Connection) -> float:
    """When the database server was started, in its own time; 0 if the database is a file."""
    if connection.dialect.name == "sqlite":
        return 0.0
    return float(connection.execute(text("SELECT extract(epoch FROM pg_postmaster_start_time())")).scalar_one())


def clock_skew(database: Database) -> float:
    """How many seconds this machine's clock is ahead of the database's (negative: behind), at least: less the query's own time."""
    skews = [_sample(database) for _ in range(SAMPLES)]
    return min(skews, key=abs)


def _sample(database: Database) -> float:
    with database.read() as connection:
        before, began = time.time(), time.monotonic()
        theirs = current_time(connection)
        doubt = (time.monotonic() - began) / 2
    skew = before + doubt - theirs
    return max(skew - doubt, 0.0) if skew > 0 else min(skew + doubt, 0.0)


def check_clock(settings: Settings) -> None:
    """Warn if this machine's clock differs from the database server's. Raises ClockError if it differs by a minute or more."""
    database = open_database(settings.database_url("frontier"))
    try:
        skew = 0.0 if database.is_sqlite else clock_skew(database)
    finally:
        database.close()
    if abs(skew) < WARN_SECONDS:
        return
    where = f"This machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the database server's."
    if abs(skew) >= REFUSE_SECONDS:
        raise ClockError(f"{where} Dates in the archive and due times would be wrong. Set the clocks of both machines by NTP.")
    LOG.warning("%s Dates in the archive and due times are wrong by as much: set the clocks of both machines by NTP.", where)
