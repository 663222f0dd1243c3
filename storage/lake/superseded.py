"""Removes the superseded rows of datasets that keep their latest rows only (`history: latest`)."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan, _dataframe_to_data_files
from pyiceberg.table import FileScanTask, Table, Transaction

from schemas.errors import LakeMovedError
from storage.lake.commit import Staged, stage
from storage.lake.dataset_tables import history_of
from storage.lake.lake import Lake
from storage.lake.latest import ROW_KEY
from storage.lake.publishing import commit
from storage.lake.tables import is_dataset_table
from storage.ledger.ledger import Ledger

LATEST_ONLY = "latest"
NEWEST = "newest"
MAX_CONFLICTS = 5  # with other writers; the next maintenance continues


def remove_superseded(lake: Lake, ledger: Ledger, name: str) -> int:
    """Remove the rows of which a newer version is published, if the table keeps the latest only; returns how many.

    One file after the other is written again, in a commit of its own. Raises UnavailableError, StorageError, ConflictError.
    """
    removed = conflicts = 0
    table = lake.table(name)
    if not is_dataset_table(table) or history_of(table) != LATEST_ONLY:
        return 0
    newest = _newest_versions(lake, name)
    while conflicts < MAX_CONFLICTS:
        with ledger.publish_lock() as token:
            table = lake.table(name)
            found = next(_superseded_files(table, newest), None)
            if found is None:
                break
            task, rows = found
            try:
                commit(lake, ledger, token, [_without(table, task, newest)])
                removed += rows
            except LakeMovedError:
                conflicts += 1
    return removed


def _newest_versions(lake: Lake, name: str) -> pa.Table:
    """The newest published version of each key. Three narrow columns are in memory, for each key once."""
    newest = pa.table({ROW_KEY: pa.array([], pa.string()), NEWEST: pa.array([], pa.int32())})
    for batch in lake.scan(name, [ROW_KEY, "version"]):
        versions = pa.table({ROW_KEY: batch.column(0).cast(pa.string()), NEWEST: batch.column(1).cast(pa.int32())})
        grouped = pa.concat_tables([newest, versions]).group_by(ROW_KEY).aggregate([(NEWEST, "max")])
        newest = pa.table({ROW_KEY: grouped[ROW_KEY], NEWEST: grouped[f"{NEWEST}_max"]})
    return newest


def _superseded_files(table: Table, newest: pa.Table) -> Iterator[tuple[FileScanTask, int]]:
    """The files that have superseded rows, and how many."""
    for task in sorted(table.scan().plan_files(), key=lambda task: task.file.file_path):
        stays = _stays(_read(table, task, (ROW_KEY, "version")), newest)
        if superseded := len(stays) - (pc.sum(stays).as_py() or 0):
            yield task, superseded


def _stays(rows: pa.Table, newest: pa.Table) -> pa.ChunkedArray:
    """Which rows have no newer version."""
    places = pc.index_in(rows[ROW_KEY].cast(pa.string()), value_set=newest[ROW_KEY])
    return pc.fill_null(pc.greater_equal(rows["version"], newest[NEWEST].take(places)), True)


def _read(table: Table, task: FileScanTask, columns: tuple[str, ...] = ("*",)) -> pa.Table:
    schema = table.scan(selected_fields=columns).projection()
    batches = ArrowScan(table.metadata, table.io, schema, AlwaysTrue()).to_record_batches([task])
    return pa.concat_tables(pa.Table.from_batches([batch]) for batch in batches)


def _without(table: Table, task: FileScanTask, newest: pa.Table) -> Staged:
    """The table with a file of the rows that stay in place of a file."""
    rows = _read(table, task)
    rows = rows.filter(_stays(rows, newest))
    transaction = Transaction(table)
    with transaction.update_snapshot().overwrite() as snapshot:
        snapshot.delete_data_file(task.file)
        for data_file in _dataframe_to_data_files(table.metadata, rows, table.io) if rows.num_rows else ():
            snapshot.append_data_file(data_file)
    return stage(transaction)
