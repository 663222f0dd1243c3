"""Commits to several tables of the lake at once: the next metadata of each is written first, then all pointers move together.

pyiceberg commits one table at a time, and tries again when it meets another commit. Here a commit names the metadata that was checked,
and happens on top of exactly that or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata

from schemas.errors import LakeMovedError

POINTERS = cast("sa.Table", IcebergTables.__table__)


@dataclass(frozen=True, slots=True)
class Staged:
    """A table as it was checked, and its next metadata: written at `location`, but no pointer leads there yet."""

    table: Table
    metadata: TableMetadata
    location: str

    @property
    def name(self) -> str:
        """The table's name, without the namespace."""
        return str(self.table.name()[-1])

    @property
    def snapshot_id(self) -> int:
        """The id of the table's current snapshot once this is committed."""
        return int(self.metadata.current_snapshot_id or 0)


def stage(transaction: Transaction) -> Staged:
    """Write what a transaction makes of its table as the table's next metadata, without committing it.

    The transaction must not be committed by itself: `Transaction(table, autocommit=False)`, and not as a context manager.
    """
    table: Table = transaction._table  # noqa: SLF001 pyiceberg has no public way to write metadata without a commit
    catalog = cast("SqlCatalog", table.catalog)
    made = catalog._update_and_stage_table(table, table.name(), transaction._requirements, transaction._updates)  # noqa: SLF001
    catalog._write_metadata(made.metadata, made.io, made.metadata_location)  # noqa: SLF001
    return Staged(table, made.metadata, made.metadata_location)


def move_pointers(connection: sa.Connection, staged: Sequence[Staged]) -> None:
    """Point the catalog to what was staged, inside the caller's transaction.

    Raises LakeMovedError when a table is no longer the one that was checked; the caller's transaction must then be rolled back.
    """
    for one in sorted(staged, key=lambda one: one.name):  # one order for all, so that two commits never wait for each other
        *namespace, name = one.table.name()
        checked = one.table.metadata_location
        here = (
            (POINTERS.c.catalog_name == one.table.catalog.name)
            & (POINTERS.c.table_namespace == ".".join(namespace))
            & (POINTERS.c.table_name == name)
            & (POINTERS.c.metadata_location == checked)
        )
        moved = sa.update(POINTERS).where(here).values(metadata_location=one.location, previous_metadata_location=checked)
        if connection.execute(moved).rowcount != 1:
            raise LakeMovedError(f"The table '{name}' was changed by another writer meanwhile. Nothing was committed. Run this again.")


def delete_old_metadata(staged: Sequence[Staged]) -> None:
    """After a commit: delete the metadata files that the tables no longer list, as pyiceberg does after its own commits."""
    for one in staged:
        SqlCatalog._delete_old_metadata(one.table.io, one.table.metadata, one.metadata)  # noqa: SLF001 see `stage`
