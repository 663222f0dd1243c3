"""Joins small data files: of each day, files of about as many rows into a larger, sorted one.

The rows are read and written without the publish lock; only the commit holds it. A row is written again once for each level of rows, so the
work grows with the rows, not with their number times that of the files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
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
from storage.lake.staged_metadata import REWRITE_PROPERTY, Staged, StagedTransaction, is_rewrite, stage
from storage.lake.upkeep.replaced import note_replaced
from storage.lake.upkeep.retention import expire_surplus
from storage.ledger.ledger import Ledger

SMALL_FILE_BYTES = 16 * 1024 * 1024  # chosen: half of MAX_GROUP_BYTES, so that at least two files fit into a group
MIN_FILES = 4  # fewer small files of a day are not joined; chosen: each rewrite reads and writes all their rows
MAX_GROUP_BYTES = 32 * 1024 * 1024  # on disk; a group is sorted in memory, where it takes several times as much
PUBLISH_MIN_FILES = 16  # what a publish joins: so many files of one level; joined, they are a file of the next one
PUBLISH_FILE_BYTES = 512 * 1024  # larger files are left to maintenance
PUBLISH_BYTES = PUBLISH_MIN_FILES * PUBLISH_FILE_BYTES  # that a publish writes again of a table


@dataclass(slots=True)
class Joined:
    """Groups of data files, and the files that have their rows now. Nothing is committed yet."""

    name: str
    old: list[DataFile]
    new: list[DataFile]
    rows: int
    read_of: str  # the metadata by which the old files are in the table


def join_at_publish(lake: Lake, ledger: Ledger, names: Collection[str]) -> int:
    """Join small files in each of these tables, where they are many; how many rows were written again.

    What another writer has changed meanwhile is left to the next publish. Raises ConflictError if the lock is not free for too long.
    """
    found = ((table, list(_within(PUBLISH_BYTES, _many(table)))) for name, table in lake.tables().items() if name in names)
    joined = [join(table, *groups) for table, groups in found if groups]
    if not joined:
        return 0
    if commit_joined(lake, ledger, joined):
        return sum(one.rows for one in joined)
    return sum(one.rows for one in joined if commit_joined(lake, ledger, [one]))  # another writer has changed one of the tables


def join(table: Table, *groups: Sequence[FileScanTask]) -> Joined:
    """Write the rows of each group of files into one sorted file, for `commit_joined`. One group is in memory."""
    reader = ArrowScan(table.metadata, table.io, table.schema(), AlwaysTrue())
    joined = Joined(str(table.name()[-1]), [task.file for group in groups for task in group], [], 0, table.metadata_location)
    for group in groups:
        rows = pa.concat_tables(pa.Table.from_batches([batch]) for task in group for batch in reader.to_record_batches([task]))
        joined.new.extend(write_files(table, rows))
        joined.rows += rows.num_rows
    return joined


def commit_joined(lake: Lake, ledger: Ledger, joined: Sequence[Joined]) -> bool:
    """Put the new files in place of the old ones; False if one of these is not in its table any more, or the table changed meanwhile."""
    with ledger.publish_lock() as token:
        tables = lake.tables()
        unpublished = ledger.unpublished()
        staged = []
        for one in joined:
            table = tables.get(one.name)
            old = None if table is None else _live(table, one)
            if table is None or old is None:
                return False
            staged.append(_staged(table, old, one.new, unpublished))
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


def _live(table: Table, joined: Joined) -> list[DataFile] | None:
    """The old files as they are in the table now; None if any is not."""
    if table.metadata_location == joined.read_of:
        return joined.old
    live = {task.file.file_path: task.file for task in table.scan().plan_files()}
    found = [live.get(file.file_path) for file in joined.old]
    return None if None in found else [file for file in found if file is not None]


def _many(table: Table) -> Iterator[list[FileScanTask]]:
    """Small files of one partition and of one level, where they are many. Nothing is read where there cannot be so many."""
    if not _may_be_many(table):
        return
    for tasks in _by_partition(table, PUBLISH_FILE_BYTES):
        levels: dict[int, list[FileScanTask]] = {}
        for task in tasks:
            levels.setdefault(_level(task.file.record_count), []).append(task)
        for _, group in sorted(levels.items()):
            for start in range(0, len(group) - PUBLISH_MIN_FILES + 1, PUBLISH_MIN_FILES):
                yield group[start : start + PUBLISH_MIN_FILES]


def _level(rows: int) -> int:
    """How often 16 files were joined to have so many rows, if one row was published at a time.

    By bytes, a joined file would be joined again with new ones many times: a small file is mostly what Parquet says of its columns.
    """
    level = 0
    while rows >= PUBLISH_MIN_FILES:
        rows //= PUBLISH_MIN_FILES
        level += 1
    return level


def _may_be_many(table: Table) -> bool:
    """Whether so many files were added since files were joined last, by what the snapshots say; manifests are not read for it."""
    added = 0
    snapshot = table.current_snapshot()
    while snapshot is not None and not is_rewrite(snapshot):
        summary = snapshot.summary
        added += 0 if summary is None else int(summary.additional_properties.get("added-data-files", 0))
        if snapshot.parent_snapshot_id is None:
            break
        snapshot = table.snapshot_by_id(snapshot.parent_snapshot_id)
        if snapshot is None:  # expired: how many were added before is not known
            return True
    return added >= PUBLISH_MIN_FILES


def _within(limit: int, groups: Iterable[list[FileScanTask]]) -> Iterator[list[FileScanTask]]:
    """The first groups, at most so many bytes together, but at least one."""
    size = 0
    for group in groups:
        size += sum(task.file.file_size_in_bytes for task in group)
        if size > limit and size > sum(task.file.file_size_in_bytes for task in group):
            return
        yield group


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
