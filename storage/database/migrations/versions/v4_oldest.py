"""Version 4 is the oldest that is brought forward: there is nothing to do to reach it."""

from __future__ import annotations

from storage.database.migrations import Migrated

revision = "4"
down_revision = None


def upgrade() -> Migrated:
    """Nothing: databases before it stay with the crawlhouse that made them."""
    return Migrated()
