"""Read the rows of the lake that matter for a run's rows of a dataset: last versions, the last readings of pages, sightings.

The rows of some thousand keys are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from processing.known.known_lake import KnownLake
from processing.resolve.records import RecordId, record_id_of
from schemas.config.crawl import Crawl
from schemas.datasets.dataset import Dataset
from schemas.runs import reading_digest

SIGHTING_COLUMNS = ["row_id", "url", "seen_at", "gone_at", "crawl_run", "sequence"]
PORTION = 5_000  # keys that are looked up at a time
IsShown = Callable[[str], bool]  # whether the sightings of a crawl run count
_HAS_ROWS = frozenset({"published", "known"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What an earlier capture gave for a dataset: its payload's digest, its outcome, and the digest of the definition that read it."""

    content_digest: str
    outcome: str
    definition: str | None
    fetched_at: datetime
    is_read: bool = True  # not a revisit that was not read itself

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


def definitions_of(known: KnownLake, dataset: str, process_runs: Iterable[str]) -> dict[str, Definition]:
    """The definitions by which published process runs made rows of a dataset, by process run."""
    found = known.definitions(dataset, process_runs)
    return {name: Definition(str(one["digest"]), frozenset(one["fields"])) for name, one in found.items()}  # type: ignore[call-overload]


def read_readings(
    known: KnownLake, dataset: str, urls: Collection[str], record_ids: Collection[RecordId], until: datetime | None = None
) -> EarlierReadings:
    """The readings for a dataset of these pages and captures; of pages none that was fetched after `until`."""
    by_url: dict[str, tuple[object, Reading]] = {}
    by_record: dict[RecordId, Reading] = {}
    for row, reading in _readings(known, dataset, known.readings(dataset, urls, until), urls):
        order = (row["fetched_at"], record_id_of(row))
        if reading.is_read and (row["url"] not in by_url or by_url[row["url"]][0] < order):  # type: ignore[operator]
            by_url[row["url"]] = order, reading
    for row, reading in _readings(known, dataset, known.captures(record_ids), urls):
        if record_id_of(row) in record_ids:
            by_record[record_id_of(row)] = reading
    return EarlierReadings({url: reading for url, (_, reading) in by_url.items()}, by_record)


def _readings(known: KnownLake, dataset: str, rows: pa.Table, urls: Collection[str]) -> Iterator[tuple[dict[str, Any], Reading]]:
    """What these captures of pages gave for a dataset."""
    wanted = rows.filter(pc.and_(pc.is_in(rows["url"], value_set=pa.array(set(urls), pa.string())), pc.is_valid(rows["outcomes"])))
    definitions = definitions_of(known, dataset, wanted["process_run"].unique().to_pylist())
    for row in wanted.to_pylist():
        made = next((one for one in row["outcomes"] if one["dataset"] == dataset), None)
        if made is not None:
            definition = definitions.get(row["process_run"])
            is_read = row["record_type"] != "revisit" or bool(made["rows"])  # a revisit has rows only if it was read itself
            digest = definition.digest if definition else None
            yield row, Reading(row["content_digest"], made["outcome"], digest, row["fetched_at"], is_read)


def read_versions(known: KnownLake, dataset: Dataset, row_ids: Collection[str]) -> Iterator[pa.Table]:
    """The rows that keys have in the dataset's table: their versions and the fields that are compared.

    For a run that makes rows again also where they come from, and all fields: another row of the same crawl run may have the key.
    """
    columns = ["row_id", "version", "first_seen", "fetched_at", "process_run", *dataset.compared_fields()]
    if known.hidden is not None:
        columns = list(dict.fromkeys([*columns, "crawl_run", "url", *dataset.fields]))
    for some in _portions(pa.array(sorted(row_ids), pa.string())):
        yield from _having(known.versions(dataset.name, some.to_pylist()), some, columns)


def read_visits(known: KnownLake, dataset: Dataset, record_ids: Collection[RecordId]) -> Iterator[dict[str, object]]:
    """The rows of the dataset's table that were made of these captures."""
    columns = ["row_id", "position", "warc_filename", "warc_record_offset", *dataset.fields]
    ordered = sorted(record_ids)
    for start in range(0, len(ordered), PORTION):
        rows = known.rows_of_captures(dataset.name, ordered[start : start + PORTION]).select(columns)
        yield from (row for row in rows.to_pylist() if record_id_of(row) in record_ids)


def read_keys_on(known: KnownLake, dataset: str, urls: Sequence[str]) -> Iterator[pa.Table]:
    """The ids of the keys that ever stood on these pages, as `row_id`."""
    for some in _portions(pa.array(urls, pa.string())):
        yield from _having(known.sightings_on(dataset, some.to_pylist()), some, ["row_id", "url", "dataset"], "url", dataset)


def read_row_sightings(known: KnownLake, dataset: str, row_ids: Collection[str], is_shown: IsShown = lambda _: True) -> Iterator[pa.Table]:
    """The sightings of these keys; `is_shown` says of which crawl runs."""
    for some in _portions(pa.array(sorted(row_ids), pa.string())):
        yield from _having(known.sightings(dataset, some.to_pylist(), is_shown), some, SIGHTING_COLUMNS, "row_id", dataset)


def _portions(values: pa.Array) -> Iterator[pa.Array]:
    """Portions of a column, so that the rows of one fit into memory."""
    return (values.slice(start, PORTION) for start in range(0, len(values), PORTION))


def _having(rows: pa.Table, values: pa.Array, columns: list[str], key: str = "row_id", dataset: str | None = None) -> Iterator[pa.Table]:
    """The rows with one of these values, if there are any: the index may give others too."""
    chosen = pc.is_in(rows[key].cast(pa.string()), value_set=values)
    if dataset is not None:
        chosen = pc.and_(chosen, pc.equal(rows["dataset"], dataset))
    found = rows.filter(chosen).select(columns)
    if found.num_rows:
        yield found
