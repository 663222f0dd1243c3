"""Version 6: tables for lists of runs, and for what is wrong with crawls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.database.migrations import MigrationStep

revision = "6"
down_revision = "5"


def upgrade() -> MigrationStep:
    """Add the tables of closed runs in numbers, and of alarms."""
    counts = ("due", "fetched", "denied", "failed", "filtered", "left_over", "bytes")
    outcomes = ("records", "published", "known", "duplicate", "quarantined", "rejected")
    op.create_table(
        "run_summaries",
        sa.Column("crawl_run", sa.String(), sa.ForeignKey("crawl_runs.crawl_run"), primary_key=True),
        sa.Column("closed_at", sa.Float(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in counts),
        sa.Column("finish_reason", sa.String(), nullable=False),
        sa.Column("missed", sa.Text()),
        sa.Column("process_run", sa.String()),
        sa.Column("published_at", sa.Float()),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in outcomes),
        sa.Column("layout", sa.Text()),
    )
    op.create_index("ix_run_summaries_published_at", "run_summaries", ["published_at"])
    op.create_table(
        "alarms",
        sa.Column("crawl", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("raised", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("url", sa.Text()),
        sa.Column("run", sa.String()),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("claimed_at", sa.Float()),
    )
    return MigrationStep()
