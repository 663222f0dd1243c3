"""The rows of a dataset in a run, and those of the lake that have the same keys, sorted by key into partitions on the local disk.

A key's rows are all in one partition, so that one partition at a time is in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from processing.known.known_lake import KnownLake
from processing.resolve.earlier_dataset_rows import read_keys_on, read_row_sightings, read_versions, read_visits
from processing.resolve.portions.dataset_records import DatasetRecords
from processing.resolve.records import RecordId, record_id_of
from processing.resolve.replaced import is_after
from processing.resolve.run_records import RunRecord
from processing.staging.bucket_spill import BucketSpill
from processing.staging.staging import count_rows, read_rows
from runtime.scratch import scratch_folder
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import staging_schema
from schemas.keys import extracted_rows_key
from schemas.runs import ProcessRun
from storage.objects.store import ObjectStore
from storage.urls.host_key import host_key

PARTITION_ROWS = 5_000  # of the run: a partition's rows, and those of its keys in the lake, are Python objects
MAX_PARTITIONS = 30_000  # their numbers are int16
KEY_DIGITS = 8  # of a row's id, hexadecimal: enough to spread keys
VISIT_ROWS = 1_000  # written at a time
OBSERVATIONS = "observations"
_BUCKET = pa.field("bucket", pa.int16(), nullable=False)
_KEYS = pa.schema([_BUCKET, pa.field("row_id", pa.string())])


@dataclass(frozen=True, slots=True)
class Partitions:
    """The partitions of one dataset in a run."""

    _run: ProcessRun
    _dataset: Dataset
    _known: KnownLake
    _rows: BucketSpill
    _keys: BucketSpill  # of keys that the run's pages had

    def numbers(self) -> list[int]:
        """The partitions that have rows of the run, or keys that its pages had."""
        return sorted({*self._rows.buckets, *self._keys.buckets})

    def rows(self, partition: int) -> Iterator[pa.Table]:
        """The run's rows. `is_visit` marks those of a capture to which a later visit refers: they have the visit's time and record."""
        return self._rows.read(partition)

    def versions(self, row_ids: Collection[str]) -> Iterator[pa.Table]:
        """The lake's rows of these keys."""
        return read_versions(self._known, self._dataset, row_ids)

    def sightings(self, partition: int) -> Iterator[pa.Table]:
        """The lake's sightings of the partition's keys, and of those that the run's pages had; none of a later crawl run."""
        columns = (table["row_id"].drop_null().unique() for spill in (self._rows, self._keys) for table in spill.read(partition))
        row_ids = {row_id for column in columns for row_id in column.to_pylist()}
        return read_row_sightings(self._known, self._dataset.name, row_ids, lambda crawl_run: not is_after(self._run, crawl_run))


@contextmanager
def open_partitions(
    run: ProcessRun, dataset: Dataset, records: DatasetRecords, segments: Sequence[str], store: ObjectStore, known: KnownLake
) -> Iterator[Partitions]:
    """The partitions of a dataset; they are deleted at the end of the `with` block."""
    staged = [extracted_rows_key(run.process_run, dataset.name, segment) for segment in sorted(segments)]
    partitions = min(sum(count_rows(store, key) for key in staged) // PARTITION_ROWS + 1, MAX_PARTITIONS)
    with ExitStack() as stack:

        def spill(schema: pa.Schema, tables: Iterable[pa.Table]) -> BucketSpill:
            spilled = BucketSpill(stack.enter_context(scratch_folder()), schema)
            for table in tables:
                spilled.add(_partitioned(table, partitions).cast(schema))
            spilled.finish()
            return spilled

        rows = spill(_with_visit(staging_schema(dataset)), _run_rows(dataset, records, staged, store, known))
        on_pages = (table.select(["row_id"]) for urls in records.urls() for table in read_keys_on(known, dataset.name, urls))
        yield Partitions(run, dataset, known, rows, spill(_KEYS, on_pages))


def _run_rows(dataset: Dataset, records: DatasetRecords, keys: Iterable[str], store: ObjectStore, known: KnownLake) -> Iterator[pa.Table]:
    """The staged rows, and for each visit those of the capture that it refers to."""
    schema = _with_visit(staging_schema(dataset))
    for key in keys:
        for table in read_rows(store, key):
            yield table.append_column("is_visit", pa.repeat(pa.scalar(value=False), table.num_rows)).cast(schema)
            visits = records.visits(_captures_of(table))
            if visits:
                copies = [_visit(row, visit) for row in _fitting(table) for visit in visits.get(record_id_of(row), ())]
                yield from _tables(copies, schema)
    if dataset.history == OBSERVATIONS:
        for visits in records.visits_of_earlier():
            yield from _earlier_visits(dataset, visits, schema, known)


def _captures_of(table: pa.Table) -> set[RecordId]:
    return set(zip(table["warc_filename"].to_pylist(), table["warc_record_offset"].to_pylist(), strict=True))


def _fitting(table: pa.Table) -> list[dict[str, object]]:
    return list(table.filter(pc.is_null(table["rule"])).to_pylist())


def _earlier_visits(
    dataset: Dataset, visits: Mapping[RecordId, list[RunRecord]], schema: pa.Schema, known: KnownLake
) -> Iterator[pa.Table]:
    pending: list[dict[str, object]] = []
    for row in read_visits(known, dataset, frozenset(visits)):
        pending += [_visit(row, visit) for visit in visits[record_id_of(row)]]
        if len(pending) >= VISIT_ROWS:
            yield from _tables(pending, schema)
            pending = []
    yield from _tables(pending, schema)


def _tables(rows: list[dict[str, object]], schema: pa.Schema) -> Iterator[pa.Table]:
    if rows:
        yield pa.Table.from_pylist(rows, schema=schema)


def _visit(row: Mapping[str, object], visit: RunRecord) -> dict[str, object]:
    """A row of an earlier capture, as the visit that found it unchanged gives it."""
    return {
        **row,
        "bucket": 0,
        "url": visit.url,
        "host": host_key(visit.url),
        "fetched_at": visit.fetched_at,
        "warc_filename": visit.record_id[0],
        "warc_record_offset": visit.record_id[1],
        "warc_record_length": visit.length,
        "content_digest": visit.content_digest,
        "crawl_run": visit.crawl_run,
        "is_visit": True,
    }


def _with_visit(schema: pa.Schema) -> pa.Schema:
    return schema.append(pa.field("is_visit", pa.bool_(), nullable=False))


def _partitioned(table: pa.Table, partitions: int) -> pa.Table:
    """The table with the number of each row's partition as `bucket`. Rows without a key are in the first."""
    numbers = [0 if row_id is None else int(row_id[:KEY_DIGITS], 16) % partitions for row_id in table["row_id"].to_pylist()]
    column = pa.array(numbers, pa.int16())
    place = table.schema.get_field_index(_BUCKET.name)
    return table.add_column(0, _BUCKET, column) if place < 0 else table.set_column(place, _BUCKET, column)
