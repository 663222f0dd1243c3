"""The database under frontier and ledger: SQLite or PostgreSQL through one door of short transactions."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Column, Connection, Engine, Integer, MetaData, String, Table, create_engine, event, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.pool import NullPool, QueuePool

from runtime.patterns import regexp
from schemas.config.database_url import parse_database_url
from schemas.config.settings import Settings, make_private_folder
from schemas.errors import ConflictError, StorageError
from storage.database.errors import explained, first_line, is_held
from storage.database.private_files import make_private_file

if TYPE_CHECKING:
    import psycopg

SCHEMA_VERSION = 5  # that of the newest file in storage/database/migrations
OLDEST_VERSION = 4  # the oldest that `crawlhouse upgrade` brings forward
ELSEWHERE = "or point CRAWLHOUSE_DATABASE or CRAWLHOUSE_HOME elsewhere"
SQLITE_BUSY_SECONDS = 20.0  # a third of a lease: a worker hears of it before others take its hosts
CONNECT_SECONDS = 10
IDLE_SECONDS = 60  # a process that is frozen inside a transaction keeps its locks no longer
INSERT_ROWS = 100  # a statement; more make it no quicker, only larger
CREATION_LOCK = 7_205_759
METADATA = MetaData()

SCHEMA = Table(
    "schema_version",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("made_by", String),  # the release that made the tables or upgraded them last
)


class Database:
    """One engine. `read()` and `write()` are its only two kinds of transaction; a write on SQLite begins IMMEDIATE."""

    def __init__(self, url: str, pooled: bool = False) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        server = None if self.is_sqlite else parse_database_url(url)
        self.shown = str(self.url.database) if server is None else server.redacted()
        self._secrets = () if server is None else server.secrets()
        self._engine = _sqlite_engine(self.url, pooled) if self.is_sqlite else _server_engine(self.url, pooled)
        self._writer = self._engine.execution_options(writes=True)
        snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = self._engine.execution_options(**snapshot)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads: one consistent snapshot. Raises UnavailableError, StorageError."""
        with self._explained(), self._reader.begin() as connection:
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
                    with suppress(DBAPIError):  # the session has ended, and the lock with it
                        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if "no such table" in first_line(error):
                raise NoTableError(first_line(error)) from error
            known = explained(error, f"The database {self.shown}", SQLITE_BUSY_SECONDS, self._secrets)
            if known is None:
                raise
            raise known from error

    def create_tables(self) -> None:
        """Creates what is missing, once, however many processes start together.

        Raises ConflictError if the tables are another version's.
        """
        found = self.version()
        if found is None:
            self._create()
            found = self.version()
        self._check(found)

    def check_version(self) -> None:
        """Sees that the tables, where there are any, are of this crawlhouse's version. Raises ConflictError."""
        self._check(self.version())

    def check_upgradable(self) -> None:
        """Sees that the tables, where there are any, are neither newer than this crawlhouse nor too old. Raises ConflictError."""
        self._check_bounds(self.version())

    def _check(self, found: int | None) -> None:
        self._check_bounds(found)
        if found is not None and found < SCHEMA_VERSION:
            raise ConflictError(
                f"The database {self.shown} has tables of version {found}, this crawlhouse ({release()}) needs {SCHEMA_VERSION}. "
                f"Run `crawlhouse upgrade`, {ELSEWHERE}."
            )

    def _check_bounds(self, found: int | None) -> None:
        if found is not None and found > SCHEMA_VERSION:
            raise ConflictError(
                f"The database {self.shown} has tables of version {found}{self._maker()}, this crawlhouse ({release()}) knows "
                f"{SCHEMA_VERSION} at most. Install the newer crawlhouse again, restore the backup that its `upgrade` made, {ELSEWHERE}."
            )
        if found is not None and found < OLDEST_VERSION:
            raise ConflictError(
                f"The database {self.shown} has tables of version {found}, this crawlhouse ({release()}) upgrades from {OLDEST_VERSION}. "
                f"Use the crawlhouse that made them, {ELSEWHERE}."
            )

    def _maker(self) -> str:
        """Who made the tables, for a message; empty where they do not say so."""
        try:
            with self.read() as connection:
                maker = connection.scalar(select(SCHEMA.c.made_by))
        except DBAPIError:
            return ""
        return f", made by crawlhouse {maker}" if maker else ""

    def version(self) -> int | None:
        """The version of the tables; None where there are none yet. Raises UnavailableError, StorageError."""
        try:
            with self.read() as connection:
                return connection.scalar(select(SCHEMA.c.version))
        except ProgrammingError:  # PostgreSQL: no such table
            return None
        except NoTableError:
            return None

    def _create(self) -> None:
        from storage.database import frontier_tables, ledger_tables  # noqa: F401 they put their tables into METADATA

        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CREATION_LOCK})
            METADATA.create_all(connection)
            if connection.scalar(select(SCHEMA.c.version)) is None:
                connection.execute(insert(SCHEMA).values(version=SCHEMA_VERSION, made_by=release()))


class NoTableError(Exception):
    """SQLite's way to say that the tables are not there yet."""


def check_version(settings: Settings) -> None:
    """Sees that a house, where there is one, is of this crawlhouse's version; makes nothing. Raises ConflictError."""
    if not settings.database and not settings.database_file("frontier").exists():
        return
    database = Database(settings.database_url("frontier"))
    try:
        database.check_version()
    finally:
        database.close()


def release() -> str:
    """The version of this crawlhouse's package."""
    return version("crawlhouse")


def open_database(url: str, pooled: bool = False) -> Database:
    """The database at a SQLAlchemy URL, its tables created.

    `pooled` keeps a connection open between transactions: for a process that makes many, forks never and closes at its end.
    Raises UnavailableError, StorageError, ConflictError.
    """
    database = Database(url, pooled)
    try:
        database.create_tables()
    except BaseException:
        database.close()
        raise
    return database


def _sqlite_engine(url: URL, pooled: bool) -> Engine:
    arguments = {"timeout": SQLITE_BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(url, poolclass=QueuePool if pooled else NullPool, connect_args=arguments, insertmanyvalues_page_size=INSERT_ROWS)
    if url.database and url.database != ":memory:":
        path = Path(url.database)
        make_database_folder(path)
        event.listen(engine, "do_connect", lambda *_: _make_file(path))
    event.listen(engine, "connect", _sqlite_connected)
    event.listen(engine, "begin", _sqlite_begins)
    return engine


def make_database_folder(path: Path) -> None:
    """Make the folder of a SQLite file, for its user alone. Raises StorageError."""
    try:
        make_private_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"The folder of the database {path} cannot be made: {error}. Set CRAWLHOUSE_HOME to a writable folder."
        ) from error


def _make_file(path: Path) -> None:
    try:
        make_private_file(path)
    except OSError as error:
        raise StorageError(f"The database {path} cannot be made: {error.strerror}. Correct its folder's owner or mode.") from error


def _server_engine(url: URL, pooled: bool) -> Engine:
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
    connection.create_function("regexp", 2, regexp)  # in place of SQLAlchemy's, whose time has no bound


def _set_wal(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + SQLITE_BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:  # switching modes does not wait for the busy timeout
            if not is_held(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _sqlite_begins(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
