"""The lake: Iceberg tables to which each process run adds its rows once, and may take out rows that it replaces.

On the main path, `processing.publish.publish` comes before: it stages rows here and commits them by `storage.lake.commit`. Readers come
after.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from typing import Any

import pyarrow as pa
from pyiceberg.expressions import AlwaysTrue, BooleanExpression, EqualTo
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.manifest import DataFile
from pyiceberg.table import FileScanTask, Table
from sqlalchemy import Connection

from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset
from schemas.errors import LakeMovedError, StorageError
from schemas.tables import RUNS, WITH_BLOCKS
from storage.lake.catalog import NAMESPACE, catalog_errors, open_catalog, warehouse
from storage.lake.data_files import write_data_files
from storage.lake.dataset_tables import ensure_dataset_table, fields_of, refuse_misfit
from storage.lake.hidden import HiddenRows
from storage.lake.parquet.block_texts import BLOCKS, TEXT, with_block_texts
from storage.lake.published import PUBLISHED, STAMPS, Publications
from storage.lake.removal import Removal, affected_files, replace_file
from storage.lake.staged_metadata import RUN_PROPERTY, Staged, StagedTransaction, move_pointers, process_run_of, stage
from storage.lake.tables import load_table, load_tables
from storage.lake.upkeep.replaced import note_replaced
from storage.lake.upkeep.retention import expire_surplus
from storage.lake.upkeep.tags import tag_run
from storage.outages import store_outage


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
        self._publications: tuple[str, Publications] | None = None  # as of a metadata file of `runs`
        self._runs_files: dict[str, pa.Table] = {}  # what each data file of `runs` says of them
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

    def write(self, table: Table, chunks: Iterable[pa.Table]) -> list[DataFile]:
        """Write rows as data files of a table, for `stage` to add; nobody sees them before. Files that are never added become orphans.

        Each chunk, in the table's Arrow schema, is sorted by host and URL; one chunk at a time is in memory. A column that a chunk lacks is
        NULL. Raises StorageError if files cannot be written.
        """
        with self._writing(table):
            return [file for chunk in chunks for file in write_data_files(table, chunk)]

    def stage(
        self,
        table: Table,
        chunks: Iterable[pa.Table],
        process_run: str,
        removed: Removal | None = None,
        files: Sequence[DataFile] = (),
        unpublished: Collection[str] | None = None,
    ) -> Staged:
        """Write new metadata of the table with one more snapshot, without committing it: that of a process run.

        It adds the rows of the chunks, as `write` takes them, and `files` that were written before. `removed` are rows that are taken
        out in the same snapshot. If the `unpublished` process runs are given, snapshots leave the metadata that are too many, but those of
        these runs. Raises StorageError if files cannot be written.
        """
        transaction = StagedTransaction(table)
        with self._writing(table):
            made = transaction.update_snapshot(snapshot_properties={RUN_PROPERTY: process_run})
            affected = list(affected_files(table, removed)) if removed is not None and removed.values else []
            with made.overwrite() if affected else made.merge_append() as snapshot:
                for task in affected:
                    assert removed is not None
                    replace_file(snapshot, table, task, removed.stays)
                for data_file in (*files, *self.write(table, chunks)):
                    snapshot.append_data_file(data_file)
            note_replaced(table, [task.file.file_path for task in affected])
            if unpublished is not None:
                expire_surplus(transaction, unpublished)
            tag_run(transaction, process_run)
            return stage(transaction)

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

    def publications(self) -> Publications:
        """The process runs whose rows are visible, with when they were published. What was read of `runs` is not read again."""
        table = self.table("runs")
        if self._publications is None or self._publications[0] != table.metadata_location:
            files = {task.file.file_path: task for task in table.scan().plan_files()}
            known = {path: rows for path, rows in self._runs_files.items() if path in files}
            known |= {path: self._stamps_in(table, task) for path, task in files.items() if path not in known}
            self._runs_files = known
            self._publications = table.metadata_location, Publications(pa.concat_tables([PUBLISHED.empty_table(), *known.values()]))
        return self._publications[1]

    def published_runs(self) -> set[str]:
        """The process runs whose rows are visible."""
        return self.publications().names()

    def scan(self, name: str, columns: Sequence[str], where: BooleanExpression | None = None) -> Iterator[pa.RecordBatch]:
        """The published rows of a table in batches, file after file, with the columns in the given order.

        `where` is an Iceberg expression; it cannot name `sequence` and `ingested_at`, which come from `runs`.
        """
        published = self.publications()
        table, condition = self.table(name), where or AlwaysTrue()
        yield from self._published_rows(table, table.scan(row_filter=condition).plan_files(), columns, condition, published)

    def scan_files(self, table: Table, files: Iterable[DataFile], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The published rows of some data files of a table, which need not belong to its current snapshot."""
        yield from self._published_rows(table, map(FileScanTask, files), columns, AlwaysTrue(), self.publications())

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

    def _published_rows(
        self, table: Table, tasks: Iterable[FileScanTask], columns: Sequence[str], where: BooleanExpression, published: Publications
    ) -> Iterator[pa.RecordBatch]:
        name = str(table.name()[-1])
        deciding = self.hidden.columns(name) if self.hidden is not None else ()
        stored = columns if name == "runs" else [column for column in columns if column not in STAMPS]
        with_texts = [TEXT] if BLOCKS in columns and name in WITH_BLOCKS else []
        for batch in _rows_of(table, tasks, tuple(dict.fromkeys([*stored, "process_run", *deciding, *with_texts])), where):
            shown = batch.filter(self.hidden.shown(name, batch)) if self.hidden is not None and deciding and batch.num_rows else batch
            rows = published.visible(with_block_texts(shown) if with_texts else shown, columns)
            if rows.num_rows:
                yield rows

    def _batches(self, name: str, columns: Sequence[str], where: BooleanExpression) -> Iterator[pa.RecordBatch]:
        table = self.table(name)
        yield from _rows_of(table, table.scan(row_filter=where).plan_files(), columns, where)

    def _stamps_in(self, table: Table, task: FileScanTask) -> pa.Table:
        batches = list(_rows_of(table, [task], PUBLISHED.names, AlwaysTrue()))
        return pa.Table.from_batches([batch.cast(PUBLISHED) for batch in batches], PUBLISHED)

    @contextmanager
    def _writing(self, table: Table) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if (outage := store_outage(error)) is not None:
                raise outage from error
            raise StorageError(
                f"Writing to the table '{table.name()[-1]}' under {self.warehouse} failed: {error}. Nothing was committed."
            ) from error


def _rows_of(table: Table, tasks: Iterable[FileScanTask], columns: Sequence[str], where: BooleanExpression) -> Iterator[pa.RecordBatch]:
    """The rows of data files, one file after the other: pyiceberg's own reader would load all of them."""
    reader = ArrowScan(table.metadata, table.io, table.scan(selected_fields=tuple(columns)).projection(), where)
    for task in tasks:
        for batch in reader.to_record_batches([task]):
            yield batch.select(list(columns))


def snapshot_of(table: Table, process_run: str) -> int | None:
    """The snapshot that a process run committed to this state of a table, or None."""
    for snapshot in table.metadata.snapshots:
        if process_run_of(snapshot) == process_run:
            return int(snapshot.snapshot_id)
    return None


def committed_runs(table: Table) -> set[str]:
    """The process runs that committed to this state of a table, as far back as it has snapshots."""
    return {process_run for snapshot in table.metadata.snapshots if (process_run := process_run_of(snapshot))}
