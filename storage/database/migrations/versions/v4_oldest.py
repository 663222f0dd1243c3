"""Version 4 is the oldest that is brought forward: there is nothing to do to reach it."""

from __future__ import annotations

from storage.database.migrations import MigrationStep

revision = "4"
down_revision = None


def upgrade() -> MigrationStep:
    """Nothing: databases before it stay with the crawlhouse that made them."""
    return MigrationStep()
