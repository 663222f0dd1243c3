"""`crawlhouse upgrade`: brings the database and the tables of an earlier release forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawlhouse.output.console import progress_line, say
from crawlhouse.output.upgrade import describe_upgrade
from schemas.errors import ConflictError

if TYPE_CHECKING:
    from schemas.config.settings import Settings
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
    from schemas.config.settings import load_settings

    settings = load_settings()
    for line in describe_upgrade(run_upgrade(settings), settings):
        say(line)


def run_upgrade(settings: Settings) -> Upgrade:
    """Upgrade a house, with a live line. Raises ConflictError while its Airflow runs, and what `storage.upgrade.upgrade` raises."""
    from crawlhouse.airflow import stack
    from storage.upgrade import upgrade as run

    if stack.is_running(settings):
        raise ConflictError("Airflow runs in this home, with the code of before. Stop it with `crawlhouse down`, then upgrade.")
    with progress_line() as tell:
        return run(settings, tell)
