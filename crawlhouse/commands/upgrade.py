"""`crawlhouse upgrade`: bring the database and the tables of an earlier release to the current version."""

from __future__ import annotations

EXAMPLES = """
Examples:

  crawlhouse down && crawlhouse upgrade
"""


def upgrade() -> None:
    """Bring the database and the tables of an earlier release to the current version, so that this release opens them.

    Stop Airflow and crawls first. Each SQLite file is copied to `backups/` in the home before it is changed. PostgreSQL is not copied:
    run `pg_dump` first. An upgrade that is interrupted leaves everything as it was. Running it again changes nothing.
    """
    from crawlhouse.actions.upgrade import upgrade_home
    from schemas.config.settings import load_settings

    upgrade_home(load_settings())
