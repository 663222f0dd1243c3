"""Joins small data files: of each day, files of about the same size into a larger, sorted one.

The rows are read and written without the publish lock; only the commit holds it. A row is written again once for each size, so the work
grows with the rows, not with their number times that of the files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, Table

from runtime.failpoint import reached
from schemas.errors import LakeMovedError
from storage.lake.commit import commit
from storage.lake.lake import Lake
from storage.lake.parquet.files import write_files
from storage.lake.staged_metadata import REWRITE_PROPERTY, Staged, StagedTransaction, stage
from storage.lake.upkeep.replaced import note_replaced
from storage.lake.upkeep.retention import expire_surplus
from storage.ledger.ledger import Ledger

SMALL_FILE_BYTES = 16 * 1024 * 1024  # chosen: half of MAX_GROUP_BYTES, so that at least two files fit into a group
MIN_FILES = 4  # fewer small files of a day are not joined; chosen: each rewrite reads and writes all their rows
MAX_GROUP_BYTES = 32 * 1024 * 1024  # on disk; a group is sorted in memory, where it takes several times as much
PUBLISH_MIN_FILES = 16  # what a publish joins: so many files below one of these sizes
PUBLISH_SIZES = (64 * 1024, 512 * 1024)  # so a publish writes 8 MB of a table again at most, and leaves larger files to maintenance


@dataclass(frozen=True, slots=True)
class Joined:
    """A group of data files, and the files that have their rows now. Nothing is committed yet."""

    name: str
    old: list[DataFile]
    new: list[DataFile]
    rows: int


def join_at_publish(lake: Lake, ledger: Ledger, names: Collection[str]) -> int:
    """Join one group of small files in each of these tables, where they are many; how many rows were written again.

    What another writer has changed meanwhile is left to the next publish. Raises ConflictError if the lock is not free for too long.
    """
    groups = [(table, group) for name, table in lake.tables().items() if name in names and (group := next(_many(table), None)) is not None]
    if not groups:
        return 0
    joined = [join(table, group) for table, group in groups]
    if commit_joined(lake, ledger, joined):
        return sum(one.rows for one in joined)
    return sum(one.rows for one in joined if commit_joined(lake, ledger, [one]))  # another writer has changed one of the tables


def join(table: Table, group: Sequence[FileScanTask]) -> Joined:
    """Write the rows of a group of files into one sorted file, for `commit_joined`. The group is in memory."""
    reader = ArrowScan(table.metadata, table.io, table.schema(), AlwaysTrue())
    rows = pa.concat_tables(pa.Table.from_batches([batch]) for task in group for batch in reader.to_record_batches([task]))
    new = list(write_files(table, rows))
    return Joined(str(table.name()[-1]), [task.file for task in group], new, rows.num_rows)


def commit_joined(lake: Lake, ledger: Ledger, joined: Sequence[Joined]) -> bool:
    """Put the new files in place of the old ones; False if one of these is not in its table any more, or the table changed meanwhile."""
    with ledger.publish_lock() as token:
        tables = lake.tables()
        unpublished = ledger.unpublished()
        staged = []
        for one in joined:
            table = tables.get(one.name)
            live = {} if table is None else {task.file.file_path: task.file for task in table.scan().plan_files()}
            if table is None or not all(file.file_path in live for file in one.old):
                return False
            staged.append(_staged(table, [live[file.file_path] for file in one.old], one.new, unpublished))
        reached("joining.before.commit")
        try:
            commit(lake, ledger, token, staged)
        except LakeMovedError:
            return False
    return True


def small_groups(table: Table) -> Iterator[list[FileScanTask]]:
    """The small files of one partition each, at most MAX_GROUP_BYTES together."""
    for tasks in _by_partition(table, SMALL_FILE_BYTES):
        group, size = [], 0
        for task in tasks:
            if size + task.file.file_size_in_bytes > MAX_GROUP_BYTES:
                break
            group.append(task)
            size += task.file.file_size_in_bytes
        if len(group) >= MIN_FILES:
            yield group


def _many(table: Table) -> Iterator[list[FileScanTask]]:
    """Small files of one partition and of about one size, where they are many."""
    partitions = _by_partition(table, PUBLISH_SIZES[-1])
    lower = 0
    for limit in PUBLISH_SIZES:
        for tasks in partitions:
            group = [task for task in tasks if lower <= task.file.file_size_in_bytes < limit]
            if len(group) >= PUBLISH_MIN_FILES:
                yield group[:PUBLISH_MIN_FILES]
        lower = limit


def _by_partition(table: Table, limit: int) -> list[list[FileScanTask]]:
    """The files below a size, by partition, in the order of their names."""
    found: dict[str, list[FileScanTask]] = {}
    for task in sorted(table.scan().plan_files(), key=lambda task: task.file.file_path):
        if task.file.file_size_in_bytes < limit:
            found.setdefault(str(task.file.partition), []).append(task)
    return list(found.values())


def _staged(table: Table, old: Sequence[DataFile], new: Sequence[DataFile], unpublished: Collection[str]) -> Staged:
    transaction = StagedTransaction(table)
    with transaction.update_snapshot(snapshot_properties={REWRITE_PROPERTY: "joined"}).overwrite() as snapshot:
        for file in old:
            snapshot.delete_data_file(file)
        for file in new:
            snapshot.append_data_file(file)
    note_replaced(table, [file.file_path for file in old])
    expire_surplus(transaction, unpublished)
    return stage(transaction)
