"""Upgrades what an earlier release wrote: the tables of frontier and ledger, the tables of the lake, and the modes of files."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NoSuchTableError

from schemas.config.settings import Settings
from schemas.errors import NotFoundError
from schemas.tables import TABLES
from storage.database.backup import back_up
from storage.database.engine import Database
from storage.database.locks import hold_lock
from storage.database.migration import Migration, WorkersActiveError, migrate
from storage.database.private_files import is_shared, restrict_mode
from storage.lake.catalog import NAMESPACE, open_catalog
from storage.lake.tables import outdated_columns, outdated_properties, undocumented_columns, with_columns

UPGRADE_KEY = 7_205_762  # of its lock; an arbitrary number, as the other lock keys
WAIT_SECONDS = 600.0  # for another upgrade
POLL_SECONDS = 5.0  # between two looks for workers
DESCRIPTIONS = "descriptions of its columns"
DATABASES = ("frontier.sqlite", "catalog.sqlite")
ProgressCallback = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What was done. `tables` are the new columns and properties of the lake's tables; `private` are files that others could open."""

    migration: Migration | None
    tables: dict[str, list[str]]
    backups: tuple[Path, ...]
    private: tuple[Path, ...]

    def __bool__(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.migration or self.tables or self.private)


def upgrade(settings: Settings, report_progress: ProgressCallback = lambda _: None, wait_seconds: float = 0) -> Upgrade:
    """Upgrade a home. Each SQLite file is copied to `backups/` before it is changed. A second upgrade waits for the first.

    `wait_seconds` is how long to wait for workers that run, or that were killed and still hold hosts. Raises NotFoundError if there is no
    database; ConflictError if the home is newer or too old, and while workers, a publisher or another upgrade run; UnavailableError,
    StorageError.
    """
    if not settings.database and not any((settings.home / name).exists() for name in DATABASES):
        raise NotFoundError(f"There is nothing to upgrade in {settings.home}: it has no database yet. The first crawl makes it.")
    with hold_lock(settings, UPGRADE_KEY, WAIT_SECONDS, "upgrading"):
        private = tuple(_restrict_modes(settings))
        migration = _migrate(settings, report_progress, wait_seconds)
        tables, copy = _update_lake(settings, report_progress)
    copies = (migration.backup if migration else None, copy)
    return Upgrade(migration, tables, tuple(path for path in copies if path is not None), private)


def _migrate(settings: Settings, report_progress: ProgressCallback, wait_seconds: float) -> Migration | None:
    database = Database(settings.database_url("frontier"))
    deadline = time.monotonic() + wait_seconds
    try:
        database.check_upgradable()
        while True:
            try:
                return migrate(database, report_progress)
            except WorkersActiveError as error:
                if time.monotonic() >= deadline:
                    raise
                report_progress(str(error))
                time.sleep(POLL_SECONDS)
    finally:
        database.close()


def _update_lake(settings: Settings, report_progress: ProgressCallback) -> tuple[dict[str, list[str]], Path | None]:
    """The new columns and properties of each changed table, and the copy of the catalog that was made before."""
    path = settings.database_file("catalog")
    if not settings.database and not path.exists():
        return {}, None
    catalog = open_catalog(settings)
    try:
        wanting = [name for name in TABLES if _is_behind(catalog, name)]
        if not wanting:
            return {}, None
        copy = None if settings.database else back_up(path, "lake")
        return {name: list(_update_table(catalog, name, report_progress)) for name in wanting}, copy
    finally:
        catalog.close()


def _is_behind(catalog: SqlCatalog, name: str) -> bool:
    try:
        table = catalog.load_table((NAMESPACE, name))
    except NoSuchTableError:  # it is created when it is first used
        return False
    return bool(outdated_columns(table, TABLES[name]) or undocumented_columns(table, TABLES[name]) or outdated_properties(table))


def _update_table(catalog: SqlCatalog, name: str, report_progress: ProgressCallback) -> Iterator[str]:
    report_progress(f"Updating the table {name}")
    table = catalog.load_table((NAMESPACE, name))
    yield from outdated_columns(table, TABLES[name])
    if undocumented_columns(table, TABLES[name]):
        yield DESCRIPTIONS
    table = with_columns(catalog, table, TABLES[name])
    if properties := outdated_properties(table):
        with table.transaction() as transaction:
            transaction.set_properties(properties)
    yield from sorted(properties)


def _restrict_modes(settings: Settings) -> Iterator[Path]:
    """Remove the rights of others from the home and its databases; the group's too, unless a group shares the home (setgid)."""
    home = settings.home
    if not home.is_dir() or home.stat().st_mode & stat.S_ISVTX:  # a folder for all users, like /tmp
        return
    shared = is_shared(home)
    for path in (home, *sorted(path for path in home.glob("*.sqlite*") if path.is_file() and not path.is_symlink())):
        with suppress(PermissionError, FileNotFoundError):  # it belongs to another user, or was just deleted
            if restrict_mode(path, shared):
                yield path
