"""Version 5: stored configurations hold no password of a proxy; `schema_version` names the release that made or upgraded the tables.

Some columns get plainer names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from storage.database.migrations import MigrationStep

revision = "5"
down_revision = "4"

HAS_LOGIN = '%"proxy":"%@%'  # rows without it are not read
TABLES = (("crawl_runs", "crawl_run"), ("process_runs", "process_run"))
NEW_NAMES = (
    ("urls", "leads", "is_primary_source"),
    ("hint_trust", "kept", "confirmed"),
    ("hint_trust", "lied", "refuted"),
    ("hint_trust", "open", "pending"),
    ("workers", "incarnation", "attempt"),
    ("workers", "answers", "responses"),
)
NAME_LENGTH = 34  # a secret's name has at most 40 characters


def upgrade() -> MigrationStep:
    """Add the column `made_by`, rename columns, and replace a proxy's login in stored configurations by the name of a secret."""
    op.add_column("schema_version", sa.Column("made_by", sa.String()))
    op.add_column("process_runs", sa.Column("datasets", sa.Text()))
    op.add_column("process_runs", sa.Column("replacement", sa.Text()))
    op.add_column("crawl_runs", sa.Column("budget_shortfall", sa.Text()))
    _make_held()
    op.create_table(
        "seed_hosts",
        sa.Column("crawl", sa.String(), primary_key=True),
        sa.Column("host", sa.String(), primary_key=True),
        sa.Column("url", sa.Text(), nullable=False),
    )
    _rename_columns()
    _add_sharing()
    secrets = [secret for name, key in TABLES for secret in _without_logins(name, key)]
    if not secrets:
        return MigrationStep()
    variables = ", ".join(sorted({f"CRAWLHOUSE_SECRET_{secret.upper()}" for secret in secrets}))
    note = (
        f"The password of a proxy was removed from {len(secrets)} of the stored configurations. Their runs that are still open read "
        f"the login from {variables} in the environment."
    )
    return MigrationStep((note,), removed_secrets=True)


def _make_held() -> None:
    """Add the table of what the gate holds back."""
    op.create_table(
        "held",
        sa.Column("crawl_run", sa.String(), sa.ForeignKey("crawl_runs.crawl_run"), nullable=False),
        sa.Column("dataset", sa.String(), nullable=False),
        sa.Column("crawl", sa.String(), nullable=False),
        sa.Column("process_run", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("held_at", sa.Float(), nullable=False),
        sa.Column("decision", sa.String()),
        sa.Column("decided_by", sa.String()),
        sa.Column("decided_at", sa.Float()),
        sa.Column("decision_reason", sa.Text()),
        sa.PrimaryKeyConstraint("crawl_run", "dataset"),
    )
    op.create_index("ix_held_crawl", "held", ["crawl"])


def _add_sharing() -> None:
    """Add what workers need to share the hosts of a run, and what the next owner of a host should know."""
    for name in ("busy", "failures"):
        op.add_column("hosts", sa.Column(name, sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("workers", sa.Column("active_hosts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("workers", sa.Column("ended_at", sa.Float()))


def _rename_columns() -> None:
    op.drop_index("ix_urls_leaders", "urls")
    for table, before, after in NEW_NAMES:
        op.alter_column(table, before, new_column_name=after)
    is_primary_source = sa.text("is_primary_source")
    op.create_index(
        "ix_urls_primary_sources", "urls", ["host_id"], sqlite_where=sa.text("is_primary_source = 1"), postgresql_where=is_primary_source
    )


def _without_logins(name: str, key: str) -> Iterator[str]:
    """Rewrite the rows of a table that hold a login; yields the name of the secret of each."""
    table = sa.table(name, sa.column(key, sa.String), sa.column("config", sa.Text))
    connection = op.get_bind()
    for row_key in list(connection.scalars(sa.select(table.c[key]).where(table.c.config.like(HAS_LOGIN)))):
        here = table.c[key] == row_key
        config = json.loads(str(connection.scalar(sa.select(table.c.config).where(here))))
        scheme, _, rest = config["network"]["proxy"].partition("://")
        login, at, address = rest.rpartition("@")
        if at:
            secret = f"{config['name'][:NAME_LENGTH]}_proxy"
            config["network"] |= {"proxy": f"{scheme}://{address}", "proxy_secret": secret if ":" in login else None}
            connection.execute(sa.update(table).where(here).values(config=json.dumps(config, ensure_ascii=False, separators=(",", ":"))))
            yield secret
