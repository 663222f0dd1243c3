"""Upgrades the tables of frontier and ledger to the version of this release: one transaction, in which no other process writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, text, update

from runtime.failpoint import reached
from schemas.errors import ConflictError
from storage.database.backup import back_up, vacuum
from storage.database.engine import CREATION_LOCK, Database, release
from storage.database.locks import hold_publish_lock
from storage.database.migrations import SCHEMA_VERSION, MigrationStep
from storage.database.version_table import SCHEMA

FOLDER = Path(__file__).parent / "migrations"
PUBLISHER_WAIT_SECONDS = 30.0  # chosen: a short publication ends meanwhile, a long one is reported
LOCK_WAIT_SECONDS = 30  # for transactions of others
# tables of every version since the oldest; locked in the order in which workers lock them
WRITTEN_BY_WORKERS = "crawl_runs, workers, hosts, schema_version"


class WorkersActiveError(ConflictError):
    """A worker holds hosts, so the tables cannot be changed now."""


ProgressCallback = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Migration:
    """What was done: the versions before and after, the copy made before (SQLite only), and notes for the user."""

    before: int
    after: int
    backup: Path | None
    notes: tuple[str, ...]


def migrate(database: Database, report_progress: ProgressCallback = lambda _: None) -> Migration | None:
    """Upgrade the tables; None if there is nothing to do. `report_progress` gets a line for each step.

    If the process crashes, the tables stay as they were. Raises ConflictError if the tables are newer or too old, and while workers or a
    publisher run; UnavailableError, StorageError.
    """
    found = database.version()
    if found is None or found == SCHEMA_VERSION:
        return None
    database.check_upgradable()
    with hold_publish_lock(database, PUBLISHER_WAIT_SECONDS), database.write() as connection:
        _lock_tables(connection)
        before = connection.execute(text("SELECT version FROM schema_version")).scalar_one()
        if before == SCHEMA_VERSION:  # another upgrade was faster
            return None
        _check_no_worker(connection)
        copy = _backup(database, before, report_progress)
        done = list(_run(connection, before, report_progress))
        reached("upgrade.before.version")
        connection.execute(update(SCHEMA).values(version=SCHEMA_VERSION, made_by=release()))
        reached("upgrade.before.commit")
    if database.is_sqlite and any(one.removed_secrets for one in done):
        report_progress("Removing what was deleted from the file")
        vacuum(Path(str(database.url.database)))
    return Migration(before, SCHEMA_VERSION, copy, tuple(note for one in done for note in one.notes))


def migrations() -> ScriptDirectory:
    """The migrations, one for each version, as Alembic reads them."""
    return ScriptDirectory(str(FOLDER), version_locations=[str(FOLDER / "versions")])


def _run(connection: Connection, before: int, report_progress: ProgressCallback) -> Iterator[MigrationStep]:
    steps: list[Script] = list(migrations().iterate_revisions(str(SCHEMA_VERSION), str(before)))
    with Operations.context(MigrationContext.configure(connection)):
        for step in reversed(steps):
            report_progress(f"Version {step.revision}: {step.doc.removeprefix(f'Version {step.revision}: ')}")
            yield step.module.upgrade()
            reached(f"upgrade.after.{step.revision}")


def _lock_tables(connection: Connection) -> None:
    """Let no other process use the workers' tables until the end. On SQLite the transaction itself is the lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_SECONDS}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CREATION_LOCK})
        connection.execute(text(f"LOCK TABLE {WRITTEN_BY_WORKERS} IN ACCESS EXCLUSIVE MODE"))
    else:
        connection.exec_driver_sql("PRAGMA secure_delete=ON")  # deleted data does not stay readable in the file


def _check_no_worker(connection: Connection) -> None:
    now = _now(connection)
    query = text(
        "SELECT lease_worker, crawl_run, max(free_at) AS until FROM hosts JOIN crawl_runs ON run_no = lease_run "
        "WHERE leased AND free_at > :now GROUP BY lease_worker, crawl_run ORDER BY until DESC LIMIT 1"
    )
    row = connection.execute(query, {"now": now}).one_or_none()
    if row is not None:
        raise WorkersActiveError(
            f"The worker {row.lease_worker} of the run {row.crawl_run} is running. Stop it with `crawlhouse stop`, or wait "
            f"{row.until - now:.0f} s if it was killed; then upgrade again."
        )


def _now(connection: Connection) -> float:
    if connection.dialect.name == "postgresql":
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return time.time()


def _backup(database: Database, version: int, report_progress: ProgressCallback) -> Path | None:
    if not database.is_sqlite:
        return None
    return back_up(Path(str(database.url.database)), f"version-{version}", report_progress)
