"""After rows were erased from a table: the snapshots that had them leave its metadata, and the files that have them are deleted.

A file is looked into, whoever wrote it and whether the metadata names it or not, so an interrupted erasure needs no record of what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import fastavro
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import _dataframe_to_data_files
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import FileScanTask, Table, Transaction
from pyiceberg.table.snapshots import Snapshot

from storage.lake.commit import commit
from storage.lake.lake import Lake
from storage.lake.reader.lake_objects import path_of
from storage.lake.removal import read_file
from storage.lake.staged_metadata import REWRITE_PROPERTY, RUN_PROPERTY, process_run_of, stage
from storage.lake.upkeep.retention import remove_snapshots
from storage.lake.upkeep.tags import tag_run
from storage.ledger.ledger import Ledger

LIST_PREFIX = "snap-"  # of the names of manifest lists, which have no values of columns


class ErasedRows(Protocol):
    """Says which rows are erased."""

    def columns(self, table: str, stored: Sequence[str]) -> list[str]:
        """The columns that must be read of a file with these columns."""

    def rows(self, table: str, rows: pa.Table) -> pa.Array:
        """Which rows are erased."""


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a table's folder, and a table's own view of them."""

    filesystem: pafs.FileSystem
    name: str
    erased: ErasedRows

    def is_dirty(self, path: str) -> bool:
        """Whether a data file has an erased row. One that is deleted already may have had some: its manifest has values of its columns."""
        if self.filesystem.get_file_info(path_of(path)).type == pafs.FileType.NotFound:
            return True
        with self.filesystem.open_input_file(path_of(path)) as stream, pq.ParquetFile(stream) as file:
            columns = self.erased.columns(self.name, file.schema_arrow.names)
            batches = file.iter_batches(columns=columns)
            return any(pc.any(self.erased.rows(self.name, pa.Table.from_batches([batch]))).as_py() for batch in batches)


def forget_snapshots(
    lake: Lake, ledger: Ledger, name: str, erased: ErasedRows, cleaned: Callable[[pa.Table], pa.Table] | None = None
) -> int:
    """Remove the snapshots that have erased rows from a table's metadata, with their tags; how many.

    The current snapshot is replaced by one with the same rows, because its manifests still name the files that were taken out, with values
    of their columns. It is the state after the last process run, as the one before was. `cleaned` rows take the place of those that are
    erased, if the table is one whose rows stay. Raises LakeMovedError.
    """
    with ledger.publish_lock() as token:
        table = lake.table(name)
        files = _Files(_filesystem(table), name, erased)
        live = {task.file.file_path: task for task in table.scan().plan_files()}
        again = [live[path] for path in sorted(live) if files.is_dirty(path)] if cleaned is not None else []
        named = _named(table)
        others = {path for found in named.values() for path in found} - live.keys()
        dirty = {path for path in others if files.is_dirty(path)} | {task.file.file_path for task in again}
        gone = [one.snapshot_id for one in table.metadata.snapshots if any(dirty & named[path] for path in _manifests(one, table))]
        if not gone:
            return 0
        transaction = Transaction(table)
        gone += _replace_current(transaction, table, again, cleaned)
        remove_snapshots(transaction, gone)
        if (process_run := _last_run(table)) is not None:
            tag_run(transaction, process_run)
        commit(lake, ledger, token, [stage(transaction)])
        return len(gone)


def delete_files(lake: Lake, name: str, erased: ErasedRows) -> int:
    """Delete the data files with erased rows that no snapshot has, and the manifests that name deleted files; how many data files."""
    table = lake.table(name)
    filesystem = _filesystem(table)
    files = _Files(filesystem, name, erased)
    listed = [info.path for info in _listed(filesystem, table)]
    table = lake.table(name)  # read after the listing
    named = _named(table)
    used = {path_of(path) for found in named.values() for path in found}
    data = [path for path in listed if path.endswith(".parquet")]
    dirty = [path for path in data if path not in used and files.is_dirty(path)]
    for path in dirty:
        filesystem.delete_file(path)
    there = set(data) - set(dirty)
    manifests = set(map(path_of, named))
    for path in listed:
        is_manifest = path.endswith(".avro") and not path.rpartition("/")[2].startswith(LIST_PREFIX)
        if is_manifest and path not in manifests and not _paths_in(filesystem, path) <= there:
            filesystem.delete_file(path)
    return len(dirty)


def _replace_current(
    transaction: Transaction, table: Table, again: Sequence[FileScanTask], cleaned: Callable[[pa.Table], pa.Table] | None
) -> list[int]:
    """Make a snapshot with the same rows, but those that are cleaned; the ids of snapshots that were made on the way."""
    process_run = _last_run(table)
    properties = {REWRITE_PROPERTY: "erased"} | ({RUN_PROPERTY: process_run} if process_run is not None else {})
    between: list[int] = []
    if again and cleaned is not None:
        with transaction.update_snapshot(snapshot_properties=properties).overwrite() as snapshot:
            for task in again:
                snapshot.delete_data_file(task.file)
                for data_file in _dataframe_to_data_files(table.metadata, cleaned(read_file(table, task)), table.io):
                    snapshot.append_data_file(data_file)
        between.append(int(transaction.table_metadata.current_snapshot_id or 0))
    with transaction.update_snapshot(snapshot_properties=properties).merge_append():
        pass
    return between


def _last_run(table: Table) -> str | None:
    """The process run that committed to a table last."""
    named = [(one.timestamp_ms, run) for one in table.metadata.snapshots if (run := process_run_of(one)) is not None]
    return max(named)[1] if named else None


def _named(table: Table) -> dict[str, set[str]]:
    """The data files that each manifest of any snapshot names, also as taken out. A manifest is read once."""
    manifests = {one.manifest_path: one for snapshot in table.metadata.snapshots for one in snapshot.manifests(table.io)}
    return {path: set(_paths(manifest, table)) for path, manifest in manifests.items()}


def _manifests(snapshot: Snapshot, table: Table) -> list[str]:
    return [one.manifest_path for one in snapshot.manifests(table.io)]


def _paths(manifest: ManifestFile, table: Table) -> Iterator[str]:
    for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
        yield entry.data_file.file_path


def _paths_in(filesystem: pafs.FileSystem, path: str) -> set[str]:
    with filesystem.open_input_file(path) as stream:
        return {path_of(entry["data_file"]["file_path"]) for entry in fastavro.reader(stream)}  # type: ignore[index, call-overload]


def _filesystem(table: Table) -> pafs.FileSystem:
    if "://" in table.location():
        return table.io.fs_by_scheme("s3", None)  # type: ignore[attr-defined]
    return pafs.FileSystem.from_uri(table.location())[0]


def _listed(filesystem: pafs.FileSystem, table: Table) -> list[pafs.FileInfo]:
    found = filesystem.get_file_info(pafs.FileSelector(path_of(table.location()), recursive=True, allow_not_found=True))
    return [info for info in found if info.type == pafs.FileType.File]
