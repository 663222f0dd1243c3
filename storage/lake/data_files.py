"""Data files that are written before the commit that adds them: how they are made, and how their description is kept until then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestEntryStatus
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, Snapshot
from pyiceberg.typedef import Record

from storage.lake.parquet.files import write_files
from storage.lake.parquet.layout import FRESH_LEVEL
from storage.lake.published import without_stamps
from storage.lake.staged_metadata import is_rewrite

ONLY_SPEC = 0  # our tables keep the partitions that they were created with
# what a manifest says of a data file, but for its content, format and partition
_PLAIN = (
    "file_path", "record_count", "file_size_in_bytes", "column_sizes", "value_counts", "null_value_counts", "nan_value_counts",
    "lower_bounds", "upper_bounds", "key_metadata", "split_offsets", "equality_ids", "sort_order_id",
)  # fmt: skip


def write_data_files(table: Table, rows: pa.Table) -> Iterator[DataFile]:
    """Write new rows as data files of the table, one for each partition: sorted, and without the columns that `runs` has the values of.

    Nobody sees them before a commit adds them. A column that the rows lack is NULL. Raises OSError; ValueError if a value is NULL that may
    not be.
    """
    fitted = _fitted(without_stamps(rows) if table.name()[-1] != "runs" else rows, table)
    yield from write_files(table, fitted, FRESH_LEVEL)


def _fitted(rows: pa.Table, table: Table) -> pa.Table:
    """Rows with the table's rule for each column, whether it may be NULL. Raises ValueError if one is NULL that may not."""
    may_be_null = {field.name: field.optional for field in table.schema().fields}
    return rows.cast(pa.schema([field.with_nullable(may_be_null.get(field.name, True)) for field in rows.schema]))


def encode_files(files: Sequence[DataFile]) -> bytes:
    """The descriptions of data files (MessagePack)."""
    return msgspec.msgpack.encode([_described(one) for one in files])


def decode_files(data: bytes) -> list[DataFile]:
    """The data files that `encode_files` described."""
    described: list[dict[str, Any]] = msgspec.msgpack.decode(data, strict=False)  # Any: numbers, bytes, maps of them
    return [_data_file(one) for one in described]


def _described(file: DataFile) -> dict[str, Any]:
    partition = [file.partition[place] for place in range(len(file.partition))]
    values = {name: getattr(file, name) for name in _PLAIN}
    plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}  # those of a manifest are lazy
    return {**plain, "partition": partition}


def _data_file(values: dict[str, Any]) -> DataFile:
    partition = Record(*values.pop("partition"))
    file = DataFile.from_args(content=DataFileContent.DATA, file_format=FileFormat.PARQUET, partition=partition, **values)
    file.spec_id = ONLY_SPEC
    return file


def files_added_since(table: Table, snapshot_id: int | None) -> list[DataFile] | None:
    """The data files that were added after a snapshot, None being the empty table; those of joined files are the files before.

    None if rows were taken out since, or if it is not known, because a snapshot between has expired.
    """
    added: list[DataFile] = []
    snapshot = table.current_snapshot()
    while snapshot is not None and snapshot.snapshot_id != snapshot_id:
        if not is_rewrite(snapshot):
            if snapshot.summary is None or snapshot.summary.operation is not Operation.APPEND:
                return None
            added += _added_by(snapshot, table)
        if snapshot.parent_snapshot_id is None:
            return added if snapshot_id is None and snapshot.sequence_number == 1 else None
        snapshot = table.snapshot_by_id(snapshot.parent_snapshot_id)
    return added if snapshot is not None or snapshot_id is None else None


def _added_by(snapshot: Snapshot, table: Table) -> Iterator[DataFile]:
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id == snapshot.snapshot_id:
            for entry in manifest.fetch_manifest_entry(table.io):
                if entry.status is ManifestEntryStatus.ADDED and entry.snapshot_id == snapshot.snapshot_id:
                    yield entry.data_file
