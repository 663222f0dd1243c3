"""Which snapshots of a table stay: the newest ones, then one for each hour of a day and one for each day of a week.

A table's metadata names each of them, and each commit reads and writes it: kept by age alone, a snapshot of each publish would make
publishing slower with every publish. The rows are in the current snapshot in any case; an older one is for time travel, and for readers
that began before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from pyiceberg.table import Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import SnapshotRefType
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update.snapshot import ExpireSnapshots

from storage.lake.staged_metadata import process_run_of
from storage.lake.upkeep.tags import untag

NEWEST = 16  # kept whatever their age below a week: about 2 ms of each publish
HOURLY = timedelta(days=1)  # the last one of each hour is kept for so long
DAILY = timedelta(days=7)  # and the last one of each day


def expire_surplus(transaction: Transaction, unpublished: Collection[str] = ()) -> int:
    """Leave snapshots that are too many out of the table's metadata; how many. Those of `unpublished` process runs stay."""
    surplus = surplus_snapshots(transaction.table_metadata, datetime.now(UTC), unpublished)
    remove_snapshots(transaction, surplus)
    return len(surplus)


def remove_snapshots(transaction: Transaction, snapshot_ids: Sequence[int]) -> None:
    """Leave snapshots out of the table's metadata, with the tags that name them."""
    if not snapshot_ids:
        return
    untag(transaction, snapshot_ids)
    ExpireSnapshots(transaction).by_ids(list(snapshot_ids)).commit()


def surplus_snapshots(metadata: TableMetadata, now: datetime, unpublished: Collection[str] = (), keep: timedelta = DAILY) -> list[int]:
    """The ids of the snapshots that need not be kept. `keep` is the age up to which any is.

    The current one and the head of a branch are not among them. A tag lives as long as its snapshot.
    """
    heads = {ref.snapshot_id for ref in metadata.refs.values() if ref.snapshot_ref_type is SnapshotRefType.BRANCH}
    kept = heads | {metadata.current_snapshot_id} | {one.snapshot_id for one in _kept(metadata.snapshots, now, keep)}
    return [one.snapshot_id for one in metadata.snapshots if one.snapshot_id not in kept and process_run_of(one) not in unpublished]


def _kept(snapshots: Sequence[Snapshot], now: datetime, keep: timedelta) -> list[Snapshot]:
    """The snapshots that stay for their time: of an hour, or a day, the last one."""
    oldest, last_hour = _milliseconds(now - keep), _milliseconds(now - HOURLY)
    ordered = sorted((one for one in snapshots if one.timestamp_ms >= oldest), key=lambda one: one.timestamp_ms)
    last: dict[tuple[str, int], Snapshot] = {}
    for one in ordered:
        slot = ("hour", one.timestamp_ms // 3_600_000) if one.timestamp_ms >= last_hour else ("day", one.timestamp_ms // 86_400_000)
        last[slot] = one
    return [*ordered[-NEWEST:], *last.values()]


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)
