"""Reads the lake for pages. A page without a lake is a page too: what is missing is said on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crawlhouse.rows import Row
from crawlhouse.sql.query import open_lake_for_reading, read_rows
from schemas.config.settings import Settings
from schemas.errors import CrawlhouseError

if TYPE_CHECKING:
    import duckdb


class LakeReader:
    """Answers queries over one state of the lake. Without a lake every answer is empty, and `problem` says why."""

    def __init__(self, connection: duckdb.DuckDBPyConnection | None, problem: str = "") -> None:
        self._connection = connection
        self.problem = problem

    def rows(self, sql: str, *parameters: object) -> list[Row]:
        """All rows of one of our own queries."""
        if self._connection is None:
            return []
        try:
            return read_rows(self._connection, sql, *parameters)
        except CrawlhouseError as error:
            self.problem = str(error)
            return []

    def tables(self) -> list[str]:
        """The names of the tables and views."""
        return [str(row["name"]) for row in self.rows("SELECT name FROM (SHOW TABLES)")]


@contextmanager
def read_lake(settings: Settings) -> Iterator[LakeReader]:
    """The lake as it is now."""
    try:
        connection = open_lake_for_reading(settings)
    except CrawlhouseError as error:
        yield LakeReader(None, str(error))
        return
    with connection:
        yield LakeReader(connection)
