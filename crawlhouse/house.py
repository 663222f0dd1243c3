"""The Python interface: a lake, opened for reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crawlhouse.rows import Row, Rows

if TYPE_CHECKING:
    import duckdb

    from schemas.config.settings import Settings

Time = datetime | date | str
Parameters = Sequence[Any] | Mapping[str, Any]  # Any: DuckDB converts the values


class House:
    """A lake, open for reading. Every method shows the lake as it is when called. `open_house` makes one.

    As a context manager it keeps its connection: then every method shows the lake as it was at the beginning, and answers sooner.

    >>> import crawlhouse
    >>> house = crawlhouse.open()
    >>> frame = house.articles(columns=["url", "title"]).polars().collect()
    >>> for row in house.query("SELECT url, title FROM articles_latest WHERE language = $language", {"language": "de"}): ...
    >>> with crawlhouse.open() as house:
    ...     prices = house.table("products", host="shop.example", since="2026-01-01").pandas()
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: duckdb.DuckDBPyConnection | None = None

    def __enter__(self) -> House:
        self._connection = self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def articles(
        self, *, latest: bool = True, host: str | None = None, since: Time | None = None, columns: Sequence[str] | None = None
    ) -> Rows:
        """The last version of each article, or with `latest=False` all versions. `crawlhouse tables articles` describes the columns."""
        return self.table("articles", latest=latest, host=host, since=since, columns=columns)

    def table(
        self,
        name: str,
        *,
        latest: bool = False,
        host: str | None = None,
        since: Time | None = None,
        columns: Sequence[str] | None = None,
    ) -> Rows:
        """The rows of a table, or with `latest=True` the last version of each row of a dataset, those that are gone included.

        `host` and `since` select rows of this host, and rows that were fetched at that time or later (a text as DuckDB reads it, in UTC).
        Only `columns` are read, all without it: of articles, one column of text is most of a row.
        """
        from crawlhouse.sql.table import RowFilter, select_table

        return self.query(select_table(f"{name}_latest" if latest else name, RowFilter(host, since), columns=columns))

    def captures(self, *, host: str | None = None, since: Time | None = None) -> Rows:
        """The responses that were processed, with what became of each."""
        return self.table("captures", host=host, since=since)

    def quarantine(self, dataset: str | None = None, *, host: str | None = None, since: Time | None = None) -> Rows:
        """The rows that a rule held back: of one dataset, or of all."""
        from crawlhouse.sql.table import RowFilter, select_table

        return self.query(select_table("quarantine", RowFilter(host, since), dataset))

    def runs(self) -> Rows:
        """The published runs with their accounting, oldest first."""
        return self.query("SELECT * FROM runs ORDER BY sequence")

    def query(self, sql: str, parameters: Parameters | None = None, *, timeout: float | None = None) -> Rows:
        """The rows of one reading statement in DuckDB's SQL.

        `parameters` are the values of `?` (a list) or of `$name` (a dict). `timeout` is in seconds, and counts until the last row is read.
        Raises NotFoundError for an unknown table or no lake, ConfigError for a mistake in the SQL or SQL that does not only read,
        TimeLimitError, UnavailableError and StorageError for a lake that cannot be read. The rows may raise these too.
        """
        from crawlhouse.sql.query import run_sql, run_sql_on  # DuckDB is loaded by the first query

        if self._connection is not None:
            return run_sql_on(self._connection, sql, timeout, parameters)
        return run_sql(self._settings, sql, timeout, parameters)

    def changes(self, since: int, table: str | None = None) -> Iterator[Row]:
        """What was added, changed, gone and back after a publish of that number (`sequence`): of one dataset, or of all.

        Each change has `table`, `change`, `sequence` and `row_id`; what was added or changed has the whole `row`. Raises what `query` does.
        """
        from crawlhouse.sql.changes import read_changes

        if self._connection is not None:
            yield from read_changes(self._connection, since, table)
            return
        with self._connect() as connection:
            yield from read_changes(connection, since, table)

    def _connect(self) -> duckdb.DuckDBPyConnection:
        from crawlhouse.sql.query import open_lake_for_reading

        return open_lake_for_reading(self._settings)


def open_house(home: str | Path | None = None, store: str | Path | None = None, database: str | None = None) -> House:
    """Open the lake of the environment's settings (`CRAWLHOUSE_*`). What is given here replaces a setting.

    Raises ConfigError for a malformed setting and NotFoundError outside a project when no home is given.
    """
    from schemas.config.settings import make_settings

    return House(make_settings(home, store, database))
