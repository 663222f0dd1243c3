"""Find the revisits of a run whose pages must be read again, from the records that they refer to.

A page that answers 304, or the same bytes, is stored as a revisit without a body. It need not be read again for a dataset as long as its
last reading was by the definition of today. It is read again if the dataset or the crawl is new to it, if the definition, a function or a
step has changed, or if the rows of its last reading are held back. For `articles` a changed definition matters only to pages that were
rejected: rows in quarantine are judged again by themselves, and a published article stays as it is until it is reprocessed.

Reading a page once too often changes nothing: its rows are compared with those that the table has. So what is found here is found once
for a process run, before its segments are extracted, and is stored beside the staged rows.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.expressions import BooleanExpression, In

from processing.extract.referred_records import RecordId
from schemas.datasets.dataset import Dataset
from schemas.keys import crawl_of, crawl_run_of, mark_key, revisits_key
from schemas.manifest import Segment
from schemas.outcomes import Outcome, Reason
from schemas.runs import ProcessRun, reading_digest
from storage.lake.lake import Lake
from storage.objects.store import ObjectStore
from storage.urls.host_key import host_key
from storage.warc.removed_segments import read_removed

ARTICLES = "articles"
OBSERVATIONS = "observations"
MARK = "revisits"
MAX_VALUES = 200  # of which pyiceberg compares each with the statistics of a file
_INDEX_COLUMNS = ["url", "fetch_time", "record_type", "warc_record_offset", "refers_to_filename", "refers_to_offset"]
_PLACE_COLUMNS = ["dataset", "warc_filename", "warc_record_offset", "position"]
_CAPTURE_COLUMNS = [
    "url",
    "fetched_at",
    "process_run",
    "outcome",
    "reason",
    "outcomes",
    "warc_filename",
    "warc_record_offset",
]

Names = frozenset[str]  # of datasets
Positions = frozenset[int]  # of rows on a page
PublishedRuns = Callable[[], Iterable[Mapping[str, Any]]]  # Any: the values of a row
"""Gives the process runs of `runs`: crawl, process_run, crawl_run, planned_at, and the JSON texts definitions and held."""
Outdated = Mapping[int, Mapping[str, Positions]]
"""The revisits of a segment that are read again, by their offset: for which datasets, and which rows of each are in quarantine already, as
rows of the record that the revisit refers to. Those are judged again by themselves."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """The last reading of a page for a dataset: by which rules, and what came of it."""

    read_by: str | None
    outcome: str
    reason: str | None
    fetched_at: datetime


@dataclass(slots=True)
class _Revisit:
    """A revisit of the run, the record that it refers to, and by dataset the last readings of the page and those of that record."""

    segment: str
    offset: int
    url: str
    fetched_at: datetime
    refers_to: RecordId
    readings: dict[str, _Reading] = field(default_factory=dict)
    of_record: dict[str, _Reading] = field(default_factory=dict)

    @property
    def fetched_by(self) -> str:
        """The crawl run that fetched the page."""
        return crawl_run_of(self.refers_to[0])

    def add(self, dataset: str, reading: _Reading) -> None:
        """Take in a reading of the page; they come in any order."""
        known = self.readings.get(dataset)
        if reading.fetched_at <= self.fetched_at and (known is None or known.fetched_at <= reading.fetched_at):
            self.readings[dataset] = reading


def stage_outdated(run: ProcessRun, segments: Sequence[Segment], store: ObjectStore, lake: Lake, published: PublishedRuns) -> None:
    """Store which revisits of a run's segments are read again; once for each run. `published` is asked only if there are any."""
    if store.info(mark_key(run.process_run, MARK)) is not None:
        return
    outdated = list(_outdated(run, segments, store, lake, published))
    waiting = _in_quarantine(run, {revisit.refers_to for revisit, _ in outdated}, lake)
    found: dict[str, dict[int, dict[str, list[int]]]] = {}
    for revisit, names in outdated:
        positions = {name: sorted(waiting.get((*revisit.refers_to, name), ())) for name in sorted(names)}
        found.setdefault(revisit.segment, {})[revisit.offset] = positions
    for segment, offsets in sorted(found.items()):
        store.put_bytes(revisits_key(run.process_run, segment), json.dumps(offsets).encode())
    store.put_bytes(mark_key(run.process_run, MARK), json.dumps(sorted(found)).encode())


def outdated_in(run: ProcessRun, segment: str, store: ObjectStore) -> Outdated:
    """The revisits of a segment that are read again."""
    if segment not in json.loads(store.get_bytes(mark_key(run.process_run, MARK))):
        return {}
    stored = json.loads(store.get_bytes(revisits_key(run.process_run, segment)))
    return {int(offset): {name: frozenset(places) for name, places in of_one.items()} for offset, of_one in stored.items()}


def _in_quarantine(run: ProcessRun, record_ids: Collection[RecordId], lake: Lake) -> dict[tuple[str, int, str], set[int]]:
    """The places of the rows that records have in quarantine, by record and dataset. Each visit is a row of its own in `observations`."""
    names = {dataset.name for dataset in run.own_datasets if dataset.history != OBSERVATIONS}
    found: dict[tuple[str, int, str], set[int]] = {}
    for batch in lake.scan("quarantine", _PLACE_COLUMNS, _one_of("warc_filename", {one for one, _ in record_ids})) if record_ids else ():
        for row in batch.to_pylist():
            record_id = row["warc_filename"], row["warc_record_offset"]
            if record_id in record_ids and row["dataset"] in names and row["position"] is not None:
                found.setdefault((*record_id, row["dataset"]), set()).add(row["position"])
    return found


def _outdated(
    run: ProcessRun, segments: Sequence[Segment], store: ObjectStore, lake: Lake, published: PublishedRuns
) -> Iterator[tuple[_Revisit, Names]]:
    current = {dataset.name: reading_digest(run.crawl, dataset) for dataset in run.judged_datasets}
    removed = read_removed(store)  # a page whose bytes are gone stays as it was read last
    every = (one for segment in segments for one in _revisits(segment, store))
    revisits = [one for one in every if one.fetched_by not in run.crawl_runs and not removed.covers(one.fetched_by)]
    if not revisits:
        return
    rules = _Rules(current, {run.crawl.name, *(crawl_of(one.refers_to[0]) for one in revisits)})
    rules.read(published())
    doubtful = [(one, names) for one in revisits if (names := rules.doubtful(one.fetched_by))]
    _add_readings([one for one, _ in doubtful], rules, lake)
    for one, names in doubtful:
        found = frozenset(dataset.name for dataset in run.judged_datasets if dataset.name in names and _is_outdated(dataset, one, current))
        if found:
            yield one, found


def _is_outdated(dataset: Dataset, revisit: _Revisit, current: Mapping[str, str]) -> bool:
    name = dataset.name
    of_record = revisit.of_record.get(name)
    # the row of a visit repeats those of the record, whatever visits in between have read
    last = of_record if dataset.history == OBSERVATIONS else revisit.readings.get(name)
    if last is None or last.reason == Reason.HELD:
        return True
    if last.read_by == current[name]:
        return False
    return not dataset.is_built_in or (last.outcome == Outcome.REJECTED and not (of_record and of_record.outcome == Outcome.QUARANTINED))


def _revisits(segment: Segment, store: ObjectStore) -> Iterator[_Revisit]:
    with pq.ParquetFile(io.BytesIO(store.get_bytes(segment.index_key))) as file:
        rows = file.read(columns=_INDEX_COLUMNS)
    rows = rows.filter(pc.and_(pc.equal(rows["record_type"], "revisit"), pc.is_valid(rows["refers_to_filename"])))
    for row in rows.to_pylist():
        refers_to = row["refers_to_filename"], row["refers_to_offset"]
        yield _Revisit(segment.segment, row["warc_record_offset"], row["url"], row["fetch_time"].astimezone(UTC), refers_to)


@dataclass(slots=True)
class _Rules:
    """By which rules published process runs have read pages for each dataset, and until when by others than those of today.

    `crawls` are the names that the crawl has had: a run of theirs without a dataset has not read its pages for it.
    """

    current: Mapping[str, str]
    crawls: Collection[str]
    read_by: dict[str, dict[str, str | None]] = field(default_factory=dict)
    planned: dict[str, datetime] = field(default_factory=dict)  # by crawl run
    last_other: dict[str, datetime] = field(default_factory=dict)  # by dataset: the plan of the last run with other rules, or held back

    def read(self, published: Iterable[Mapping[str, Any]]) -> None:  # Any: the values of a row
        """Take in what is known of published runs."""
        for row in published:
            self._add(row)

    def _add(self, row: Mapping[str, Any]) -> None:
        definitions, held = json.loads(row["definitions"]), json.loads(row["held"])
        read_by = {name: definitions.get(name, {}).get("reading") for name in self.current}
        self.read_by[row["process_run"]] = read_by
        self.planned[row["crawl_run"]] = row["planned_at"]
        for name, digest in self.current.items():
            is_other = read_by[name] != digest and (name in definitions or row["crawl"] in self.crawls)
            if is_other or name in held:
                self.last_other[name] = max(row["planned_at"], self.last_other.get(name, row["planned_at"]))

    def doubtful(self, crawl_run: str) -> Names:
        """The datasets for which the pages that a crawl run fetched may have been read last otherwise than today, or not at all."""
        planned = self.planned.get(crawl_run)
        if planned is None:
            return frozenset(self.current)
        return frozenset(name for name, last in self.last_other.items() if planned <= last)


def _add_readings(revisits: Collection[_Revisit], rules: _Rules, lake: Lake) -> None:
    """Give each revisit the last readings of its page before it."""
    by_url: dict[str, list[_Revisit]] = {}
    for one in revisits:
        by_url.setdefault(one.url, []).append(one)
    where = _one_of("host", {host_key(url) for url in by_url})
    for batch in lake.scan("captures", _CAPTURE_COLUMNS, where) if by_url else ():
        wanted = pc.is_in(batch["url"].cast(pa.string()), pa.array(by_url, pa.string()))
        for row in batch.filter(wanted).to_pylist():
            for dataset, outcome, reason in _outcomes(row):
                read_by = rules.read_by.get(row["process_run"], {}).get(dataset)
                reading = _Reading(read_by, outcome, reason, row["fetched_at"])
                for one in by_url[row["url"]]:
                    one.add(dataset, reading)
                    if one.refers_to == (row["warc_filename"], row["warc_record_offset"]):
                        one.of_record[dataset] = reading


def _outcomes(row: Mapping[str, Any]) -> Iterable[tuple[str, str, str | None]]:  # Any: the values of a row
    """Dataset, outcome and reason of a capture. Rows of earlier releases have that of `articles` alone."""
    if row["outcomes"] is None:
        return [(ARTICLES, row["outcome"], row["reason"])]
    return [(one["dataset"], one["outcome"], one["reason"]) for one in row["outcomes"]]


def _one_of(column: str, values: Collection[str]) -> BooleanExpression | None:
    return In(column, values) if 0 < len(values) <= MAX_VALUES else None  # type: ignore[call-arg]
