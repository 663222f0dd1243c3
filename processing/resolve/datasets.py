"""Resolve the rows of a run's datasets: versions against the lake, duplicate keys, and which keys are seen or gone.

Before: `processing.extract.segment_rows` has staged the rows of every segment. They are sorted by key into partitions on the local disk,
and decided one partition at a time. After: `processing.publish.dataset_tables` makes the rows of the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from processing.resolve.earlier_dataset_rows import EarlierReadings, Reading, definitions_of, read_readings, rows_digest
from processing.resolve.excluded import NOTHING, Excluded, place_of
from processing.resolve.records import RecordId, record_id_of
from processing.resolve.replaced import NO_NUMBERS, FormerNumbers, former_numbers, remaining, sighting_order
from processing.resolve.row_history import PUBLISHED, QUARANTINED, KnownVersion, RowDecision, Values, decide_key, row_order
from processing.resolve.run_records import RunRecord, read_errors, read_records
from processing.staging.staging import RECORD_OUTCOMES, StagedWriter, decided_schema, staged_writer, write_rows
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import staging_schema
from schemas.keys import resolved_rows_key
from schemas.outcomes import Outcome, Reason
from schemas.runs import ProcessRun
from schemas.tables import SIGHTINGS
from storage.lake.lake import Lake
from storage.objects.store import ObjectStore

ROWS, QUARANTINE, SEEN, OUTCOMES = "rows", "quarantine", "sightings", "outcomes"  # what is staged for each dataset
OBSERVATIONS = "observations"
WRITE_ROWS = 1_000
_SEEN_COLUMNS = ["row_id", "crawl_run", "url", "fetched_at", "rule", "warc_filename", "warc_record_offset", "position"]


@dataclass(slots=True)
class RowTally:
    """How many rows one record made for a dataset, and what became of them. `reason` is the first for which one was quarantined."""

    made: int = 0
    published: int = 0
    unchanged: int = 0
    quarantined: int = 0
    reason: str | None = None

    def add(self, outcome: str, reason: str | None) -> None:
        """Count one row."""
        self.made += 1
        setattr(self, outcome, getattr(self, outcome) + 1)
        self.reason = self.reason or reason


@dataclass(slots=True)
class _Work:
    """One dataset of a run while it is resolved."""

    run: ProcessRun
    dataset: Dataset
    records: Mapping[RecordId, RunRecord]
    errors: Mapping[RecordId, str]
    readings: EarlierReadings
    known_rows: KnownLake
    known: frozenset[RecordId]
    excluded: Excluded
    former: FormerNumbers = NO_NUMBERS
    tallies: dict[RecordId, RowTally] = field(default_factory=dict)

    def count(self, row: Values, outcome: str, reason: str | None = None) -> None:
        record_id = record_id_of(row)
        if record_id not in self.tallies:
            record = self.records.get(record_id)
            self.tallies[record.record_id if record is not None else record_id] = RowTally()  # its own id, not a second one
        self.tallies[record_id].add(outcome, reason)


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
    run: ProcessRun, dataset: Dataset, base: str, segments: Sequence[str], store: ObjectStore, known_rows: KnownLake, excluded: Excluded
) -> None:
    records = read_records(run, segments, store, dataset.name)
    targets = {record.refers_to for record in records.values() if record.refers_to is not None}
    until = max((record.fetched_at for record in records.values()), default=None) if known_rows.hidden is not None else None
    readings = read_readings(known_rows, dataset.name, {record.url for record in records.values()}, targets, until)
    known = frozenset(_known_records(dataset, records.values(), readings, excluded))
    errors = read_errors(run, segments, store, dataset.name)
    work = _Work(run, dataset, records, errors, readings, known_rows, known, excluded)

    def key(name: str) -> str:
        return resolved_rows_key(run.process_run, excluded.key(base), dataset.name, name)

    with open_partitions(run, dataset, records, segments, store, known_rows) as partitions:
        work.former = former_numbers(known_rows, dataset.name, partitions.row_ids)
        with ExitStack() as stack:
            rows = stack.enter_context(staged_writer(store, key(ROWS), decided_schema(dataset)))
            quarantine = stack.enter_context(staged_writer(store, key(QUARANTINE), staging_schema(dataset)))
            for partition in partitions.numbers():
                _decide_partition(work, partitions, partition, rows, quarantine)
        visits = _read_visits(work, partitions)
        sightings = (table for partition in partitions.numbers() for table in _seen_in_partition(work, partitions, partition, visits))
        write_rows(store, key(SEEN), sightings, SIGHTINGS)
    outcomes = (_outcome_row(work, record) for record in records.values())
    write_rows(store, key(OUTCOMES), _tables(outcomes, RECORD_OUTCOMES), RECORD_OUTCOMES)


def _known_records(dataset: Dataset, records: Iterable[RunRecord], readings: EarlierReadings, excluded: Excluded) -> Iterator[RecordId]:
    """The records whose pages are as they were at their last reading, which has published the rows by the same definition."""
    broken = {(name, offset) for name, offset, _ in excluded.rows}
    last = {
        url: reading.content_digest
        for url, reading in readings.by_url.items()
        if reading.has_rows and reading.definition == rows_digest(dataset)
    }
    for record in sorted(records, key=lambda one: (one.crawl_run, one.fetched_at, one.record_id)):
        if record.is_revisit or record.crawl_run in excluded.held:
            continue
        if last.get(record.url) == record.content_digest:
            yield record.record_id
        if record.record_id in broken:
            last.pop(record.url, None)
        elif record.unread is None:
            last[record.url] = record.content_digest


def _decide_partition(work: _Work, partitions: Partitions, partition: int, out: StagedWriter, quarantine: StagedWriter) -> None:
    rows = [_judged(work, row) for table in partitions.rows(partition) for row in table.to_pylist()]
    rows = [row for row in rows if row["crawl_run"] not in work.excluded.held]
    if work.dataset.history != OBSERVATIONS:
        rows = [row for row in rows if not row["is_visit"]]
    broken = [row for row in rows if row["rule"] is not None]
    for row in broken:
        work.count(row, QUARANTINED, row["rule"])
    fitting = sorted((row for row in rows if row["rule"] is None), key=row_order)
    versions = _known_versions(work, partitions, partition)
    published: list[dict[str, object]] = []
    for row_id, group in groupby(fitting, key=lambda row: row["row_id"]):
        of_key = list(group)
        known = frozenset(place for place, row in enumerate(of_key) if record_id_of(row) in work.known)
        for row, decision in zip(of_key, decide_key(work.dataset, of_key, versions.get(row_id, ()), known, work.former), strict=True):
            work.count(row, decision.outcome, decision.rule)
            if decision.outcome == PUBLISHED:
                published.append(_published(row, decision))
            elif decision.outcome == QUARANTINED:
                broken.append(_broken(work.dataset, row, decision))
    for table in _tables(iter(published), decided_schema(work.dataset)):
        out.write(table)
    for table in _tables(iter(broken), staging_schema(work.dataset)):
        quarantine.write(table)


def _judged(work: _Work, row: dict[str, Any]) -> dict[str, Any]:  # Any: the values of a staged row
    """The row; one that the gate took out has the rule that it broke."""
    why = work.excluded.rows.get(place_of(row)) if work.excluded.rows else None
    if why is None or row["rule"] is not None:
        return row
    return row | {"rule": why[0], "detail": why[1], "row_json": whole_row(work.dataset, row)}


def _known_versions(work: _Work, partitions: Partitions, partition: int) -> dict[str, list[KnownVersion]]:
    """The versions of each key."""
    known: dict[str, list[KnownVersion]] = {}
    for table in partitions.versions(partition):
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


def _read_visits(work: _Work, partitions: Partitions) -> dict[str, tuple[dict[str, datetime], list[RunRecord]]]:
    """By crawl run that is not held back: the pages that were read, with the time, and the revisits. All rows are decided on."""
    return {
        crawl_run: (partitions.pages_read(crawl_run, work.errors, work.tallies), partitions.revisits(crawl_run))
        for crawl_run in work.run.crawl_runs
        if crawl_run not in work.excluded.held
    }


def _seen_in_partition(
    work: _Work, partitions: Partitions, partition: int, visits: Mapping[str, tuple[Mapping[str, datetime], Sequence[RunRecord]]]
) -> Iterator[pa.Table]:
    """The sightings of a partition's keys in each crawl run, in their order."""
    seen: dict[tuple[str, str], dict[str, datetime]] = {}  # by key and crawl run: page -> time
    for table in partitions.rows(partition):
        for row in table.select(_SEEN_COLUMNS).to_pylist():
            if row["rule"] is None and place_of(row) not in work.excluded.rows:
                pages = seen.setdefault((row["row_id"], row["crawl_run"]), {})
                pages[row["url"]] = max(pages.get(row["url"], row["fetched_at"]), row["fetched_at"])
    keys = _key_pages(partitions, partition)
    for row_id, _ in seen:
        keys.setdefault(row_id, KeyPages())
    made: list[dict[str, object]] = []
    for crawl_run, (read, revisits) in visits.items():
        for row_id, of_key in sorted(keys.items()):
            again = {one.url: one.fetched_at for one in revisits if of_key.has(one.url, _captured_at(work, one))}
            found = list(of_key.sightings({**again, **seen.get((row_id, crawl_run), {})}, read))
            of_key.apply(found)
            made += [_sighting_row(work, row_id, crawl_run, one) for one in found]
    yield from _tables(iter(made), SIGHTINGS)


def _captured_at(work: _Work, revisit: RunRecord) -> datetime | None:
    """When the capture was made that a revisit refers to."""
    if revisit.refers_to is None:
        return None
    target = work.records.get(revisit.refers_to) or work.readings.by_record.get(revisit.refers_to)
    return target.fetched_at if target is not None else None


def _key_pages(partitions: Partitions, partition: int) -> dict[str, KeyPages]:
    """The pages of keys as the lake has them, from before a run that makes rows again."""
    rows = [row for table in partitions.sightings(partition) for row in table.to_pylist()]
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


def _outcome_row(work: _Work, record: RunRecord) -> dict[str, object]:
    tally = work.tallies.get(record.record_id, RowTally())
    outcome, reason, detail = _outcome(work, record, tally)
    return {
        "warc_filename": record.record_id[0],
        "warc_record_offset": record.record_id[1],
        "crawl_run": record.crawl_run,
        "outcome": str(outcome),
        "reason": reason,
        "detail": detail,
        "made": tally.made,
        "published": tally.published,
        "unchanged": tally.unchanged,
        "quarantined": tally.quarantined,
    }


def _outcome(work: _Work, record: RunRecord, tally: RowTally) -> tuple[Outcome, str | None, str | None]:
    """The outcome of a record for the dataset, and why its rows are not in the table: a reason, and a line of detail."""
    if record.crawl_run in work.excluded.held:
        return Outcome.REJECTED, str(Reason.HELD), work.excluded.held[record.crawl_run]
    if tally.published:
        return Outcome.PUBLISHED, None, None
    if tally.unchanged:
        return Outcome.KNOWN, None, None
    if tally.quarantined:
        return Outcome.QUARANTINED, tally.reason, None
    if record.is_revisit and record.unread is None:
        return _revisit_outcome(work, record)
    if record.record_id in work.errors:
        return Outcome.REJECTED, str(Reason.DATASET_ERROR), work.errors[record.record_id]
    return Outcome.REJECTED, record.unread or str(Reason.NO_ROWS), record.detail


def _revisit_outcome(work: _Work, record: RunRecord) -> tuple[Outcome, str | None, str | None]:
    """A revisit stands for the capture that it refers to."""
    target = work.records.get(record.refers_to) if record.refers_to is not None else None
    if target is not None and not target.is_revisit:
        outcome, reason, _ = _outcome(work, target, work.tallies.get(target.record_id, RowTally()))
    else:
        reading = _last_reading(work, record)
        outcome, reason = (Outcome(reading.outcome), None) if reading is not None else (Outcome.REJECTED, None)
    if outcome in {Outcome.PUBLISHED, Outcome.KNOWN}:
        return Outcome.KNOWN, None, None
    return (
        Outcome.REJECTED,
        reason or str(Reason.NO_ROWS),
        "unchanged" if outcome is Outcome.REJECTED else f"unchanged since it was {outcome}",
    )


def _last_reading(work: _Work, revisit: RunRecord) -> Reading | None:
    """The last reading of the bytes that a revisit refers to: of their record, or of a later revisit for which they were read again."""
    of_record = work.readings.by_record.get(revisit.refers_to) if revisit.refers_to is not None else None
    of_page = work.readings.by_url.get(revisit.url)
    if of_record is None or of_page is None:
        return of_record or of_page
    is_same = of_page.content_digest == revisit.content_digest
    return of_page if is_same and of_page.fetched_at > of_record.fetched_at else of_record


def _tables(rows: Iterator[dict[str, object]], schema: pa.Schema) -> Iterator[pa.Table]:
    pending: list[dict[str, object]] = []
    for row in rows:
        pending.append(row)
        if len(pending) == WRITE_ROWS:
            yield pa.Table.from_pylist(pending, schema=schema)
            pending = []
    if pending:
        yield pa.Table.from_pylist(pending, schema=schema)
