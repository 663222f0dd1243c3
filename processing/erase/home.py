"""Erase mentions from files of the home: logs, and Airflow's own database; and say what of this machine cannot be erased yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from processing.erase.plan import Plan
from processing.erase.scope import Scope
from schemas.config.settings import Settings
from schemas.errors import StorageError
from storage.database.backup import vacuum

AIRFLOW, AIRFLOW_DATABASE = "airflow", "airflow.db"
LOG_SUFFIXES = frozenset({".log", ".json", ".jsonl", ".txt", ".out", ".err"})
BUSY_SECONDS = 60.0  # to wait for Airflow

Value = str | bytes | int | float | None


def erase_home(plan: Plan, scope: Scope, settings: Settings) -> None:
    """Take mentions out of the home's logs, and out of the SQLite database of an Airflow in the home. Raises StorageError."""
    for path in _logs(settings.home):
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        cleaned = scope.text(text)
        if cleaned != text:
            _overwrite(path, cleaned.encode("utf-8", "surrogateescape"))
            plan.counts["logs"] += 1
    database = settings.home / AIRFLOW / AIRFLOW_DATABASE
    if database.exists():
        plan.counts["rows of Airflow's database"] += _erase_airflow(database, scope)


def _logs(home: Path) -> Iterator[Path]:
    """The text files that processes write: in the home itself, and in the folders of logs."""
    folders = [home / "logs", home / AIRFLOW]
    found = [*home.glob("*"), *(path for folder in folders for path in folder.rglob("*"))]
    yield from (path for path in sorted(set(found)) if path.is_file() and path.suffix in LOG_SUFFIXES)


def _overwrite(path: Path, data: bytes) -> None:
    """Write a log again in its own file: who writes to it goes on at its end. Raises StorageError."""
    try:
        with path.open("r+b") as file:
            file.write(data)
            file.truncate()
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}. Correct its owner or mode, then run this again.") from error


def _erase_airflow(database: Path, scope: Scope) -> int:
    """Take mentions out of all texts of Airflow's database, such as XComs and the configuration of DAG runs; how many rows."""
    changed = 0
    try:
        with closing(sqlite3.connect(database, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            connection.create_function("cleaned", 1, lambda value: _cleaned(value, scope))
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                for column in _texts(connection, table):
                    sql = f'UPDATE "{table}" SET "{column}" = cleaned("{column}") WHERE "{column}" IS NOT cleaned("{column}")'  # noqa: S608
                    changed += connection.execute(sql).rowcount
                connection.commit()
    except sqlite3.Error as error:
        raise StorageError(f"Airflow's database {database} cannot be changed: {error}. Stop it, then run this again.") from error
    if changed:
        vacuum(database)
    return changed


def _texts(connection: sqlite3.Connection, table: str) -> list[str]:
    """The columns of a table that may hold texts, and are no key."""
    columns = connection.execute(f'PRAGMA table_info("{table}")').fetchall()
    kinds = ("CHAR", "TEXT", "JSON", "BLOB", "CLOB")
    return [name for _, name, kind, _, _, key in columns if not key and any(one in str(kind).upper() for one in kinds)]


def _cleaned(value: Value, scope: Scope) -> Value:
    """A value of Airflow's without mentions: a text, or the bytes of one."""
    if isinstance(value, str):
        return scope.json_text(value)
    if isinstance(value, bytes):
        try:
            return scope.json_text(value.decode()).encode()
        except UnicodeDecodeError:  # compressed or pickled
            return value
    return value
