"""How the tables of frontier and ledger get from one version to the next: one file in `versions/` for each, which Alembic reads.

The version of a database is the number in its table `schema_version`. Alembic's own table is not used.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA_VERSION = 6  # the version of the newest file in `versions/`
OLDEST_VERSION = 4  # the oldest version that `crawlhouse upgrade` can upgrade


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """Notes of a migration for the user, one sentence each, and whether it removed secrets, which must leave the file too."""

    notes: tuple[str, ...] = ()
    removed_secrets: bool = False
