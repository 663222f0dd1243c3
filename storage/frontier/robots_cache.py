"""The robots.txt files that all workers share."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from storage.database.clock import Clock, current_time
from storage.database.engine import Database
from storage.database.frontier_tables import ROBOTS
from storage.database.upsert import upsert


@dataclass(frozen=True, slots=True)
class CachedRobots:
    """An origin's robots.txt: its status (None: no response), its decoded body, and until when it is valid (seconds since the epoch)."""

    origin: str
    status: int | None
    body: bytes
    expires_at: float


def read_cached_robots(database: Database, origin: str, clock: Clock | None = None) -> CachedRobots | None:
    """The cached file of an origin (`https://example.com`), if it is still valid."""
    with database.read() as connection:
        now = current_time(connection, clock)
        row = connection.execute(select(ROBOTS).where(ROBOTS.c.origin == origin, ROBOTS.c.expires_at > now)).one_or_none()
    return None if row is None else CachedRobots(row.origin, row.status, row.body, row.expires_at)


def write_cached_robots(database: Database, robots: CachedRobots) -> None:
    """Cache a file for all workers; the newest stays."""
    values = {"status": robots.status, "body": robots.body, "expires_at": robots.expires_at}
    with database.write() as connection:
        statement = upsert(connection, ROBOTS).values(origin=robots.origin, **values)
        connection.execute(statement.on_conflict_do_update(index_elements=["origin"], set_=values))
