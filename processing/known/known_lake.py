"""The rows of the lake that have given URLs, records, texts or keys, at one time: a set of snapshots of its tables.

Everything that is decided on a run is decided on one such set. The index may have more or less than these snapshots: files that are not
live in them are left out, and files that the index lacks are added before it is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import Table

from processing.clean.minhash import bands_of
from processing.known.catch_up import add_files, live_files, merge_small
from processing.known.keys import ARTICLE, PAGE, PAYLOAD, PLACE, READING, ROW, RUN, SEEN_ON, TEXT, Keys, hash_values
from processing.known.row_keys import IndexedTable, index_of
from storage.index.known.known_rows import IsVisible, KnownRows
from storage.index.known.runs import Runs
from storage.lake.hidden import HiddenRows
from storage.lake.lake import Lake
from storage.objects.store import ObjectStore

RecordId = tuple[str, int]


def open_known(lake: Lake, store: ObjectStore, snapshots: Mapping[str, int | None] = MappingProxyType({})) -> KnownLake:
    """The known rows of the lake as it is now, or at these snapshots. Rows that the lake hides are left out."""
    return KnownLake(store, lake, lake.tables(), snapshots)


@dataclass(frozen=True, slots=True)
class _Run:
    """What the index has of a published process run."""

    sequence: int | None
    definitions: Mapping[str, Mapping[str, object]]
    rules: Mapping[str, str]


@dataclass(slots=True)
class KnownLake:
    """The known rows of the tables at one time.

    `tables` are those of the lake, `snapshots` the ids to look at instead of the current ones; an expired one counts as the current.
    """

    store: ObjectStore
    lake: Lake
    tables: Mapping[str, Table]
    snapshots: Mapping[str, int | None] = field(default_factory=lambda: MappingProxyType({}))
    _open: dict[str, KnownRows] = field(default_factory=dict)
    _runs: dict[str, _Run | None] = field(default_factory=dict)

    def snapshot_id(self, name: str) -> int | None:
        """The snapshot of a table that is looked at; None while it is empty."""
        metadata = self.tables[name].metadata
        chosen = self.snapshots.get(name, metadata.current_snapshot_id)
        return metadata.current_snapshot_id if chosen is None or metadata.snapshot_by_id(chosen) is None else chosen

    @property
    def hidden(self) -> HiddenRows | None:
        """The rows that are left out, because the run that asks replaces them."""
        return self.lake.hidden

    def pages(self, urls: Iterable[str], until: datetime | None = None) -> pa.Table:
        """The captures by which a page's last article, and whether it had one when it was read last, can be told.

        None that was fetched after `until`.
        """
        return self._rows("captures", hash_values(PAGE, ((url,) for url in urls)), _not_after(until))

    def payloads(self, payloads: Iterable[tuple[str, str]], until: datetime | None = None) -> pa.Table:
        """The last captures with these URLs and content digests whose article is in the lake, none of them after `until`."""
        return self._rows("captures", hash_values(PAYLOAD, payloads), _not_after(until))

    def captures(self, record_ids: Iterable[RecordId], until: datetime | None = None) -> pa.Table:
        """The captures of these records, none of them after `until`."""
        return self._rows("captures", hash_values(PLACE, record_ids), _not_after(until))

    def readings(self, dataset: str, urls: Iterable[str], until: datetime | None = None) -> pa.Table:
        """The last captures of these pages that were read for a dataset, none of them after `until`."""
        return self._rows("captures", hash_values(READING, ((dataset, url) for url in urls)), _not_after(until))

    def articles(self, article_ids: Iterable[str]) -> pa.Table:
        """All versions of these articles."""
        return self._rows("articles", hash_values(ARTICLE, ((one,) for one in article_ids)))

    def originals(self, text_digests: Iterable[str]) -> pa.Table:
        """The rows of `articles` with these texts that are no duplicates."""
        return self._rows("articles", hash_values(TEXT, ((one,) for one in text_digests)))

    def similar_originals(self, signatures: Sequence[bytes]) -> pa.Table:
        """The rows of `articles` that share a band with one of these signatures and are no duplicates."""
        indexed, known = self._known("articles")
        return known.similar(bands_of(signatures).reshape(-1), indexed.schema)

    def versions(self, dataset: str, row_ids: Iterable[str]) -> pa.Table:
        """All rows of a dataset's table with these keys."""
        return self._rows(dataset, hash_values(ROW, ((one,) for one in row_ids)))

    def rows_of_captures(self, dataset: str, record_ids: Iterable[RecordId]) -> pa.Table:
        """The rows of a dataset's table that were made of these captures."""
        return self._rows(dataset, hash_values(PLACE, record_ids))

    def sightings(self, dataset: str, row_ids: Iterable[str], is_shown: Callable[[str], bool] = lambda _: True) -> pa.Table:
        """The sightings of these keys by which their pages can be told; earlier sightings on the same page may be left out.

        `is_shown` says of which crawl runs.
        """

        def shown(rows: pa.Table) -> NDArray[np.bool_]:
            names = rows["crawl_run"].unique().to_pylist()
            return np.asarray(pc.is_in(rows["crawl_run"], value_set=pa.array(filter(is_shown, names), pa.string())))

        return self._rows("sightings", hash_values(ROW, ((dataset, one) for one in row_ids)), shown)

    def sightings_on(self, dataset: str, urls: Iterable[str]) -> pa.Table:
        """A sighting of each key that stood on one of these pages at any time."""
        return self._rows("sightings", hash_values(SEEN_ON, ((dataset, url) for url in urls)))

    def definitions(self, dataset: str, process_runs: Iterable[str]) -> dict[str, Mapping[str, object]]:
        """By which definition published process runs made rows of a dataset: `digest` and `fields`."""
        wanted = set(process_runs)
        self._read_runs(wanted)
        found = {name: run.definitions.get(dataset) for name in wanted if (run := self._runs[name]) is not None}
        return {name: definition for name, definition in found.items() if definition is not None}

    def rules(self, process_runs: Iterable[str]) -> dict[str, Mapping[str, str]]:
        """By which rules published process runs judged the rows of each dataset, as digests. Runs of earlier releases have none."""
        wanted = set(process_runs)
        self._read_runs(wanted)
        return {name: run.rules for name in wanted if (run := self._runs[name]) is not None}

    def published_runs(self) -> Iterator[Mapping[str, Any]]:  # Any: the values of a row
        """What is known of each row of `runs`: process_run, crawl_run, crawl, planned_at, and the JSON texts definitions and held."""
        indexed, known = self._known("runs")
        for rows in known.tables(indexed.schema):
            yield from rows.to_pylist()

    def with_hidden(self) -> KnownLake:
        """The known rows with those that are left out here."""
        return KnownLake(self.store, self.lake.without(None), self.tables, self.snapshots)

    def catch_up(self, names: Collection[str] | None = None) -> None:
        """Add the files that the index lacks, of all tables or of these."""
        for name in self.tables if names is None else names:
            if name != "quarantine":
                self._known(name)

    def _rows(self, name: str, keys: Keys, is_shown: IsVisible | None = None) -> pa.Table:
        indexed, known = self._known(name)
        return known.rows(keys, indexed.schema, is_shown)

    def indexed(self, name: str) -> IndexedTable:
        """What the index has of a table."""
        return index_of(name, schema_to_pyarrow(self.tables[name].schema(), include_field_ids=False))

    def _known(self, name: str) -> tuple[IndexedTable, KnownRows]:
        indexed = self.indexed(name)
        if name not in self._open:
            self._open[name] = self._opened(name, indexed, self.tables[name])
        return indexed, self._open[name]

    def _opened(self, name: str, indexed: IndexedTable, table: Table) -> KnownRows:
        runs = Runs(self.store, name, indexed.form)
        live = live_files(table, self.snapshot_id(name))
        is_visible = None if name == "runs" else partial(self._is_visible, name)
        known = KnownRows(runs.complete(), live, is_visible)
        if known.missing:
            sequences = None if name == "runs" else self.sequences
            add_files(runs, indexed, table, [live[path] for path in known.missing], sequences)
            merge_small(runs, indexed, self._all_live(name, live))
            known = KnownRows(runs.complete(), live, is_visible)
        return known

    def _all_live(self, name: str, live: Collection[str]) -> set[str]:
        """The files that a merge keeps: those that are live now or in the snapshot that is looked at."""
        table = self.tables[name]
        return {*live, *live_files(table, table.metadata.current_snapshot_id)}

    def _is_visible(self, name: str, rows: pa.Table) -> NDArray[np.bool_]:
        names = rows["process_run"].cast(pa.string())
        distinct = names.unique()
        self._read_runs(distinct.to_pylist())
        published = pa.array([one for one in distinct.to_pylist() if self._runs[one] is not None], pa.string())
        is_published = np.asarray(pc.is_in(names, value_set=published))
        if self.hidden is None or not self.hidden.columns(name):
            return is_published
        return np.asarray(is_published & np.asarray(self.hidden.shown(name, rows)))

    def sequences(self, process_runs: pa.ChunkedArray) -> pa.ChunkedArray:
        """The sequence numbers of process runs; NULL for one that is not published."""
        names = process_runs.to_pylist()
        self._read_runs(set(names))
        return pa.chunked_array([pa.array([run.sequence if (run := self._runs[name]) else None for name in names], pa.int64())])

    def _read_runs(self, names: Iterable[str]) -> None:
        missing = sorted({name for name in names if name not in self._runs})
        if not missing:
            return
        self._runs.update(dict.fromkeys(missing))
        for row in self._rows("runs", hash_values(RUN, ((name,) for name in missing))).to_pylist():
            if row["process_run"] in self._runs:
                self._runs[row["process_run"]] = _Run(row["sequence"], json.loads(row["definitions"]), json.loads(row["rules"]))


def _not_after(until: datetime | None) -> IsVisible | None:
    """Says which captures were not fetched after a time; None for all."""
    if until is None:
        return None
    return lambda rows: np.asarray(pc.less_equal(rows["fetched_at"], pa.scalar(until, rows["fetched_at"].type)))
