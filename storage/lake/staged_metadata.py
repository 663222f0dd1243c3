"""Commits to several tables of the lake at once: the new metadata of each table is written first, then all pointers change together.

pyiceberg commits one table at a time, and tries again after another commit. Here a commit names the metadata that the decisions were
made on. If a table has other metadata by then, nothing is committed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.table import Table, Transaction
from pyiceberg.table.locations import load_location_provider
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update import TableUpdate, _apply_table_update, _TableMetadataUpdateContext, _update_table_metadata_log

from schemas.errors import LakeMovedError

POINTERS = cast("sa.Table", IcebergTables.__table__)
RUN_PROPERTY = "process_run"  # in the summary of the snapshot that a process run committed
REWRITE_PROPERTY = "crawlhouse.rewrite"  # in that of a snapshot whose rows are those of the one before: files were joined


@dataclass(frozen=True, slots=True)
class Staged:
    """A table as it was when it was checked, and its new metadata, which is written at `location` but not committed."""

    table: Table
    metadata: TableMetadata
    location: str

    @property
    def name(self) -> str:
        """The table's name, without the namespace."""
        return str(self.table.name()[-1])

    @property
    def snapshot_id(self) -> int:
        """The id of the table's current snapshot after the commit."""
        return int(self.metadata.current_snapshot_id or 0)


class StagedTransaction(Transaction):
    """Changes of a table for `stage`. The metadata with the changes so far is made once for each change.

    pyiceberg makes it anew, from a copy of the whole, each time that it is looked at: a hundred times in a publish.
    """

    _made: tuple[tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata as the changes so far leave it."""
        if not self._updates:
            return self._table.metadata
        if self._made is None or self._made[0] is not self._updates:
            self._made = self._updates, _updated(self._table.metadata, self._updates)
        return self._made[1]


def stage(transaction: Transaction) -> Staged:
    """Write the table's new metadata, as a transaction changes it, without committing it.

    The transaction must not be committed by itself, so it is no context manager here.
    """
    table: Table = transaction._table  # noqa: SLF001 pyiceberg has no public function that writes metadata without a commit
    for requirement in transaction._requirements:  # noqa: SLF001
        requirement.validate(table.metadata)
    metadata = _updated(table.metadata, transaction._updates)  # noqa: SLF001
    metadata = _update_table_metadata_log(metadata, table.metadata_location, table.metadata.last_updated_ms)
    version = SqlCatalog._parse_metadata_version(table.metadata_location) + 1  # noqa: SLF001
    location = load_location_provider(metadata.location, metadata.properties).new_table_metadata_file_location(version)
    SqlCatalog._write_metadata(metadata, table.io, location)  # noqa: SLF001
    return Staged(table, metadata, location)


def _updated(base: TableMetadata, updates: Sequence[TableUpdate]) -> TableMetadata:
    """A table's metadata with updates. It shares what has not changed with the metadata that it is made of: both are never changed.

    pyiceberg copies the whole once more each time, with every snapshot in it: a third of what a small publish takes.
    """
    context, metadata = _TableMetadataUpdateContext(), base
    for update in updates:
        metadata = _apply_table_update(update, metadata, context)
    if context.has_changes() and metadata.last_updated_ms == base.last_updated_ms:  # a snapshot sets it, properties do not
        metadata = metadata.model_copy(update={"last_updated_ms": time.time_ns() // 1_000_000})
    metadata.spec().check_compatible(metadata.schema())
    metadata.sort_order().check_compatible(metadata.schema())
    return metadata


def move_pointers(connection: sa.Connection, staged: Sequence[Staged]) -> None:
    """Make the staged metadata the current one in the catalog, inside the caller's transaction.

    Raises LakeMovedError if a table has changed since it was checked; the caller's transaction must then be rolled back.
    """
    for one in sorted(staged, key=lambda one: one.name):  # the same order in all commits prevents deadlocks
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
    """After a commit: delete the metadata files that the tables do not list any more, as pyiceberg does after its own commits."""
    for one in staged:
        SqlCatalog._delete_old_metadata(one.table.io, one.table.metadata, one.metadata)  # noqa: SLF001 see `stage`


def process_run_of(snapshot: Snapshot) -> str | None:
    """The process run that committed a snapshot; None if it was maintenance."""
    return None if snapshot.summary is None else snapshot.summary.additional_properties.get(RUN_PROPERTY)


def is_rewrite(snapshot: Snapshot) -> bool:
    """Whether a snapshot has the same rows as the one before it, in other files."""
    return snapshot.summary is not None and REWRITE_PROPERTY in snapshot.summary.additional_properties
