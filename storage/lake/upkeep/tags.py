"""Tags: the name of a process run at the snapshot that it committed to a table, for readers of the plain Iceberg tables.

A tag lives as long as its snapshot. Iceberg expires no snapshot that has one, so it is removed first.
"""

from __future__ import annotations

from collections.abc import Collection

from pyiceberg.table import Transaction
from pyiceberg.table.refs import SnapshotRefType
from pyiceberg.table.update.snapshot import ManageSnapshots


def tag_run(transaction: Transaction, process_run: str) -> None:
    """Give the snapshot that a transaction has just made the name of its process run."""
    snapshot_id = transaction.table_metadata.current_snapshot_id
    if snapshot_id is not None and process_run not in transaction.table_metadata.refs:
        ManageSnapshots(transaction).create_tag(snapshot_id, process_run).commit()


def untag(transaction: Transaction, snapshot_ids: Collection[int]) -> None:
    """Remove the tags of snapshots, so that they can expire."""
    tags = [
        name
        for name, ref in transaction.table_metadata.refs.items()
        if ref.snapshot_ref_type == SnapshotRefType.TAG and ref.snapshot_id in set(snapshot_ids)
    ]
    if tags:
        changes = ManageSnapshots(transaction)
        for name in sorted(tags):
            changes = changes.remove_tag(name)
        changes.commit()
