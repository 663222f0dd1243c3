"""Backups of everything that cannot be made again: the databases, then the objects of the store; and restoring them into an empty place.

A backup is a folder or an S3 prefix: `backup.json` is written last and names the copy of the databases that it belongs to. The databases
are copied first, so that they name no object that is missing in the copy. Objects are never changed after they were written, so a second
backup to the same place copies new objects only.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, func, literal_column, select, text

from runtime.scratch import scratch_folder
from schemas.config.settings import Settings, make_home
from schemas.errors import ConfigError, ConflictError, NotFoundError, StorageError
from schemas.keys import TASK_LOGS
from schemas.numbers import plural
from storage.database.backup import copy_file
from storage.database.engine import open_database, release
from storage.database.ledger_tables import CRAWL_RUNS
from storage.database.migrations import SCHEMA_VERSION
from storage.database.private_files import make_private_file
from storage.database.version_table import METADATA
from storage.lake.catalog import open_catalog
from storage.objects.open import open_store
from storage.objects.store import ObjectStore

MANIFEST = "backup.json"
OBJECTS = "objects/"
DATABASES = ("frontier", "catalog")  # in this order: a catalog that is newer than the ledger is repaired by the next publish
COPY_BYTES = 1 << 20
Report = Callable[[str], None]


class BackupManifest(msgspec.Struct):
    """What a backup holds. `tables` are the columns of each copied table of PostgreSQL; empty for SQLite files."""

    made_at: str
    made_by: str
    version: int
    store: str
    home: str
    database: str
    tables: dict[str, list[str]]
    objects: int


@dataclass(frozen=True, slots=True)
class BackupReport:
    """How many objects a backup or restore copied, how many were there already, and the bytes copied."""

    copied: int
    present: int
    size: int


def back_up(settings: Settings, target: str, report: Report = lambda _: None) -> BackupReport:
    """Back up to a folder or an `s3://` prefix. Workers and publishers may go on meanwhile.

    Raises NotFoundError if there is nothing to back up, UnavailableError, StorageError.
    """
    if not settings.database and not settings.database_file("frontier").exists():
        raise NotFoundError(f"There is nothing to back up in {settings.home}: it has no database yet.")
    place, now = _place(settings, target), datetime.now(UTC)
    folder = f"database/{now:%Y%m%dT%H%M%SZ}"
    report("Copying the database")
    tables = _dump(settings, place, folder) if settings.database else _copy_files(settings, place, folder)
    done, number = _copy_objects(open_store(settings), "", place, OBJECTS, report)
    manifest = BackupManifest(now.isoformat(), release(), SCHEMA_VERSION, settings.store_url(), str(settings.home), folder, tables, number)
    place.put_bytes(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    for old in list(place.list("database/")):
        if not old.key.startswith(f"{folder}/"):
            place.delete(old.key)
    return done


def restore(settings: Settings, source: str, report: Report = lambda _: None) -> BackupReport:
    """Restore a backup into an empty store and an empty database. An interrupted restore is completed by another one.

    Raises NotFoundError if there is no backup, ConfigError if it belongs to another store or home, ConflictError if runs are here already,
    or if another release made it; UnavailableError, StorageError.
    """
    place = _place(settings, source)
    if place.info(MANIFEST) is None:
        raise NotFoundError(f"{source} holds no complete backup: there is no {MANIFEST}.")
    manifest = msgspec.json.decode(place.get_bytes(MANIFEST), type=BackupManifest)
    _check(settings, manifest)
    done, number = _copy_objects(place, OBJECTS, open_store(settings), "", report)
    if number < manifest.objects:
        raise StorageError(f"{source} holds {number} of its {plural(manifest.objects, 'object')}. Nothing was written to the database.")
    report("Restoring the database")
    if settings.database:
        _load(settings, place, manifest)
    else:
        _restore_files(settings, place, manifest)
    return done


def _check(settings: Settings, manifest: BackupManifest) -> None:
    if manifest.version != SCHEMA_VERSION:
        raise ConflictError(
            f"crawlhouse {manifest.made_by} made this backup, with tables of version {manifest.version}; this one needs {SCHEMA_VERSION}. "
            "Restore it with that release, then run `crawlhouse upgrade`."
        )
    if bool(manifest.tables) != bool(settings.database):
        kind = "PostgreSQL: set CRAWLHOUSE_DATABASE" if manifest.tables else "SQLite files: unset CRAWLHOUSE_DATABASE"
        raise ConfigError(f"This is a backup of {kind}.")
    if manifest.store != settings.store_url():
        raise ConfigError(f"This is a backup of the store {manifest.store}, whose name is in its tables. Set CRAWLHOUSE_STORE to that.")
    if _has_runs(settings):
        raise ConflictError(f"There are crawl runs in {settings.redacted_database()}. Restore into an empty database.")


def _has_runs(settings: Settings) -> bool:
    if not settings.database and not settings.database_file("frontier").exists():
        return False
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection:
            return bool(connection.scalar(select(func.count()).select_from(CRAWL_RUNS)))
    finally:
        database.close()


def _place(settings: Settings, where: str) -> ObjectStore:
    given = where if where.startswith("s3://") else str(Path(where).expanduser().absolute())
    return open_store(settings.model_copy(update={"store": given}))


def _copy_objects(source: ObjectStore, prefix: str, target: ObjectStore, target_prefix: str, report: Report) -> tuple[BackupReport, int]:
    """Copy what the target does not have. Returns what was done, and the number of objects."""
    known = {one.key: one.size for one in target.list(target_prefix)}
    copied = present = size = 0
    with scratch_folder() as folder:
        for found in source.list(prefix):
            name = found.key.removeprefix(prefix)
            if name.startswith(TASK_LOGS):
                continue
            if known.get(target_prefix + name) == found.size:
                present += 1
                continue
            _copy_object(source, found.key, target, target_prefix + name, folder / "object")
            copied, size = copied + 1, size + found.size
            report(f"Copied {plural(copied, 'object')}, {size / 1e6:,.0f} MB")
    return BackupReport(copied, present, size), copied + present


def _copy_object(source: ObjectStore, key: str, target: ObjectStore, target_key: str, path: Path) -> None:
    with source.open(key) as stream, path.open("wb") as file:
        shutil.copyfileobj(stream, file, COPY_BYTES)
    target.put_file(target_key, path)


def _copy_files(settings: Settings, place: ObjectStore, folder: str) -> dict[str, list[str]]:
    with scratch_folder() as scratch:
        for name in DATABASES:
            if settings.database_file(name).exists():
                copy_file(settings.database_file(name), scratch / name)
                place.put_file(f"{folder}/{name}.sqlite", scratch / name)
    return {}


def _restore_files(settings: Settings, place: ObjectStore, manifest: BackupManifest) -> None:
    if manifest.home != str(settings.home):
        raise ConfigError(f"This is a backup of the home {manifest.home}, whose path is in its tables. Set CRAWLHOUSE_HOME to that.")
    make_home(settings)
    for name in reversed(DATABASES):  # the frontier last: a home with one counts as restored
        key, file = f"{manifest.database}/{name}.sqlite", settings.database_file(name)
        if place.info(key) is None:
            continue
        for left in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
            left.unlink(missing_ok=True)
        partial = file.with_name(f".{file.name}.part")
        partial.unlink(missing_ok=True)
        make_private_file(partial)
        with place.open(key) as stream, partial.open("wb") as writing:
            shutil.copyfileobj(stream, writing, COPY_BYTES)
        partial.replace(file)


def _dump(settings: Settings, place: ObjectStore, folder: str) -> dict[str, list[str]]:
    """Copy each table of frontier, ledger and catalog, all from one snapshot. Returns their columns."""
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection, scratch_folder() as scratch:
            tables = _columns(connection)
            for name, columns in tables.items():
                with (scratch / name).open("wb") as file:
                    for part in _copying(connection, f"COPY {_quoted(name)} ({_list(columns)}) TO STDOUT (FORMAT BINARY)"):
                        file.write(part)
                place.put_file(f"{folder}/{name}.copy", scratch / name)
        return tables
    finally:
        database.close()


def _load(settings: Settings, place: ObjectStore, manifest: BackupManifest) -> None:
    """Fill the tables, in one transaction."""
    open_catalog(settings).close()  # makes its tables
    database = open_database(settings.database_url("frontier"))
    try:
        with database.write() as connection:
            connection.execute(text(f"TRUNCATE {', '.join(_quoted(name) for name in _columns(connection))} CASCADE"))
            for name in sorted(manifest.tables, key=_position):
                statement = f"COPY {_quoted(name)} ({_list(manifest.tables[name])}) FROM STDIN (FORMAT BINARY)"
                _fill(connection, statement, place, f"{manifest.database}/{name}.copy")
            _set_sequences(connection, manifest.tables)
    finally:
        database.close()


def _position(name: str) -> int:
    """Tables come after those to which they refer."""
    names = [table.name for table in METADATA.sorted_tables]
    return names.index(name) if name in names else len(names)


def _columns(connection: Connection) -> dict[str, list[str]]:
    """The columns of all tables of the schema, in their order."""
    query = text(
        "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name, ordinal_position"
    )
    tables: dict[str, list[str]] = {}
    for row in connection.execute(query):
        tables.setdefault(row.table_name, []).append(row.column_name)
    return tables


def _copying(connection: Connection, statement: str) -> Iterator[bytes]:
    with _cursor(connection) as cursor, cursor.copy(statement) as copy:
        for part in copy:
            yield bytes(part)


def _fill(connection: Connection, statement: str, place: ObjectStore, key: str) -> None:
    with _cursor(connection) as cursor, cursor.copy(statement) as copy, place.open(key) as stream:
        while part := stream.read(COPY_BYTES):
            copy.write(part)


def _cursor(connection: Connection) -> Any:  # Any: psycopg's, which SQLAlchemy does not type
    driver: Any = connection.connection.driver_connection
    return driver.cursor()


def _set_sequences(connection: Connection, tables: dict[str, list[str]]) -> None:
    for name, columns in tables.items():
        for column in columns:
            sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:name, :column)"), {"name": _quoted(name), "column": column})
            if sequence:
                highest = connection.scalar(select(func.max(literal_column(_quoted(column)))).select_from(text(_quoted(name))))
                connection.execute(text("SELECT setval(:sequence, :next, false)"), {"sequence": sequence, "next": (highest or 0) + 1})


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _list(names: list[str]) -> str:
    return ", ".join(_quoted(name) for name in names)
