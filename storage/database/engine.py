"""The database of frontier and ledger: short transactions, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.pool import NullPool, QueuePool

from runtime.patterns import regexp
from schemas.config.settings import Settings, make_private_folder
from schemas.credentials.database_url import parse_database_url
from schemas.errors import ConflictError, StorageError
from storage.database import frontier_tables, ledger_tables  # noqa: F401 they add their tables to METADATA
from storage.database.errors import as_crawlhouse_error, first_line, is_busy
from storage.database.migrations import OLDEST_VERSION, SCHEMA_VERSION
from storage.database.private_files import make_private_file
from storage.database.version_table import METADATA, SCHEMA
from storage.outages import wait_out

if TYPE_CHECKING:
    import psycopg

ELSEWHERE = "or point CRAWLHOUSE_DATABASE or CRAWLHOUSE_HOME elsewhere"
SQLITE_BUSY_SECONDS = 20.0  # a third of a lease: a worker gets the error before others take its hosts
CONNECT_SECONDS = 10  # chosen: a server that is there answers at once
IDLE_SECONDS = 60  # after this time a frozen process loses its transaction and its locks
INSERT_ROWS = 100  # in one statement; more are not faster
CREATION_LOCK = 7_205_759  # key of an advisory lock; arbitrary


class Database:
    """A database with two kinds of transactions, `read()` and `write()`. On SQLite, a writing one begins with BEGIN IMMEDIATE."""

    def __init__(self, url: str, pooled: bool = False) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        server = None if self.is_sqlite else parse_database_url(url)
        self.display_name = str(self.url.database) if server is None else server.redacted()
        self._secrets = () if server is None else server.secrets()
        self._engine = _sqlite_engine(self.url, pooled) if self.is_sqlite else _server_engine(self.url, pooled)
        self._writer = self._engine.execution_options(writes=True)
        snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reader = self._engine.execution_options(**snapshot)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, from one consistent snapshot. Raises UnavailableError, StorageError."""
        with self._transaction(self._reader) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: it commits at the end and rolls back on an error. Raises UnavailableError, StorageError."""
        with self._transaction(self._writer) as connection:
            yield connection

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        """Waits for a server that does not answer. A transaction that has begun and breaks off is for the caller to repeat."""
        with ExitStack() as stack:
            stack.enter_context(self._translated_errors())
            yield wait_out(self._begin, engine, stack)

    def _begin(self, engine: Engine, stack: ExitStack) -> Connection:
        with self._translated_errors():
            return stack.enter_context(engine.begin())

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    @contextmanager
    def session_lock(self, key: int) -> Iterator[bool]:
        """Try to take an advisory lock of PostgreSQL, which ends with its session, also after `kill -9`; yields whether it was taken."""
        with self._translated_errors(), self._engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            is_held = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
            try:
                yield is_held
            finally:
                if is_held:
                    with suppress(DBAPIError):  # the session has ended, so the lock is free
                        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """A connection of PostgreSQL whose statements are transactions of their own. Raises UnavailableError, StorageError."""
        with self._translated_errors(), self._engine.connect() as plain:
            yield plain.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if "no such table" in first_line(error):
                raise NoTableError(first_line(error)) from error
            known = as_crawlhouse_error(error, f"The database {self.display_name}", SQLITE_BUSY_SECONDS, self._secrets)
            if known is None:
                raise
            raise known from error

    def create_tables(self) -> None:
        """Create missing tables, once, also if many processes start together.

        Raises ConflictError if the tables have another version.
        """
        found = self.version()
        if found is None:
            self._create()
            found = self.version()
        self._check(found)

    def check_version(self) -> None:
        """Check that the tables, if there are any, have the version of this release. Raises ConflictError."""
        self._check(self.version())

    def check_upgradable(self) -> None:
        """Check that the tables, if there are any, are neither newer than this release nor too old. Raises ConflictError."""
        self._check_bounds(self.version())

    def _check(self, found: int | None) -> None:
        self._check_bounds(found)
        if found is not None and found < SCHEMA_VERSION:
            raise ConflictError(
                f"The database {self.display_name} has tables of version {found}, this crawlhouse ({release()}) needs {SCHEMA_VERSION}. "
                f"Run `crawlhouse upgrade`, {ELSEWHERE}."
            )

    def _check_bounds(self, found: int | None) -> None:
        if found is not None and found > SCHEMA_VERSION:
            raise ConflictError(
                f"The database {self.display_name} has tables of version {found}{self._made_by()}, this crawlhouse ({release()}) knows "
                f"{SCHEMA_VERSION} at most. Install the newer crawlhouse again, restore the backup that its `upgrade` made, {ELSEWHERE}."
            )
        if found is not None and found < OLDEST_VERSION:
            raise ConflictError(
                f"The database {self.display_name} has tables of version {found}, this crawlhouse ({release()}) upgrades from "
                f"{OLDEST_VERSION}. "
                f"Use the crawlhouse that made them, {ELSEWHERE}."
            )

    def _made_by(self) -> str:
        """Which release made the tables, for a message; empty if that is not known."""
        try:
            with self.read() as connection:
                made_by = connection.scalar(select(SCHEMA.c.made_by))
        except DBAPIError:
            return ""
        return f", made by crawlhouse {made_by}" if made_by else ""

    def version(self) -> int | None:
        """The version of the tables; None if there are none yet. Raises UnavailableError, StorageError."""
        try:
            with self.read() as connection:
                return connection.scalar(select(SCHEMA.c.version))
        except ProgrammingError:  # PostgreSQL: no such table
            return None
        except NoTableError:
            return None

    def _create(self) -> None:
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CREATION_LOCK})
            METADATA.create_all(connection)
            if connection.scalar(select(SCHEMA.c.version)) is None:
                connection.execute(insert(SCHEMA).values(version=SCHEMA_VERSION, made_by=release()))


class NoTableError(Exception):
    """SQLite's error for tables that do not exist yet."""


def check_version(settings: Settings) -> None:
    """Check that a home, if there is one, has the version of this release. Creates nothing. Raises ConflictError."""
    if not settings.database and not settings.database_file("frontier").exists():
        return
    database = Database(settings.database_url("frontier"))
    try:
        database.check_version()
    finally:
        database.close()


def release() -> str:
    """The version of the package crawlhouse."""
    return version("crawlhouse")


def open_database(url: str, pooled: bool = False) -> Database:
    """The database at a SQLAlchemy URL; missing tables are created.

    `pooled` keeps a connection open between transactions: for a process that makes many, never forks, and closes at its end.
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
    """Make the folder of a SQLite file, which only its user can open. Raises StorageError."""
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
    connection.isolation_level = None  # `Database` begins transactions itself, not the driver
    _set_wal(connection)
    connection.execute("PRAGMA synchronous=NORMAL")  # with WAL, a power cut may lose the last commits, but the file stays consistent
    connection.execute("PRAGMA cache_size=-2048")  # 2 MB in each process; the operating system caches the file anyway
    connection.create_function("regexp", 2, regexp)  # in place of SQLAlchemy's, which has no time limit


def _set_wal(connection: sqlite3.Connection) -> None:
    deadline = time.monotonic() + SQLITE_BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:  # SQLite does not wait here by itself
            if not is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _sqlite_begins(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
