"""Read the rows of the lake that matter for a run's rows of a dataset: last versions, the last readings of pages, sightings.

The tables are streamed. Only what belongs to a key or a page of the run stays, on the local disk where it can be much. Files and row groups
without a host of the run are not read: rows are sorted by host.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import And, BooleanExpression, EqualTo, In

from processing.resolve.records import RecordId, record_id_of
from schemas.config.crawl import Crawl
from schemas.datasets.dataset import Dataset
from schemas.runs import reading_digest
from schemas.yaml_files.dataset_names import KEY_COLUMNS
from storage.lake.lake import Lake
from storage.urls.host_key import host_key

SIGHTING_COLUMNS = ["row_id", "url", "seen_at", "gone_at", "crawl_run", "sequence"]
_READING_COLUMNS = ["url", "content_digest", "fetched_at", "outcomes", "process_run", "record_type", "warc_filename", "warc_record_offset"]
MAX_VALUES = 200  # of which pyiceberg compares each with the statistics of a file
_HAS_ROWS = frozenset({"published", "known"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What an earlier capture gave for a dataset: its payload's digest, its outcome, and the digest of the definition that read it."""

    content_digest: str
    outcome: str
    definition: str | None
    fetched_at: datetime

    @property
    def has_rows(self) -> bool:
        """Whether rows of the capture are in the table."""
        return self.outcome in _HAS_ROWS


@dataclass(frozen=True, slots=True)
class EarlierReadings:
    """The last reading of each page of the run, by URL, and those of the captures that revisits refer to."""

    by_url: Mapping[str, Reading]
    by_record: Mapping[RecordId, Reading]


@dataclass(frozen=True, slots=True)
class Definition:
    """By what a published process run made rows of a dataset."""

    digest: str
    fields: frozenset[str]


def rows_digest(dataset: Dataset) -> str:
    """The digest of all by which a dataset's rows are made and judged."""
    return f"{dataset.digest()}-{dataset.rules_digest()}"


def stored_definition(crawl: Crawl, dataset: Dataset) -> dict[str, object]:
    """What `runs.statistics` keeps of the definition by which a run makes rows."""
    return {"digest": rows_digest(dataset), "fields": list(dataset.fields), "reading": reading_digest(crawl, dataset)}


def read_definitions(lake: Lake, dataset: str) -> dict[str, Definition]:
    """The definitions of a dataset by process run, of all published ones."""
    found: dict[str, Definition] = {}
    for batch in lake.scan("runs", ["process_run", "statistics"]):
        for row in batch.to_pylist():
            stored = json.loads(row["statistics"] or "{}").get("definitions", {}).get(dataset)
            if stored is not None:
                found[row["process_run"]] = Definition(stored["digest"], frozenset(stored["fields"]))
    return found


def read_readings(
    lake: Lake,
    dataset: str,
    urls: Collection[str],
    record_ids: Collection[RecordId],
    definitions: Mapping[str, Definition],
    until: datetime | None = None,
) -> EarlierReadings:
    """The readings for a dataset of these pages and captures; of pages none that was fetched after `until`."""
    by_url: dict[str, tuple[object, Reading]] = {}
    by_record: dict[RecordId, Reading] = {}
    wanted = pa.array(set(urls), pa.string())
    for batch in lake.scan("captures", _READING_COLUMNS, on_hosts(urls)):
        rows = batch.filter(pc.and_(pc.is_in(batch["url"], wanted), pc.is_valid(batch["outcomes"])))
        for row in rows.to_pylist():
            made = next((one for one in row["outcomes"] if one["dataset"] == dataset), None)
            if made is None:
                continue
            definition = definitions.get(row["process_run"])
            reading = Reading(row["content_digest"], made["outcome"], definition.digest if definition else None, row["fetched_at"])
            if record_id_of(row) in record_ids:
                by_record[record_id_of(row)] = reading
            order = (row["fetched_at"], record_id_of(row))
            if until is not None and row["fetched_at"] > until:
                continue
            is_read = row["record_type"] != "revisit" or bool(made["rows"])  # a revisit has rows only if it was read itself
            if is_read and (row["url"] not in by_url or by_url[row["url"]][0] < order):  # type: ignore[operator]
                by_url[row["url"]] = order, reading
    return EarlierReadings({url: reading for url, (_, reading) in by_url.items()}, by_record)


def on_hosts(urls: Collection[str]) -> BooleanExpression | None:
    """What rows of the hosts of these URLs have; None if there are too many hosts to look for."""
    return _one_of("host", {host_key(url) for url in urls})


def read_versions(lake: Lake, dataset: Dataset, row_ids: pa.Array, urls: Collection[str]) -> Iterator[pa.Table]:
    """The rows that keys have in the dataset's table: their versions and the fields that are compared. `urls` are the pages of the keys."""
    columns = ["row_id", "version", "first_seen", "fetched_at", "process_run", *dataset.compared_fields()]
    where = on_hosts(urls) if set(dataset.key) & set(KEY_COLUMNS) else None  # then all rows of a key are of one host
    for batch in lake.scan(dataset.name, columns, where):
        rows = batch.filter(pc.is_in(batch["row_id"].cast(pa.string()), row_ids))
        if rows.num_rows:
            yield pa.Table.from_batches([rows])


def read_visits(lake: Lake, dataset: Dataset, record_ids: Collection[RecordId]) -> Iterator[dict[str, object]]:
    """The rows of the dataset's table that were made of these captures."""
    files = pa.array({name for name, _ in record_ids}, pa.string())
    columns = ["row_id", "position", "warc_filename", "warc_record_offset", *dataset.fields]
    where = _one_of("warc_filename", {name for name, _ in record_ids})
    for batch in lake.scan(dataset.name, columns, where) if record_ids else ():
        rows = batch.filter(pc.is_in(batch["warc_filename"].cast(pa.string()), files))
        yield from (row for row in rows.to_pylist() if record_id_of(row) in record_ids)


def read_sightings(lake: Lake, dataset: str, urls: Collection[str], row_ids: pa.Array) -> Iterator[pa.Table]:
    """All sightings of the keys that stood on these pages, and of these keys."""
    pages = pa.array(set(urls), pa.string())
    where = EqualTo("dataset", dataset)  # type: ignore[call-arg]
    on_pages = [
        batch["row_id"].cast(pa.string()).filter(pc.is_in(batch["url"].cast(pa.string()), pages))
        for batch in lake.scan("sightings", ["row_id", "url"], where)
    ]
    wanted = pa.chunked_array([*on_pages, row_ids], pa.string()).unique()
    for batch in lake.scan("sightings", SIGHTING_COLUMNS, where):
        rows = batch.filter(pc.is_in(batch["row_id"].cast(pa.string()), wanted))
        if rows.num_rows:
            yield pa.Table.from_batches([rows])


def read_row_sightings(lake: Lake, dataset: str, row_ids: Collection[str]) -> Iterator[pa.Table]:
    """All sightings of these keys."""
    wanted = pa.array(row_ids, pa.string())
    of_dataset, of_keys = EqualTo("dataset", dataset), _one_of("row_id", row_ids)  # type: ignore[call-arg]
    for batch in lake.scan("sightings", SIGHTING_COLUMNS, of_dataset if of_keys is None else And(of_dataset, of_keys)):
        rows = batch.filter(pc.is_in(batch["row_id"].cast(pa.string()), wanted))
        if rows.num_rows:
            yield pa.Table.from_batches([rows])


def _one_of(column: str, values: Collection[str]) -> BooleanExpression | None:
    return In(column, values) if 0 < len(values) <= MAX_VALUES else None  # type: ignore[call-arg]
