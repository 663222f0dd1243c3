"""The Python door: a lake, opened for reading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from crawlhouse.rows import Rows

RunSql = Callable[[str, float | None], Rows]  # a statement and a time limit in seconds or None, to its rows


class House:
    """A lake, open for reading. Every method shows the lake as it is when called. `open_house` makes one.

    >>> import crawlhouse
    >>> house = crawlhouse.open()
    >>> frame = house.articles().polars()
    >>> for row in house.query("SELECT url, title FROM articles_latest WHERE language = 'de'"): ...
    """

    def __init__(self, run_sql: RunSql) -> None:
        self._run_sql = run_sql

    def articles(self, *, latest: bool = True) -> Rows:
        """The last version of each article, or with `latest=False` all versions. Columns: `schemas.tables.ARTICLES`."""
        return self.query(f"SELECT * FROM {'articles_latest' if latest else 'articles'}")  # noqa: S608 our own names

    def runs(self) -> Rows:
        """The published runs with their accounting, oldest first."""
        return self.query("SELECT * FROM runs ORDER BY sequence")

    def query(self, sql: str, *, timeout: float | None = None) -> Rows:
        """The rows of one reading statement in DuckDB's SQL. `timeout` is in seconds, and counts until the last row is read.

        Raises NotFoundError for an unknown table or no lake, ConfigError for a mistake in the SQL or SQL that does not only read,
        TimeLimitError, UnavailableError and StorageError for a lake that cannot be read. The rows may raise these too.
        """
        return self._run_sql(sql, timeout)


def open_house(home: str | Path | None = None, store: str | Path | None = None, database: str | None = None) -> House:
    """Open the lake of the environment's settings (`CRAWLHOUSE_*`). What is given here replaces a setting.

    Raises ConfigError for a malformed setting and NotFoundError outside a project when no home is given.
    """
    from schemas.config.settings import make_settings

    settings = make_settings(home, store, database)

    def run(sql: str, timeout: float | None) -> Rows:
        from crawlhouse.sql.query import run_sql  # DuckDB is loaded by the first query

        return run_sql(settings, sql, timeout)

    return House(run)
