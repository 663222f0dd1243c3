"""`crawlhouse backup` and `crawlhouse restore`."""

from __future__ import annotations

from typing import Annotated

import typer

BACKUP_EXAMPLES = """
Examples:

  crawlhouse backup /mnt/backups/news

  crawlhouse backup s3://backups/news
"""

RESTORE_EXAMPLES = """
Examples:

  crawlhouse restore /mnt/backups/news
"""


def backup(target: Annotated[str, typer.Argument(help="A folder, or s3://BUCKET/PREFIX on the server of CRAWLHOUSE_S3_ENDPOINT.")]) -> None:
    """Copy frontier, ledger, catalog and all objects of the store to another place.

    Crawls and processing may go on meanwhile. A further backup to the same place copies only what is new. Airflow's own database is not
    part of it: its history, users and connections are saved with `pg_dump --schema=airflow`, or by copying the home's `airflow/`.
    """
    from crawlhouse.actions.backup import run_backup
    from schemas.config.settings import load_settings

    run_backup(load_settings(), target)


def restore(source: Annotated[str, typer.Argument(help="The place of a backup.")]) -> None:
    """Restore a backup into an empty database and an empty store, with the same CRAWLHOUSE_STORE (and CRAWLHOUSE_HOME, for SQLite).

    If it is interrupted, run it again. Then run the crawls as before.
    """
    from crawlhouse.actions.backup import run_restore
    from schemas.config.settings import load_settings

    run_restore(load_settings(), source)
