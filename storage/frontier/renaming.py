"""Which crawls are being renamed: such a crawl is not planned, and an interrupted renaming can be repeated to its end.

It is noted as a counter whose name contains both names of the crawl.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from schemas.errors import ConflictError
from storage.database.ledger_tables import COUNTERS

PREFIX = "rename:"  # of a counter's name, which goes on as OLD:NEW


def is_renaming(connection: Connection, old: str, new: str) -> bool:
    """Whether exactly this renaming began and was interrupted."""
    return _counter_name(old, new) in _counter_names(connection)


def start_renaming(connection: Connection, old: str, new: str) -> None:
    """Note that it began. Raises ConflictError if another renaming of one of them was interrupted."""
    check_not_renaming(connection, old)
    check_not_renaming(connection, new)
    connection.execute(insert(COUNTERS).values(name=_counter_name(old, new), value=1))


def end_renaming(connection: Connection, old: str, new: str) -> None:
    """Note that it is complete."""
    connection.execute(delete(COUNTERS).where(COUNTERS.c.name == _counter_name(old, new)))


def check_not_renaming(connection: Connection, crawl: str) -> None:
    """Raise ConflictError for a crawl whose renaming, to this name or from it, was interrupted."""
    for name in _counter_names(connection):
        old, new = name.removeprefix(PREFIX).split(":")
        if crawl in {old, new}:
            raise ConflictError(f"The crawl {old} is being renamed to {new}. Run `crawlhouse rename {old} {new}` first, to complete it.")


def _counter_names(connection: Connection) -> list[str]:
    return list(connection.scalars(select(COUNTERS.c.name).where(COUNTERS.c.name.startswith(PREFIX, autoescape=True))))


def _counter_name(old: str, new: str) -> str:
    return f"{PREFIX}{old}:{new}"
