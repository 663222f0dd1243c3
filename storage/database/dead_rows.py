"""Remove what deleted and changed rows have left in the files of a database."""

from __future__ import annotations

from sqlalchemy import text

from schemas.config.settings import Settings
from storage.database.backup import vacuum
from storage.database.engine import Database
from storage.database.version_table import METADATA


def remove_dead_rows(settings: Settings) -> list[str]:
    """Rewrite the SQLite file of frontier and ledger, or vacuum its tables on PostgreSQL; the tables or the file.

    Raises UnavailableError, StorageError.
    """
    if not settings.database:
        file = settings.database_file("frontier")
        if file.exists():
            vacuum(file)
        return [str(file)]
    database = Database(settings.database_url("frontier"))
    try:
        return vacuum_tables(database)
    finally:
        database.close()


def vacuum_tables(database: Database) -> list[str]:
    """Remove dead rows from the tables of PostgreSQL. Rows that a transaction of others can still see stay until the next time."""
    names = sorted(METADATA.tables)
    with database.autocommit() as connection:
        for name in names:
            connection.execute(text(f'VACUUM (FREEZE, INDEX_CLEANUP ON) "{name}"'))
    return names
