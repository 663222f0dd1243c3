"""The lake: Iceberg tables to which each process run adds its rows once, and may take out rows that it replaces.

On the main path, `processing.publish.publish` comes before: it stages rows here and commits them by `storage.lake.commit`. Readers come
after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import AlwaysTrue, BooleanExpression, EqualTo
from pyiceberg.io.pyarrow import ArrowScan, _dataframe_to_data_files
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Snapshot
from sqlalchemy import Connection

from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.errors import LakeMovedError, StorageError
from schemas.tables import RUNS
from storage.lake.catalog import NAMESPACE, catalog_errors, open_catalog, warehouse
from storage.lake.dataset_tables import ensure_dataset_table, fields_of, refuse_misfit
from storage.lake.hidden import HiddenRows
from storage.lake.removal import Removal, affected_files, replace_file
from storage.lake.staged_metadata import Staged, move_pointers, stage
from storage.lake.tables import load_table, load_tables, sort_columns
from storage.lake.tags import tag_run

RUN_PROPERTY = "process_run"  # in the summary of the snapshot that a process run committed


def open_lake(settings: Settings) -> Lake:
    """The lake of these settings; its catalog is created at first use. Raises UnavailableError, StorageError."""
    return Lake(settings)


class Lake:
    """The tables `articles`, `captures`, `quarantine`, `sightings` and `runs`, and one for each dataset of the users' own.

    `scan` and `published_runs` show rows as soon as their process run is in `runs`. Publishing commits to all tables at once
    (`storage.lake.commit.commit`); nobody sees staged rows before.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.warehouse = warehouse(settings)
        self._catalog = open_catalog(settings)
        self.hidden: HiddenRows | None = None

    def without(self, hidden: HiddenRows | None) -> Lake:
        """The same lake, whose `scan` leaves rows out."""
        other = copy(self)
        other.hidden = hidden
        return other

    def table(self, name: str) -> Table:
        """A table as it is now, for other uses. Raises NotFoundError, UnavailableError, StorageError."""
        with catalog_errors(self._settings):
            return load_table(self._catalog, name, self.warehouse)

    def tables(self) -> dict[str, Table]:
        """All tables as they are now, at one time: the built-in ones, then those of datasets, also of those whose definition was deleted.

        Raises UnavailableError, StorageError.
        """
        with catalog_errors(self._settings):
            return load_tables(self._catalog, self.warehouse)

    def ensure_dataset_tables(self, datasets: Iterable[Dataset]) -> dict[str, Table]:
        """The tables of these datasets: created, or changed in place as their definitions say; older rows are NULL in new columns.

        Raises ConfigError for a definition that does not fit its table, with the way out; UnavailableError, StorageError.
        """
        with catalog_errors(self._settings):
            return {dataset.name: ensure_dataset_table(self._catalog, dataset, self.warehouse) for dataset in datasets}

    def dataset_fields(self, name: str) -> dict[str, str] | None:
        """The types of the fields that a dataset has in its table; None without a table. Raises UnavailableError, StorageError."""
        with catalog_errors(self._settings):
            return fields_of(self._catalog.load_table((NAMESPACE, name))) if self._catalog.table_exists((NAMESPACE, name)) else None

    def refuse_misfit(self, dataset: Dataset) -> None:
        """Raises ConfigError for a definition that does not fit its table, with the way out; UnavailableError, StorageError."""
        with catalog_errors(self._settings):
            if self._catalog.table_exists((NAMESPACE, dataset.name)):
                refuse_misfit(self._catalog.load_table((NAMESPACE, dataset.name)), dataset)

    def stage(self, table: Table, chunks: Iterable[pa.Table], process_run: str, removed: Removal | None = None) -> Staged:
        """Write the rows of a process run, and new metadata of the table with one more snapshot, without committing it.

        Each chunk, in the table's Arrow schema, is sorted by host and URL; one chunk at a time is in memory. A column that a chunk lacks is
        NULL. `removed` are rows that are taken out in the same snapshot. Raises StorageError if files cannot be written.
        """
        name = table.name()[-1]
        transaction = Transaction(table)
        try:
            made = transaction.update_snapshot(snapshot_properties={RUN_PROPERTY: process_run})
            affected = list(affected_files(table, removed)) if removed is not None and removed.values else []
            with made.overwrite() if affected else made.merge_append() as snapshot:
                for task in affected:
                    assert removed is not None
                    replace_file(snapshot, table, task, removed.stays)
                for chunk in chunks:
                    for data_file in _dataframe_to_data_files(table.metadata, sort_rows(_fitted(chunk, table)), table.io):
                        snapshot.append_data_file(data_file)
            tag_run(transaction, process_run)
            return stage(transaction)
        except OSError as error:
            raise StorageError(f"Writing to the table '{name}' under {self.warehouse} failed: {error}. Nothing was committed.") from error

    def append(self, name: str, chunks: Iterable[pa.Table], process_run: str) -> int:
        """Commit the rows of a process run to one table, once; returns the id of the snapshot.

        Appending again for the same process run changes nothing and returns the id of the first snapshot. Publishing does not use it: it
        commits to all tables at once. Raises StorageError if files cannot be written.
        """
        rows = list(chunks)
        while True:
            table = self.table(name)
            if (done := snapshot_of(table, process_run)) is not None:
                return done
            staged = self.stage(table, rows, process_run)
            with suppress(LakeMovedError):
                with self.catalog_transaction() as connection:
                    move_pointers(connection, [staged])
                return staged.snapshot_id

    @contextmanager
    def catalog_transaction(self, ledger_connection: Connection | None = None) -> Iterator[Connection]:
        """A transaction of the catalog's database. On PostgreSQL the ledger's own transaction, `ledger_connection`, is used.

        Raises UnavailableError, StorageError.
        """
        if ledger_connection is not None and ledger_connection.dialect.name != "sqlite":
            yield ledger_connection
            return
        with catalog_errors(self._settings), self._catalog.engine.begin() as connection:
            yield connection

    def snapshot_of(self, name: str, process_run: str) -> int | None:
        """The snapshot that a process run committed to a table, or None."""
        return snapshot_of(self.table(name), process_run)

    def committed_runs(self, name: str) -> set[str]:
        """The process runs that committed to a table, as far back as it has snapshots."""
        return committed_runs(self.table(name))

    def run_rows(self, process_run: str) -> list[dict[str, Any]]:
        """The rows of `runs` that a process run published, one per crawl run."""
        where = EqualTo("process_run", process_run)  # type: ignore[call-arg]
        return [row for batch in self._batches("runs", RUNS.names, where) for row in batch.to_pylist()]

    def snapshot_id(self, name: str) -> int | None:
        """The id of a table's current snapshot, None while it is empty."""
        snapshot = self.table(name).current_snapshot()
        return None if snapshot is None else snapshot.snapshot_id

    def published_runs(self) -> set[str]:
        """The process runs whose rows are visible."""
        return {value for batch in self._batches("runs", ("process_run",), AlwaysTrue()) for value in batch.column(0).to_pylist()}

    def scan(self, name: str, columns: Sequence[str], where: BooleanExpression | None = None) -> Iterator[pa.RecordBatch]:
        """The published rows of a table in batches, file after file, with the columns in the given order.

        `where` is an Iceberg expression.
        """
        visible = pa.array(sorted(self.published_runs()), pa.string())
        deciding = self.hidden.columns(name) if self.hidden is not None else ()
        wanted = tuple(dict.fromkeys([*columns, "process_run", *deciding]))
        for batch in self._batches(name, wanted, where or AlwaysTrue()):
            mask = pc.is_in(batch.column("process_run").cast(pa.string()), value_set=visible)
            published = batch.filter(mask)
            if self.hidden is not None and deciding and published.num_rows:
                published = published.filter(self.hidden.shown(name, published))
            if published.num_rows:
                yield published.select(list(columns))

    def live_files(self, name: str) -> list[str]:
        """The data files of a table's current snapshot, sorted. The directory has replaced files too."""
        return sorted(task.file.file_path for task in self.table(name).scan().plan_files())

    def close(self) -> None:
        """Close the catalog's connections."""
        self._catalog.close()

    def __enter__(self) -> Lake:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _batches(self, name: str, columns: Sequence[str], where: BooleanExpression) -> Iterator[pa.RecordBatch]:
        table = self.table(name)
        scan = table.scan(row_filter=where, selected_fields=tuple(columns))
        reader = ArrowScan(table.metadata, table.io, scan.projection(), where)
        for task in scan.plan_files():  # one file at a time: pyiceberg's own reader would load all of them
            for batch in reader.to_record_batches([task]):
                yield batch.select(list(columns))


def sort_rows(rows: pa.Table) -> pa.Table:
    """Rows sorted by host and URL, if the table has these columns: the order within each file."""
    keys = [(column, "ascending") for column in sort_columns(rows.schema.names)]
    return rows.sort_by(keys) if keys else rows


def _fitted(rows: pa.Table, table: Table) -> pa.Table:
    """Rows with the table's rule for each column, whether it may be NULL. Raises ValueError if one is NULL that may not."""
    may_be_null = {field.name: field.optional for field in table.schema().fields}
    return rows.cast(pa.schema([field.with_nullable(may_be_null.get(field.name, True)) for field in rows.schema]))


def snapshot_of(table: Table, process_run: str) -> int | None:
    """The snapshot that a process run committed to this state of a table, or None."""
    for snapshot in table.metadata.snapshots:
        if process_run_of(snapshot) == process_run:
            return int(snapshot.snapshot_id)
    return None


def committed_runs(table: Table) -> set[str]:
    """The process runs that committed to this state of a table, as far back as it has snapshots."""
    return {process_run for snapshot in table.metadata.snapshots if (process_run := process_run_of(snapshot))}


def process_run_of(snapshot: Snapshot) -> str | None:
    """The process run that committed a snapshot; None if it was maintenance."""
    return None if snapshot.summary is None else snapshot.summary.additional_properties.get(RUN_PROPERTY)
