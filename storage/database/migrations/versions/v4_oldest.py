"""Version 4 is the oldest version that can be upgraded. Nothing is done to reach it."""

from __future__ import annotations

from storage.database.migrations import MigrationStep

revision = "4"
down_revision = None


def upgrade() -> MigrationStep:
    """Do nothing: older databases can only be used by the release that made them."""
    return MigrationStep()
