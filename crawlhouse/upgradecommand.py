"""`crawlhouse upgrade`: brings the database and the tables of an earlier release forward."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from crawlhouse.console import live_line, say
from schemas.errors import ConflictError

if TYPE_CHECKING:
    from schemas.settings import Settings
    from storage.upgrade import Upgrade

EXAMPLES = """
Examples:

  crawlhouse down && crawlhouse upgrade
"""


def upgrade() -> None:
    """Bring the database and the tables of an earlier release forward, so that this one opens them.

    Stop Airflow and crawls first. Each SQLite file is copied to `backups/` in the home before it is changed; PostgreSQL is not copied:
    run `pg_dump` first. A death on the way leaves everything as it was. Running it again changes nothing.
    """
    from schemas.settings import load_settings

    settings = load_settings()
    for line in lines(upgraded(settings), settings):
        say(line)


def upgraded(settings: Settings) -> Upgrade:
    """Upgrade a house, with a live line. Raises ConflictError while its Airflow runs, and what `storage.upgrade.upgrade` raises."""
    from crawlhouse import stack
    from storage.upgrade import upgrade as run

    if stack.is_running(settings):
        raise ConflictError("Airflow runs in this home, with the code of before. Stop it with `crawlhouse down`, then upgrade.")
    with live_line() as tell:
        return run(settings, tell)


def lines(done: Upgrade, settings: Settings) -> Iterator[str]:
    """What was done, a sentence a line."""
    from storage.database import SCHEMA_VERSION

    if not done:
        yield f"Nothing to do: everything has version {SCHEMA_VERSION} already."
        return
    if done.migration is not None:
        yield f"The database ({settings.database_shown()}) was brought from version {done.migration.before} to {done.migration.after}."
        yield from done.migration.notes
    for table, changes in done.tables.items():
        yield f"The table {table} got {', '.join(changes)}."
    if done.private:
        yield (
            f"{len(done.private)} files and folders could be opened by others, and are private now: {done.private[0]}"
            f"{' and what is in it' if len(done.private) > 1 else ''}. docs/operations.md says how a group shares a home."
        )
    for copy in done.backups:
        yield f"What was there before is in {copy}. Delete it when all is well: it holds everything, passwords too."
