"""What `crawlhouse upgrade` does: bring the database and the tables of an earlier release to the current version."""

from __future__ import annotations

from crawlhouse.airflow import stack
from crawlhouse.output.console import progress_line, say
from crawlhouse.output.upgrade import describe_upgrade
from schemas.config.settings import Settings
from schemas.errors import ConflictError
from storage.upgrade import Upgrade
from storage.upgrade import upgrade as upgrade_storage


def upgrade_home(settings: Settings) -> None:
    """Upgrade and print what was changed. Raises what `run_upgrade` raises."""
    for line in describe_upgrade(run_upgrade(settings), settings):
        say(line)


def run_upgrade(settings: Settings) -> Upgrade:
    """Upgrade, with a progress line. Raises ConflictError while Airflow runs in this home, and what `storage.upgrade.upgrade` raises."""
    if stack.is_running(settings):
        raise ConflictError("Airflow runs in this home with the code of the earlier release. Run `crawlhouse down`, then upgrade.")
    with progress_line() as update:
        return upgrade_storage(settings, update)
