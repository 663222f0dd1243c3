"""Resolve the rows of a run's datasets: versions against the lake, duplicate keys, and which keys are seen or gone.

Before: `processing.extract.segment_rows` has staged the rows of every segment. They are sorted by key into partitions on the local disk,
and decided one partition at a time. After: `processing.publish.dataset_tables` makes the rows of the tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

import pyarrow as pa

from processing.datasets.steps import whole_row
from processing.known.known_lake import KnownLake, open_known
from processing.known.row_sightings import KeyPages, Sighting
from processing.resolve.dataset_partitions import Partitions, open_partitions
from processing.resolve.earlier_dataset_rows import definitions_of
from processing.resolve.excluded import NOTHING, Excluded, place_of
from processing.resolve.portions.dataset_records import DatasetRecords, RowTally, StoredRecord, open_dataset_records
from processing.resolve.portions.record_outcomes import note_readings, record_outcomes
from processing.resolve.records import RecordId, record_id_of
from processing.resolve.replaced import former_numbers, remaining, sighting_order
from processing.resolve.row_history import PUBLISHED, QUARANTINED, KnownVersion, RowDecision, decide_key, row_order
from processing.resolve.run_records import read_pages, read_records
from processing.staging.staging import RECORD_OUTCOMES, StagedWriter, decided_schema, staged_writer, write_rows
from runtime.scratch import scratch_folder
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import staging_schema
from schemas.keys import resolved_rows_key
from schemas.runs import ProcessRun
from schemas.tables import SIGHTINGS
from storage.lake.lake import Lake
from storage.objects.store import ObjectStore

ROWS, QUARANTINE, SEEN, OUTCOMES = "rows", "quarantine", "sightings", "outcomes"  # what is staged for each dataset
OBSERVATIONS = "observations"
WRITE_ROWS = 1_000
_SEEN_COLUMNS = ["row_id", "crawl_run", "url", "fetched_at", "rule", "warc_filename", "warc_record_offset", "position"]


@dataclass(frozen=True, slots=True)
class _Work:
    """One dataset of a run while it is resolved."""

    run: ProcessRun
    dataset: Dataset
    records: DatasetRecords
    partitions: Partitions
    known_rows: KnownLake
    excluded: Excluded


def resolve_datasets(run: ProcessRun, base: str, segments: Sequence[str], store: ObjectStore, known: KnownLake) -> None:
    """Stage the decided rows of every dataset of a run. `base` names the lake's state in the keys."""
    for dataset in run.own_datasets:
        _resolve_dataset(run, dataset, base, segments, store, known, NOTHING)


def resolve_dataset(
    run: ProcessRun,
    dataset: Dataset,
    base: str,
    segments: Sequence[str],
    store: ObjectStore,
    lake: Lake,
    excluded: Excluded = NOTHING,
) -> None:
    """Stage the decided rows of one dataset against the lake as it is now; what is `excluded` is not published."""
    _resolve_dataset(run, dataset, base, segments, store, open_known(remaining(run, store, lake), store), excluded)


def _resolve_dataset(
    run: ProcessRun, dataset: Dataset, base: str, segments: Sequence[str], store: ObjectStore, known: KnownLake, excluded: Excluded
) -> None:
    def key(name: str) -> str:
        return resolved_rows_key(run.process_run, excluded.key(base), dataset.name, name)

    with ExitStack() as stack:
        read, pages = read_records(run, segments, store), read_pages(run, segments, store, dataset.name)
        records = stack.enter_context(open_dataset_records(stack.enter_context(scratch_folder()), read, pages))
        note_readings(records, dataset, known, excluded)
        partitions = stack.enter_context(open_partitions(run, dataset, records, segments, store, known))
        work = _Work(run, dataset, records, partitions, known, excluded)
        with (
            staged_writer(store, key(ROWS), decided_schema(dataset)) as rows,
            staged_writer(store, key(QUARANTINE), staging_schema(dataset)) as quarantine,
        ):
            for partition in partitions.numbers():
                _decide_partition(work, partition, rows, quarantine)
        sightings = (table for partition in partitions.numbers() for table in _seen_in_partition(work, partition))
        write_rows(store, key(SEEN), sightings, SIGHTINGS)
        write_rows(store, key(OUTCOMES), _tables(record_outcomes(records, excluded), RECORD_OUTCOMES), RECORD_OUTCOMES)


def _decide_partition(work: _Work, partition: int, out: StagedWriter, quarantine: StagedWriter) -> None:
    rows = [_judged(work, row) for table in work.partitions.rows(partition) for row in table.to_pylist()]
    rows = [row for row in rows if row["crawl_run"] not in work.excluded.held]
    if work.dataset.history != OBSERVATIONS:
        rows = [row for row in rows if not row["is_visit"]]
    broken = [row for row in rows if row["rule"] is not None]
    fitting = sorted((row for row in rows if row["rule"] is None), key=row_order)
    tallies: defaultdict[RecordId, RowTally] = defaultdict(RowTally)
    for row in broken:
        tallies[record_id_of(row)].add(QUARANTINED, row["rule"], row["position"])
    published: list[dict[str, object]] = []
    for row, decision in _decided(work, fitting):
        tallies[record_id_of(row)].add(decision.outcome, decision.rule, row["position"])
        if decision.outcome == PUBLISHED:
            published.append(_published(row, decision))
        elif decision.outcome == QUARANTINED:
            broken.append(_broken(work.dataset, row, decision))
    work.records.count(tallies)
    for table in _tables(iter(published), decided_schema(work.dataset)):
        out.write(table)
    for table in _tables(iter(broken), staging_schema(work.dataset)):
        quarantine.write(table)


def _decided(work: _Work, rows: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], RowDecision]]:  # Any: values of a staged row
    """The rows of a partition, which are sorted by key, with the decision on each."""
    row_ids = {row["row_id"] for row in rows}
    versions = _known_versions(work, row_ids)
    former = former_numbers(work.known_rows, work.dataset.name, pa.array(sorted(row_ids), pa.string()))
    known_records = work.records.known({record_id_of(row) for row in rows})
    for row_id, group in groupby(rows, key=lambda row: row["row_id"]):
        of_key = list(group)
        known = frozenset(place for place, row in enumerate(of_key) if record_id_of(row) in known_records)
        yield from zip(of_key, decide_key(work.dataset, of_key, versions.get(row_id, ()), known, former), strict=True)


def _judged(work: _Work, row: dict[str, Any]) -> dict[str, Any]:  # Any: the values of a staged row
    """The row; one that the gate took out has the rule that it broke."""
    why = work.excluded.rows.get(place_of(row)) if work.excluded.rows else None
    if why is None or row["rule"] is not None:
        return row
    return row | {"rule": why[0], "detail": why[1], "row_json": whole_row(work.dataset, row)}


def _known_versions(work: _Work, row_ids: Collection[str]) -> dict[str, list[KnownVersion]]:
    """The versions of each key."""
    known: dict[str, list[KnownVersion]] = {}
    for table in work.partitions.versions(row_ids):
        definitions = definitions_of(work.known_rows, work.dataset.name, table["process_run"].unique().to_pylist())
        for row in table.to_pylist():
            definition = definitions.get(row["process_run"])
            fields = definition.fields if definition else None
            known.setdefault(row["row_id"], []).append(KnownVersion(row["version"], row["fetched_at"], row["first_seen"], row, fields))
    return known


def _published(row: dict[str, object], decision: RowDecision) -> dict[str, object]:
    return row | {"version": decision.version, "first_seen": decision.first_seen, "changed": list(decision.changed)}


def _broken(dataset: Dataset, row: dict[str, object], decision: RowDecision) -> dict[str, object]:
    return row | {"rule": decision.rule, "detail": decision.detail, "row_json": whole_row(dataset, row)}


def _seen_in_partition(work: _Work, partition: int) -> Iterator[pa.Table]:
    """The sightings of a partition's keys in each crawl run that is not held back, in their order. All rows are decided on."""
    seen: dict[tuple[str, str], dict[str, datetime]] = {}  # by key and crawl run: page -> time
    for table in work.partitions.rows(partition):
        for row in table.select(_SEEN_COLUMNS).to_pylist():
            if row["rule"] is None and place_of(row) not in work.excluded.rows:
                pages = seen.setdefault((row["row_id"], row["crawl_run"]), {})
                pages[row["url"]] = max(pages.get(row["url"], row["fetched_at"]), row["fetched_at"])
    keys = _key_pages(work.partitions.sightings(partition))
    for row_id, _ in seen:
        keys.setdefault(row_id, KeyPages())
    visits = _read_visits(work, keys.values(), seen.values())
    made: list[dict[str, object]] = []
    for crawl_run in (one for one in work.run.crawl_runs if one not in work.excluded.held):
        of_run = visits.get(crawl_run, _Visits())
        for row_id, of_key in sorted(keys.items()):
            found = list(of_key.sightings({**of_run.again(of_key), **seen.get((row_id, crawl_run), {})}, of_run.read))
            of_key.apply(found)
            made += [_sighting_row(work, row_id, crawl_run, one) for one in found]
    yield from _tables(iter(made), SIGHTINGS)


@dataclass(frozen=True, slots=True)
class _Visits:
    """The pages of some keys in one crawl run: when those were read that were read in full, or are gone; and the revisits of each."""

    read: dict[str, datetime] = field(default_factory=dict)
    revisits: dict[str, list[StoredRecord]] = field(default_factory=dict)

    def again(self, of_key: KeyPages) -> dict[str, datetime]:
        """The pages that have a key because they are as they were at a capture that had it."""
        return {
            url: one.record.fetched_at
            for url in (of_key.pages | of_key.last_seen.keys() if self.revisits else ())
            for one in self.revisits.get(url, ())
            if of_key.has(url, one.captured_at)
        }


def _read_visits(work: _Work, keys: Iterable[KeyPages], seen: Iterable[Iterable[str]]) -> dict[str, _Visits]:
    """The visits of pages that have some keys, or had them, by crawl run."""
    urls = {url for of_key in keys for url in (*of_key.pages, *of_key.last_seen)} | {url for pages in seen for url in pages}
    visits: dict[str, _Visits] = {}
    for stored in work.records.on_pages(urls):
        record = stored.record
        of_run = visits.setdefault(record.crawl_run, _Visits())
        if record.is_revisit:
            of_run.revisits.setdefault(record.url, []).append(stored)
        elif record.is_read(work.dataset) and stored.error is None and not stored.tally.quarantined:
            of_run.read[record.url] = record.fetched_at
    return visits


def _key_pages(sightings: Iterable[pa.Table]) -> dict[str, KeyPages]:
    """The pages of keys as the lake has them, from before a run that makes rows again."""
    rows = [row for table in sightings for row in table.to_pylist()]
    rows.sort(key=_sighting_order)
    keys: dict[str, KeyPages] = {}
    for (row_id, _), group in groupby(rows, key=_sighting_order):
        keys.setdefault(row_id, KeyPages()).apply(Sighting(row["url"], row["seen_at"], row["gone_at"]) for row in group)
    return keys


def _sighting_order(row: Mapping[str, Any]) -> tuple[str, tuple[str, str, int]]:  # Any: the values of a row
    return row["row_id"], sighting_order(row["crawl_run"], row["sequence"])


def _sighting_row(work: _Work, row_id: str, crawl_run: str, found: Sighting) -> dict[str, object]:
    return {
        "dataset": work.dataset.name,
        "row_id": row_id,
        "crawl_run": crawl_run,
        "process_run": work.run.process_run,
        "seen_at": found.seen_at,
        "gone_at": found.gone_at,
        "url": found.url,
        "sequence": None,  # it stands in `runs`
    }


def _tables(rows: Iterator[dict[str, object]], schema: pa.Schema) -> Iterator[pa.Table]:
    pending: list[dict[str, object]] = []
    for row in rows:
        pending.append(row)
        if len(pending) == WRITE_ROWS:
            yield pa.Table.from_pylist(pending, schema=schema)
            pending = []
    if pending:
        yield pa.Table.from_pylist(pending, schema=schema)
