"""How the tables of frontier and ledger come from one version to the next: a file in `versions/` for each, read by Alembic.

The version of a database is the number in its table `schema_version`, and nothing else; Alembic's own table is not used.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """What a migration tells the user, a sentence each, and whether it removed secrets that should leave the file too."""

    notes: tuple[str, ...] = ()
    removed_secrets: bool = False
