"""The database under frontier and ledger: SQLite or PostgreSQL through one door of short transactions."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, create_engine, event, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool, QueuePool

from schemas.errors import ConflictError, StorageError, UnavailableError

if TYPE_CHECKING:
    import psycopg

SCHEMA_VERSION = 4
SQLITE_BUSY_SECONDS = 20.0  # a third of a lease: a worker hears of it before others take its hosts
CONNECT_SECONDS = 10
IDLE_SECONDS = 60  # a process that is frozen inside a transaction keeps its locks no longer
INSERT_ROWS = 100  # a statement; more make it no quicker, only larger
CREATION_LOCK = 7_205_759
METADATA = MetaData()

SCHEMA = Table("schema_version", METADATA, Column("version", Integer, primary_key=True, autoincrement=False))


class Database:
    """One engine. `read()` and `write()` are its only two kinds of transaction; a write on SQLite begins IMMEDIATE."""

    def __init__(self, url: str, pooled: bool = False) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _sqlite_engine(url, pooled) if self.is_sqlite else _server_engine(url, pooled)
        self._writer = self._engine.execution_options(writes=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: one consistent snapshot. Raises UnavailableError, StorageError."""
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: commits at the end, rolls back on an error. Raises UnavailableError, StorageError."""
        with self._explained(), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Gives the connections back."""
        self._engine.dispose()

    @contextmanager
    def session_lock(self, key: int) -> Iterator[bool]:
        """Tries for a PostgreSQL advisory lock that ends with its session, also by `kill -9`; yields whether it was got."""
        with self._explained(), self._engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            got = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
            try:
                yield got
            finally:
                if got:
                    connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            explained = _explain(error, self.url.render_as_string())
            if explained is None:
                raise
            raise explained from error

    def create_tables(self) -> None:
        """Creates what is missing, once, however many processes start together.

        Raises ConflictError if the database was made by another version's tables.
        """
        if self._found_version() is None:
            self._create()
        found = self._found_version()
        if found != SCHEMA_VERSION:
            raise ConflictError(
                f"The database {self.url.render_as_string()} has tables of version {found}, this crawlhouse needs {SCHEMA_VERSION}. "
                "Use the crawlhouse that made it, or point CRAWLHOUSE_DATABASE or CRAWLHOUSE_HOME elsewhere."
            )

    def _found_version(self) -> int | None:
        try:
            with self.read() as connection:
                return connection.scalar(select(SCHEMA.c.version))
        except ProgrammingError:  # PostgreSQL: no such table
            return None
        except _NoTableError:
            return None

    def _create(self) -> None:
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CREATION_LOCK})
            METADATA.create_all(connection)
            if connection.scalar(select(SCHEMA.c.version)) is None:
                connection.execute(insert(SCHEMA).values(version=SCHEMA_VERSION))


class _NoTableError(Exception):
    """SQLite's way to say that the tables are not there yet."""


def open_database(url: str, pooled: bool = False) -> Database:
    """The database at a SQLAlchemy URL, its tables created.

    `pooled` keeps a connection open between transactions: for a process that makes many, forks never and closes at its end.
    Raises UnavailableError, StorageError, ConflictError.
    """
    database = Database(url, pooled)
    database.create_tables()
    return database


def _sqlite_engine(url: str, pooled: bool) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The folder of the database {path} cannot be made: {error}. Set CRAWLHOUSE_HOME to a writable folder."
            ) from error
    arguments = {"timeout": SQLITE_BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(url, poolclass=QueuePool if pooled else NullPool, connect_args=arguments, insertmanyvalues_page_size=INSERT_ROWS)
    event.listen(engine, "connect", _sqlite_connected)
    event.listen(engine, "begin", _sqlite_begins)
    return engine


def _server_engine(url: str, pooled: bool) -> Engine:
    arguments = {"connect_timeout": CONNECT_SECONDS}
    engine = create_engine(url, poolclass=QueuePool if pooled else NullPool, pool_pre_ping=pooled, connect_args=arguments)
    event.listen(engine, "connect", _server_connected)
    return engine


def _server_connected(connection: psycopg.Connection, _record: object) -> None:
    connection.autocommit = True  # in a transaction, a rollback would undo the setting
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    connection.autocommit = False


def _sqlite_connected(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver guesses
    _set_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")  # WAL: a power cut may lose the last commits, never the consistency
    connection.execute("PRAGMA cache_size=-2048")  # kB in every process; the system keeps the file in memory anyway


def _set_wal(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + SQLITE_BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:  # switching modes does not wait for the busy timeout
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _sqlite_begins(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _explain(error: DBAPIError, url: str) -> Exception | None:
    message = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    if "no such table" in message:
        return _NoTableError(message)
    if "database is locked" in message:
        return UnavailableError(
            f"The database {url} has been held by another process for {SQLITE_BUSY_SECONDS:.0f} s. "
            "Let that process go on or end it, then run again."
        )
    if "disk is full" in message or "No space left" in message or "readonly database" in message:
        return StorageError(f"The database {url} cannot be written: {message}. Free some space or permissions, then run again.")
    if "malformed" in message or "not a database" in message:
        return StorageError(f"The database {url} is damaged: {message}. Restore it from a backup.")
    if isinstance(error, OperationalError):
        return UnavailableError(f"The database {url} does not answer: {message}. Start it, or correct CRAWLHOUSE_DATABASE.")
    return None
