"""The rows of a dataset in a run, and those of the lake that have the same keys, sorted by key into partitions on the local disk.

A key's rows are all in one partition, so that one partition at a time is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from processing.known.known_lake import KnownLake
from processing.resolve.earlier_dataset_rows import read_sightings, read_versions, read_visits
from processing.resolve.records import RecordId, record_id_of
from processing.resolve.replaced import is_after
from processing.resolve.run_records import RunRecord
from processing.staging.bucket_spill import BucketSpill
from processing.staging.staging import read_rows
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


class Tally(Protocol):
    """What became of a record's rows."""

    quarantined: int


@dataclass(slots=True)
class Partitions:
    """The partitions of one dataset in a run. `row_ids` are the ids of the run's keys."""

    _dataset: Dataset
    _records: Mapping[RecordId, RunRecord]
    _rows: BucketSpill
    row_ids: pa.Array
    _versions: BucketSpill | None = None
    _sightings: BucketSpill | None = None

    def numbers(self) -> list[int]:
        """The partitions that have rows of the run, or of keys that its pages had."""
        return sorted({*self._rows.buckets, *(self._sightings.buckets if self._sightings else ())})

    def rows(self, partition: int) -> Iterator[pa.Table]:
        """The run's rows. `is_visit` marks those of a capture to which a later visit refers: they have the visit's time and record."""
        return self._rows.read(partition)

    def versions(self, partition: int) -> Iterator[pa.Table]:
        """The lake's rows of the same keys."""
        return self._versions.read(partition) if self._versions else iter(())

    def sightings(self, partition: int) -> Iterator[pa.Table]:
        """The lake's sightings of the same keys, and of keys that the run's pages had."""
        return self._sightings.read(partition) if self._sightings else iter(())

    def pages_read(self, crawl_run: str, errors: Mapping[RecordId, str], tallies: Mapping[RecordId, Tally]) -> dict[str, datetime]:
        """The pages that were read in full in a crawl run, or are gone, with the time."""
        return {
            record.url: record.fetched_at
            for record in self._records.values()
            if record.crawl_run == crawl_run
            and record.is_read(self._dataset)
            and record.record_id not in errors
            and not (record.record_id in tallies and tallies[record.record_id].quarantined)
        }

    def revisits(self, crawl_run: str) -> list[RunRecord]:
        """The records of the pages that were as they had been at an earlier capture."""
        return [record for record in self._records.values() if record.crawl_run == crawl_run and record.is_revisit]


@contextmanager
def open_partitions(
    run: ProcessRun, dataset: Dataset, records: Mapping[RecordId, RunRecord], segments: Sequence[str], store: ObjectStore, known: KnownLake
) -> Iterator[Partitions]:
    """The partitions of a dataset; they are deleted at the end of the `with` block."""
    keys = [extracted_rows_key(run.process_run, dataset.name, segment) for segment in sorted(segments)]
    count, row_ids = _row_ids(store, keys)
    partitions = min(count // PARTITION_ROWS + 1, MAX_PARTITIONS)
    with ExitStack() as stack:

        def spill(schema: pa.Schema) -> BucketSpill:
            return stack.enter_context(BucketSpill(stack.enter_context(scratch_folder()), schema))

        rows = spill(_with_visit(staging_schema(dataset)))
        for table in _run_rows(dataset, records, keys, store, known):
            rows.add(_partitioned(table, partitions))
        rows.finish()
        urls = {record.url for record in records.values()}
        all_row_ids = _all_row_ids(rows, row_ids)
        versions = _spilled(read_versions(known, dataset, all_row_ids), partitions, spill)
        sightings = read_sightings(known, dataset.name, urls, row_ids, lambda crawl_run: not is_after(run, crawl_run))
        yield Partitions(dataset, records, rows, all_row_ids, versions, _spilled(sightings, partitions, spill))


def _row_ids(store: ObjectStore, keys: Iterable[str]) -> tuple[int, pa.ChunkedArray]:
    """How many rows there are, and the ids of their keys, each once."""
    count, chunks = 0, []
    for key in keys:
        for table in read_rows(store, key, ["row_id"]):
            count += table.num_rows
            chunks.append(table["row_id"].combine_chunks().drop_null().unique())
    return count, pa.chunked_array([pa.chunked_array(chunks, pa.string()).unique()], pa.string())


def _all_row_ids(rows: BucketSpill, row_ids: pa.ChunkedArray) -> pa.Array:
    """The ids of the run's keys and of those of earlier captures that visits refer to."""
    visited = [table["row_id"].filter(table["is_visit"]) for bucket in rows.buckets for table in rows.read(bucket)]
    chunks = [chunk for array in (row_ids, *visited) for chunk in array.chunks]
    return pa.chunked_array(chunks, pa.string()).drop_null().unique()


def _run_rows(
    dataset: Dataset, records: Mapping[RecordId, RunRecord], keys: Iterable[str], store: ObjectStore, known: KnownLake
) -> Iterator[pa.Table]:
    """The staged rows, and for each visit those of the capture that it refers to."""
    visits: dict[RecordId, list[RunRecord]] = {}
    for record in records.values():
        if record.is_revisit and record.refers_to is not None:
            visits.setdefault(record.refers_to, []).append(record)
    schema = _with_visit(staging_schema(dataset))
    for key in keys:
        for table in read_rows(store, key):
            yield table.append_column("is_visit", pa.repeat(pa.scalar(value=False), table.num_rows)).cast(schema)
            if visits:
                copies = [_visit(row, visit) for row in _fitting(table) for visit in visits.get(record_id_of(row), ())]
                if copies:
                    yield pa.Table.from_pylist(copies, schema=schema)
    if dataset.history == OBSERVATIONS:
        yield from _earlier_visits(dataset, {target: of for target, of in visits.items() if target not in records}, schema, known)


def _fitting(table: pa.Table) -> list[dict[str, object]]:
    return list(table.filter(pc.is_null(table["rule"])).to_pylist())


def _earlier_visits(
    dataset: Dataset, visits: Mapping[RecordId, list[RunRecord]], schema: pa.Schema, known: KnownLake
) -> Iterator[pa.Table]:
    pending: list[dict[str, object]] = []
    for row in read_visits(known, dataset, frozenset(visits)):
        pending += [_visit(row, visit) for visit in visits[record_id_of(row)]]
        if len(pending) >= VISIT_ROWS:
            yield pa.Table.from_pylist(pending, schema=schema)
            pending = []
    if pending:
        yield pa.Table.from_pylist(pending, schema=schema)


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
    field = pa.field("bucket", pa.int16(), nullable=False)
    place = table.schema.get_field_index("bucket")
    return table.append_column(field, column) if place < 0 else table.set_column(place, field, column)


def _spilled(tables: Iterable[pa.Table], partitions: int, spill: Callable[[pa.Schema], BucketSpill]) -> BucketSpill | None:
    made: BucketSpill | None = None
    for table in tables:
        rows = _partitioned(table, partitions)
        made = made or spill(rows.schema)
        made.add(rows.cast(made.schema))
    if made is not None:
        made.finish()
    return made
