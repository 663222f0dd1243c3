"""Describes what an upgrade changed, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.config.settings import Settings
from storage.database.migrations import SCHEMA_VERSION
from storage.upgrade import Upgrade


def describe_upgrade(done: Upgrade, settings: Settings) -> Iterator[str]:
    """What was changed, one sentence per line."""
    if not done:
        yield f"Nothing to do: everything has version {SCHEMA_VERSION} already."
        return
    if done.migration is not None:
        yield f"The database ({settings.redacted_database()}) was brought from version {done.migration.before} to {done.migration.after}."
        yield from done.migration.notes
    for name, changes in done.tables.items():
        yield f"The table {name} got {', '.join(changes)}."
    if done.private:
        yield (
            f"Private now, others could open {'it' if len(done.private) == 1 else 'them'}: {done.private[0]}"
            f"{f' and {len(done.private) - 1:,} more in it' if len(done.private) > 1 else ''}. docs/security.md says how a group shares a "
            "home."
        )
    for copy in done.backups:
        yield f"What was there before is in {copy}. Delete it when all is well: it holds everything, passwords too."
