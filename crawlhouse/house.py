"""The Python door: a lake opened for reading."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crawlhouse.rows import Rows

if TYPE_CHECKING:
    from schemas.config.settings import Settings


class House:
    """A lake, open for reading. Every method shows the lake as it is when called.

    >>> import crawlhouse
    >>> house = crawlhouse.open()
    >>> frame = house.articles().polars()
    >>> for row in house.query("SELECT url, title FROM articles_latest WHERE language = 'de'"): ...
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def articles(self, *, latest: bool = True) -> Rows:
        """The last version of each article, or with `latest=False` all versions. Columns: `schemas.tables.ARTICLES`."""
        return self.query(f"SELECT * FROM {'articles_latest' if latest else 'articles'}")  # noqa: S608 our own names

    def runs(self) -> Rows:
        """The published runs with their accounting, oldest first."""
        return self.query("SELECT * FROM runs ORDER BY sequence")

    def query(self, sql: str, *, timeout: float | None = None) -> Rows:
        """The rows of one reading statement in DuckDB's SQL, which may take `timeout` seconds until its last row is read.

        Raises NotFoundError for an unknown table or no lake, ConfigError for a mistake in the SQL or SQL that does not only read,
        TimeLimitError, UnavailableError and StorageError for a lake that cannot be read. The rows may raise these too.
        """
        from crawlhouse.sql.query import run_sql

        return run_sql(self.settings, sql, timeout)


def open_house(home: str | Path | None = None, store: str | Path | None = None, database: str | None = None) -> House:
    """The lake of the environment's settings (`CRAWLHOUSE_*`), or of what is given here in their place.

    Raises ConfigError for a malformed setting and NotFoundError outside a project when no home is given.
    """
    from schemas.config.settings import make_settings

    return House(make_settings(home, store, database))
