"""Removes the superseded rows of datasets that keep their latest rows only (`history: latest`)."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.table import FileScanTask, Table

from schemas.errors import LakeMovedError
from schemas.tables import TIMESTAMP
from storage.lake.commit import commit
from storage.lake.dataset_tables import history_of
from storage.lake.lake import Lake
from storage.lake.latest import ROW_KEY
from storage.lake.removal import read_file, replace_file
from storage.lake.staged_metadata import Staged, StagedTransaction, stage
from storage.lake.tables import is_dataset_table
from storage.lake.upkeep.replaced import note_replaced
from storage.ledger.ledger import Ledger

LATEST_ONLY = "latest"
FETCHED_AT, VERSION = "fetched_at", "version"
_ORDER = pa.schema([pa.field(ROW_KEY, pa.string()), pa.field(FETCHED_AT, TIMESTAMP), pa.field(VERSION, pa.int32())])
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
    """The published row of each key that was fetched last, of several the newest version. Three narrow columns are in memory."""
    newest = _ORDER.empty_table()
    for batch in lake.scan(name, _ORDER.names):
        rows = pa.concat_tables([newest, pa.Table.from_batches([batch]).cast(_ORDER)])
        last = rows.group_by(ROW_KEY).aggregate([(FETCHED_AT, "max")])
        places = pc.index_in(rows[ROW_KEY], value_set=last[ROW_KEY])
        rows = rows.filter(pc.equal(rows[FETCHED_AT], last[f"{FETCHED_AT}_max"].take(places)))
        grouped = rows.group_by(ROW_KEY).aggregate([(FETCHED_AT, "max"), (VERSION, "max")])
        newest = pa.table([grouped[ROW_KEY], grouped[f"{FETCHED_AT}_max"], grouped[f"{VERSION}_max"]], schema=_ORDER)
    return newest


def _superseded_files(table: Table, newest: pa.Table) -> Iterator[tuple[FileScanTask, int]]:
    """The files that have superseded rows, and how many."""
    for task in sorted(table.scan().plan_files(), key=lambda task: task.file.file_path):
        stays = _stays(read_file(table, task, tuple(_ORDER.names)), newest)
        if superseded := len(stays) - (pc.sum(stays).as_py() or 0):
            yield task, superseded


def _stays(rows: pa.Table, newest: pa.Table) -> pa.ChunkedArray:
    """Which rows are not superseded."""
    places = pc.index_in(rows[ROW_KEY].cast(pa.string()), value_set=newest[ROW_KEY])
    last, version = newest[FETCHED_AT].take(places), newest[VERSION].take(places)
    is_last = pc.and_(pc.equal(rows[FETCHED_AT], last), pc.greater_equal(rows[VERSION], version))
    return pc.fill_null(pc.or_(pc.greater(rows[FETCHED_AT], last), is_last), True)


def _without(table: Table, task: FileScanTask, newest: pa.Table) -> Staged:
    """The table with a file of the rows that stay in place of a file."""
    transaction = StagedTransaction(table)
    with transaction.update_snapshot().overwrite() as snapshot:
        replace_file(snapshot, table, task, lambda rows: _stays(rows, newest))
    note_replaced(table, [task.file.file_path])
    return stage(transaction)
