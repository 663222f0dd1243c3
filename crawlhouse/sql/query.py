"""Runs SQL over the published tables with DuckDB. A query only reads, and it can open no file except those of the lake."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from crawlhouse.rows import Row, Rows
from crawlhouse.sql.reading import parse_read_only
from crawlhouse.sql.time_limit import TimeLimit
from schemas.config.settings import Settings
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError, StorageError, UnavailableError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Parameters = Sequence[Any] | Mapping[str, Any]  # Any: DuckDB converts the values
BATCH_ROWS = 1_000  # a batch of articles takes some MB of memory
PROCESS_RUN = re.compile("p-[0-9a-f]{16}")
SELECTS = re.compile(r"\s*(SELECT|FROM|WITH)\b", re.IGNORECASE)  # what can stand in another SELECT
UNKNOWN_TABLE = re.compile(r"Table with name (\S+) does not exist")
FAILURES: dict[str, tuple[type[CrawlhouseError], str]] = {
    "Permission Error": (ConfigError, "A query reads the lake's tables only: {}"),
    "IO Error": (StorageError, "The lake cannot be read: {}. If a maintenance run has just rewritten files, run the query again."),
    "AWS Error": (UnavailableError, "The store does not answer: {}. Check CRAWLHOUSE_STORE and CRAWLHOUSE_S3_ENDPOINT."),
    "Out of Memory Error": (ConfigError, "The query needs more memory than there is: {}. Select fewer columns or rows."),
}


def run_sql(
    settings: Settings,
    sql: str,
    timeout: float | None = None,
    parameters: Parameters | None = None,
    as_of: str | datetime | None = None,
) -> Rows:
    """The rows of one reading SQL statement over the published tables and views.

    `timeout` is in seconds. It includes opening the lake and reading all rows; DuckDB checks it between two batches. `parameters` are the
    values of `?` (a sequence) or of `$name` (a mapping). Raises NotFoundError for an unknown table or no lake, ConfigError for any other
    mistake in the statement, TimeLimitError, and UnavailableError or StorageError when the lake cannot be read. The rows may raise these
    too while they are read. `as_of` shows the lake as it was after that process run, or at that time.
    """
    statement = parse_read_only(sql)
    limit = TimeLimit(timeout)
    return _rows(open_lake_for_reading(settings, as_of), statement, limit, parameters)


def earlier_state(settings: Settings, text: str) -> str | datetime:
    """The time that a text names, or the process run: of a crawl run its newest one. Raises NotFoundError if it names neither."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        with open_lake_for_reading(settings) as lake:
            newest = "SELECT process_run FROM runs WHERE crawl_run = $1 ORDER BY sequence DESC LIMIT 1"
            found = next((str(row["process_run"]) for row in read_rows(lake, newest, text)), None)
    if found is None and not PROCESS_RUN.fullmatch(text):
        raise NotFoundError(f"{text!r} is no published run, and no time like 2026-03-01 or 2026-03-01T12:00. `crawlhouse runs` lists runs.")
    return found or text


def run_sql_on(connection: duckdb.DuckDBPyConnection, sql: str, timeout: float | None = None, parameters: Parameters | None = None) -> Rows:
    """The same over a connection of `open_lake_for_reading`, which stays open."""
    return _rows(connection, parse_read_only(sql), TimeLimit(timeout), parameters)


def _rows(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement, limit: TimeLimit, parameters: Parameters | None) -> Rows:
    """The rows of a statement. It runs now; each further reading runs it again, with a time limit of its own."""
    first = _reader(connection, statement, limit, parameters)
    unread = [(first, limit)]

    def read() -> Iterator[pa.RecordBatch]:
        if unread:
            reader, its_limit = unread.pop()
        else:
            its_limit = TimeLimit(limit.seconds)
            reader = _reader(connection, statement, its_limit, parameters)
        return _batches(reader, connection, its_limit)

    def select(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        names = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        inner = statement.query.strip().rstrip(";")
        narrowed = parse_read_only(f"SELECT {names} FROM ({inner}\n)")  # noqa: S608 it is checked
        its_limit = TimeLimit(limit.seconds)
        return _batches(_reader(connection, narrowed, its_limit, parameters), connection, its_limit)

    return Rows(first.schema, read, select if SELECTS.match(statement.query) else None)


def _reader(
    connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement, limit: TimeLimit, parameters: Parameters | None
) -> pa.RecordBatchReader:
    import duckdb

    try:
        cursor = connection.cursor()  # of its own: a second statement on the same one would end this one's rows
        with limit.interrupting(cursor):
            return cursor.sql(statement, params=parameters).to_arrow_reader(BATCH_ROWS)
    except duckdb.ConnectionException as error:
        raise ConfigError("The lake was closed. Read the rows before the `with` block ends.") from error
    except duckdb.Error as error:
        raise _as_our_error(error, connection) from error


def read_rows(connection: duckdb.DuckDBPyConnection, sql: str, *parameters: object) -> list[Row]:
    """All rows of one of our own queries, with its parameters. Raises what `run_sql` raises."""
    import duckdb

    try:
        cursor = connection.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    except duckdb.Error as error:
        raise _as_our_error(error, connection) from error


def open_lake_for_reading(settings: Settings, as_of: str | datetime | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection with the lake's views, as it is or was. It can open no other file. Raises NotFoundError if there is no lake."""
    from storage.lake.query import connect

    return _opened(settings, partial(connect, settings, as_of))


def open_lake_for_url(settings: Settings, url: str) -> duckdb.DuckDBPyConnection:
    """The same, with everything that concerns one URL and perhaps nothing else; only for SQL of our own. Quick in a large lake."""
    from storage.lake.query import connect_for_url

    return _opened(settings, partial(connect_for_url, settings, url))


def _opened(settings: Settings, connect: Callable[[], duckdb.DuckDBPyConnection]) -> duckdb.DuckDBPyConnection:
    if not settings.database and not (settings.home / "catalog.sqlite").exists():
        raise NotFoundError(f"There is no lake in {settings.home} yet: nothing was published. Run `crawlhouse demo`, or crawl and process.")
    try:
        return connect()
    except FileNotFoundError as error:
        raise StorageError(
            f"A file of the lake is missing: {error}. If home or store were moved, move them back where they were."
        ) from error


def _batches(reader: pa.RecordBatchReader, connection: duckdb.DuckDBPyConnection, limit: TimeLimit) -> Iterator[pa.RecordBatch]:
    """The reader's batches. The connection is kept open as long as they are read."""
    try:
        with limit.interrupting(connection):
            for batch in reader:
                yield batch
                limit.check()
    except OSError as error:  # Arrow raises DuckDB's errors as OSError
        raise _as_our_error(error, connection) from error


def _as_our_error(error: Exception, connection: duckdb.DuckDBPyConnection) -> CrawlhouseError:
    unknown = UNKNOWN_TABLE.search(str(error))
    if unknown:
        return NotFoundError(f"There is no table {unknown[1]}. There are: {', '.join(_tables(connection))}.")
    for mark, (kind, text) in FAILURES.items():
        if mark in str(error):
            return kind(text.format(_message(error)))
    return ConfigError(f"The query failed: {_message(error)}")


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return sorted(str(name) for (name,) in connection.sql("SHOW TABLES").fetchall())


def _message(error: Exception) -> str:
    """DuckDB's message without its kind, its empty lines and the repeated statement."""
    text = str(error).partition("\n\nLINE")[0]
    kind, _, rest = text.partition(": ")
    return " ".join((rest if kind.endswith("Error") else text).split())
