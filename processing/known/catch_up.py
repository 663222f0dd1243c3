"""Add the data files that are new in a table's snapshot to the index, and merge its small runs.

A file is new if it is live and no run has it: it does not matter whether a publication, a compaction or a removal has written it. So the
index is never asked about rows that it has missed, and needs no transaction of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, Table

from processing.known.row_keys import IndexedTable
from storage.index.known.known_rows import fitted
from storage.index.known.run_file import FILE_COLUMN, OpenRun, RunWriter
from storage.index.known.runs import Runs

READ_ROWS = 1_000  # at a time: their texts are in memory
RUN_ROWS = 1_000_000  # of new files in one run: an old lake is added in several
SMALL_ROWS = 20_000  # a run with fewer rows is small
MAX_SMALL = 8  # small runs; more of them are merged into one, which takes .2 s at most

Sequences = Callable[[pa.ChunkedArray], pa.ChunkedArray]
"""Gives the sequence numbers of process runs, for rows that have none of their own."""


def live_files(table: Table, snapshot_id: int | None) -> dict[str, DataFile]:
    """The data files of a snapshot by path; none without a snapshot."""
    snapshot = None if snapshot_id is None else table.metadata.snapshot_by_id(snapshot_id)
    if snapshot is None:
        return {}
    entries = (
        entry for manifest in snapshot.manifests(table.io) for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)
    )
    return {entry.data_file.file_path: entry.data_file for entry in entries}


def add_files(
    runs: Runs,
    indexed: IndexedTable,
    table: Table,
    files: Sequence[DataFile],
    sequences: Sequences | None,
    replaces: Sequence[OpenRun] = (),
) -> None:
    """Add the rows of data files, in runs of about RUN_ROWS rows. The last of them replaces the runs that are named."""
    groups = list(_groups(files))
    for number, group in enumerate(groups, 1):
        replaced = replaces if number == len(groups) else ()
        runs.add([file.file_path for file in group], indexed.schema, partial(_fill, indexed, table, group, sequences), replaced)


def merge_small(runs: Runs, indexed: IndexedTable, live: set[str]) -> bool:
    """Merge the small runs if they are many; whether they were."""
    small = [run for run in runs.complete() if run.mark.row_count < SMALL_ROWS]
    if len(small) <= MAX_SMALL:
        return False
    merge(runs, indexed, small, live)
    return True


def merge(runs: Runs, indexed: IndexedTable, chosen: Sequence[OpenRun], live: set[str]) -> None:
    """Write one run in place of several, with the rows of live files."""
    files = sorted({file for run in chosen for file in run.mark.files} & live)
    numbers = {file: number for number, file in enumerate(files)}
    runs.add(files, indexed.schema, partial(_fill_from, indexed, chosen, numbers), chosen)


def _groups(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    group: list[DataFile] = []
    rows = 0
    for file in files:
        if group and rows + file.record_count > RUN_ROWS:
            yield group
            group, rows = [], 0
        group.append(file)
        rows += file.record_count
    if group:
        yield group


def _fill(indexed: IndexedTable, table: Table, files: Sequence[DataFile], sequences: Sequences | None, writer: RunWriter) -> None:
    for number, file in enumerate(files):
        for kept in rows_of_file(indexed, table, file, sequences):
            _add(indexed, kept, number, writer)


def rows_of_file(indexed: IndexedTable, table: Table, file: DataFile, sequences: Sequences | None) -> Iterator[pa.Table]:
    """The rows of a data file as the index keeps them, at most READ_ROWS at a time."""
    stored = set(table.schema().column_names)
    columns = [name for name in indexed.source if name in stored]
    projected = table.scan(selected_fields=tuple(columns)).projection()
    scan = ArrowScan(table.metadata, table.io, projected, AlwaysTrue())
    without_file = indexed.schema.remove(indexed.schema.get_field_index(FILE_COLUMN))
    for batch in scan.to_record_batches([FileScanTask(file)]):
        for start in range(0, batch.num_rows, READ_ROWS):
            rows = pa.Table.from_batches([batch.slice(start, READ_ROWS)]).select(columns)
            yield fitted(indexed.kept(_sequenced(rows, sequences)), without_file)


def _sequenced(rows: pa.Table, sequences: Sequences | None) -> pa.Table:
    """Rows whose sequence is NULL have that of their process run."""
    place = rows.schema.get_field_index("sequence")
    if place < 0 or sequences is None or not rows["sequence"].null_count:
        return rows
    return rows.set_column(place, "sequence", pc.coalesce(rows["sequence"], sequences(rows["process_run"])))


def _fill_from(indexed: IndexedTable, chosen: Sequence[OpenRun], numbers: dict[str, int], writer: RunWriter) -> None:
    taken: set[str] = set()
    for run in chosen:
        renamed = np.array([numbers.get(file, -1) if file not in taken else -1 for file in run.mark.files], np.int32)
        taken.update(run.mark.files)
        for rows in run.all_rows(READ_ROWS):
            files = renamed[rows[FILE_COLUMN].to_numpy()]
            if (files < 0).all():
                continue
            kept = rows.filter(pa.array(files >= 0)).drop_columns([FILE_COLUMN])
            _add(indexed, kept, files[files >= 0], writer)


def _add(indexed: IndexedTable, kept: pa.Table, file: int | np.ndarray[tuple[int], np.dtype[np.int32]], writer: RunWriter) -> None:
    numbers = np.broadcast_to(np.asarray(file, np.int32), kept.num_rows)
    rows = fitted(kept.append_column(FILE_COLUMN, pa.array(numbers)), indexed.schema)
    writer.add(rows, indexed.entries(rows))
