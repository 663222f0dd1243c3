"""Version 5: no password of a proxy in stored configurations; `schema_version` says which release made or upgraded the tables."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from storage.database.migrations import Migrated

revision = "5"
down_revision = "4"

HAS_LOGIN = '%"proxy":"%@%'  # rows without it are not read
TABLES = (("crawl_runs", "crawl_run"), ("process_runs", "process_run"))
NAME_LENGTH = 34  # a secret's name has at most 40 characters


def upgrade() -> Migrated:
    """Add the column `made_by`; replace a proxy's login in stored configurations by the name of a secret."""
    op.add_column("schema_version", sa.Column("made_by", sa.String()))
    secrets = [secret for name, key in TABLES for secret in _without_logins(name, key)]
    if not secrets:
        return Migrated()
    variables = ", ".join(sorted({f"CRAWLHOUSE_SECRET_{secret.upper()}" for secret in secrets}))
    note = (
        f"The password of a proxy was removed from {len(secrets)} of the stored configurations. Runs of theirs that are still open read "
        f"the login from {variables} in the environment."
    )
    return Migrated((note,), removed_secrets=True)


def _without_logins(name: str, key: str) -> Iterator[str]:
    """Rewrites the rows of a table; the name of the secret of each."""
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
