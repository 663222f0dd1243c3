"""Airflow's own tables. They are made once, and migrated when Airflow's version changes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from crawlhouse.airflow import processes
from crawlhouse.airflow.home import AirflowHome, write_private
from runtime.command_line import module_command
from schemas.config.settings import Settings
from schemas.credentials.database_url import parse_database_url
from schemas.credentials.redaction import redacted
from schemas.errors import StorageError, UnavailableError

MIGRATE_TIMEOUT_SECONDS = 300  # many times what a quiet machine needs
LOG_LINES = 15  # of the log in an error's message: a traceback's end


def migrate(home: AirflowHome, settings: Settings, mark: str, environment: Mapping[str, str]) -> bool:
    """Make or update the tables. False if they were up to date. `mark` is the mark of the caller's start.

    Raises UnavailableError for a database that does not answer and StorageError for a migration that fails.
    """
    done = home.folder / "migrated"
    current = f"{version('apache-airflow-core')} {settings.redacted_database()}"
    database = home.folder / "airflow.db"
    if _read(done) == current and (settings.database or database.exists()):
        return False
    if settings.database:
        make_schema(settings)
    elif not done.exists():
        for path in home.folder.glob("airflow.db*"):  # from a start that was killed while it made the tables: they are empty
            path.unlink()
    _run_migration(home, mark, environment)
    write_private(done, current)
    return True


def _run_migration(home: AirflowHome, mark: str, environment: Mapping[str, str]) -> None:
    log = home.logs / "migrate.log"
    log.unlink(missing_ok=True)
    process = processes.spawn(module_command("airflow", "db", "migrate"), mark, log, environment)
    try:
        code = process.wait(MIGRATE_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"Airflow's database does not answer within {MIGRATE_TIMEOUT_SECONDS} s; see {log}.") from error
    if code != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])
        raise StorageError(f"Airflow's tables could not be made or updated; see {log}. It ends with:\n{tail}")


def make_schema(settings: Settings) -> None:
    """Make the schema `airflow` in CRAWLHOUSE_DATABASE if it is missing. Raises UnavailableError, StorageError."""
    import sqlalchemy

    from storage.database.errors import as_crawlhouse_error, first_line

    server = parse_database_url(settings.database)
    engine = sqlalchemy.create_engine(settings.database_url("airflow"), connect_args={"connect_timeout": 10})
    try:
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE SCHEMA IF NOT EXISTS airflow"))
    except sqlalchemy.exc.ProgrammingError as error:
        reason = redacted(first_line(error), server.secrets())
        raise StorageError(f"The schema 'airflow' cannot be made: {reason}. Let an administrator create it for this user.") from error
    except sqlalchemy.exc.DBAPIError as error:
        known = as_crawlhouse_error(error, f"The database {server.redacted()} of CRAWLHOUSE_DATABASE", secrets=server.secrets())
        raise known or StorageError(f"The schema 'airflow' cannot be made in {server.redacted()}.") from error
    finally:
        engine.dispose()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
