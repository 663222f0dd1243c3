"""The mark of a crawl whose URLs are being moved to another name: what is half moved is not planned, and the move can be ended."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from schemas.errors import ConflictError
from storage.database.ledger_tables import COUNTERS

PREFIX = "rename:"  # of a counter's name, which goes on as OLD:NEW


def is_renaming(connection: Connection, old: str, new: str) -> bool:
    """Whether this very move was begun and cut off."""
    return _mark(old, new) in _marks(connection)


def begin_renaming(connection: Connection, old: str, new: str) -> None:
    """Sets the mark. Raises ConflictError where another move of one of them was cut off."""
    check_not_renaming(connection, old)
    check_not_renaming(connection, new)
    connection.execute(insert(COUNTERS).values(name=_mark(old, new), value=1))


def end_renaming(connection: Connection, old: str, new: str) -> None:
    """Takes the mark away."""
    connection.execute(delete(COUNTERS).where(COUNTERS.c.name == _mark(old, new)))


def check_not_renaming(connection: Connection, crawl: str) -> None:
    """Raises ConflictError for a crawl whose move to another name, or from one, was cut off."""
    for mark in _marks(connection):
        old, new = mark.removeprefix(PREFIX).split(":")
        if crawl in {old, new}:
            raise ConflictError(f"The crawl {old} is being renamed to {new}. Run `crawlhouse rename {old} {new}` to the end first.")


def _marks(connection: Connection) -> list[str]:
    return list(connection.scalars(select(COUNTERS.c.name).where(COUNTERS.c.name.startswith(PREFIX, autoescape=True))))


def _mark(old: str, new: str) -> str:
    return f"{PREFIX}{old}:{new}"
