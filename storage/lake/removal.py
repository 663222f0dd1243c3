"""Which rows a commit takes out of a table: those of some records, or single rows of them. Files without such rows stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import AlwaysTrue, BooleanExpression, In
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, Table

from storage.lake.parquet.files import write_files

RECORD = ("warc_filename", "warc_record_offset")  # the identity of a record
ROW = (*RECORD, "dataset", "position")  # the identity of a row of `quarantine`; both of the last may be NULL in those of articles
MAX_PRUNED = 200  # WARC files: pyiceberg compares each with the bounds of every data file

Stays = Callable[[pa.Table], pa.ChunkedArray]


class Overwrite(Protocol):
    """A new snapshot of a table that is being made, with other files than the last one."""

    def delete_data_file(self, data_file: DataFile) -> object:
        """Leave out a file of the last snapshot."""

    def append_data_file(self, data_file: DataFile) -> object:
        """Add a new file."""


@dataclass(frozen=True, slots=True)
class Removal:
    """The rows whose values of `columns` are among `values`. `where` holds for all of them, and finds the files to look into."""

    columns: tuple[str, ...]
    values: frozenset[tuple[object, ...]]
    where: BooleanExpression

    def stays(self, rows: pa.Table) -> pa.ChunkedArray:
        """Which of the rows are not removed. `rows` has at least the columns."""
        wanted = pa.array({value[0] for value in self.values}, rows[self.columns[0]].type)
        candidates = pc.is_in(rows[self.columns[0]], value_set=wanted)
        if not pc.any(candidates).as_py():
            return pc.invert(candidates)
        keys = zip(*(rows[name].to_pylist() for name in self.columns), strict=True)
        return pa.chunked_array([pa.array([key not in self.values for key in keys], pa.bool_())])


def of_records(record_ids: Collection[tuple[str, int]]) -> Removal:
    """All rows that a table has of these records, given by WARC file and offset."""
    return Removal(RECORD, frozenset(record_ids), _in_files({name for name, _ in record_ids}))


def of_quarantine(places: Collection[tuple[str, int, str | None, int | None]]) -> Removal:
    """Single rows of `quarantine`, given by WARC file, offset, dataset and position as they are in the table."""
    return Removal(ROW, frozenset(places), _in_files({place[0] for place in places}))


def of_values(columns: tuple[str, ...], values: Collection[tuple[object, ...]], where: BooleanExpression) -> Removal:
    """The rows with one of these combinations of values; `where` holds for all of them."""
    return Removal(columns, frozenset(values), where)


def read_file(table: Table, task: FileScanTask, columns: tuple[str, ...] = ("*",)) -> pa.Table:
    """The rows of one data file, with these columns."""
    schema = table.scan(selected_fields=columns).projection()
    batches = list(ArrowScan(table.metadata, table.io, schema, AlwaysTrue()).to_record_batches([task]))
    return pa.Table.from_batches(batches, batches[0].schema) if batches else pa.table({})


def affected_files(table: Table, removal: Removal) -> Iterator[FileScanTask]:
    """The data files that have rows to remove, in the order of their names."""
    for task in sorted(table.scan(row_filter=removal.where).plan_files(), key=lambda task: task.file.file_path):
        rows = read_file(table, task, removal.columns)
        if rows.num_rows and not pc.all(removal.stays(rows)).as_py():
            yield task


def replace_file(snapshot: Overwrite, table: Table, task: FileScanTask, stays: Stays) -> int:
    """Put a file of the rows that stay in place of a file; returns how many rows are removed. One file is in memory."""
    rows = read_file(table, task)
    left = rows.filter(stays(rows))
    snapshot.delete_data_file(task.file)
    for data_file in write_files(table, left):
        snapshot.append_data_file(data_file)
    return int(rows.num_rows - left.num_rows)


def _in_files(names: set[str]) -> BooleanExpression:
    """The condition that a row is from one of these WARC files; of many files it would take longer than it saves."""
    return In("warc_filename", names) if len(names) <= MAX_PRUNED else AlwaysTrue()  # type: ignore[call-arg]
