"""What a run that makes rows again does not see of the lake, and which numbers the rows had that it replaces.

An old capture is compared with what there was before it was fetched: with rows of earlier captures, not with its own rows of before, and
not with rows that a following run is going to replace. A row that is made again keeps its number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from processing.known.known_lake import KnownLake
from schemas.keys import crawl_run_of, index_key_of, planned_stamp, selection_key
from schemas.runs import ProcessRun
from storage.index.rows import read_index
from storage.lake.hidden import RECORD, HiddenRows, RecordId
from storage.lake.lake import Lake
from storage.objects.store import ObjectStore

ARTICLES = "articles"
PORTION = 5_000  # keys that are looked up at a time


@dataclass(frozen=True, slots=True)
class FormerNumbers:
    """The numbers of versions that hidden rows have: `of_rows` of those that are replaced, `highest` of all of them, by key.

    The key of an article is its `article_id`, that of another row its `row_id`.
    """

    of_rows: Mapping[tuple[RecordId, str], int] = field(default_factory=lambda: MappingProxyType({}))
    highest: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def number(self, record_id: RecordId, key: str, highest: int) -> int:
        """The number of a new version: the one that the record's row had before, else the next one that no row ever had."""
        return self.of_rows.get((record_id, key)) or max(highest, self.highest.get(key, 0)) + 1

    def has(self, record_id: RecordId, key: str) -> bool:
        """Whether the run replaces a row of this key that the record made."""
        return (record_id, key) in self.of_rows


NO_NUMBERS = FormerNumbers()


def remaining(run: ProcessRun, store: ObjectStore, lake: Lake) -> Lake:
    """The lake as a process run sees it."""
    return lake.without(hidden_rows(run, store))


def hidden_rows(run: ProcessRun, store: ObjectStore) -> HiddenRows | None:
    """The rows that a process run does not see; None for one that sees all."""
    if run.replacement is None or not run.replacement.makes_rows_again or not run.crawl_runs:
        return None
    tables = frozenset(dataset.name for dataset in run.judged_datasets)
    first, last = run.crawl_runs[0], run.replacement.until_run or run.crawl_runs[-1]
    selected = read_selection(run, store)
    if selected is None:
        return HiddenRows(first, last, tables)
    records = frozenset((name, offset) for name, offsets in selected.items() for offset in offsets)
    urls = frozenset(
        row.url
        for name in selected
        for row in read_index(store.get_bytes(index_key_of(name)))
        if (row.warc_filename, row.warc_record_offset) in records
    )
    return HiddenRows(first, last, tables, records, urls)


def read_selection(run: ProcessRun, store: ObjectStore) -> dict[str, list[int]] | None:
    """The records that a process run is made for, as offsets by WARC file; None for all records of its crawl runs."""
    if run.replacement is None or not run.replacement.is_selection:
        return None
    found: dict[str, list[int]] = json.loads(store.get_bytes(selection_key(run.process_run)))
    return found


def selected_records(run: ProcessRun, crawl_run: str, store: ObjectStore) -> int | None:
    """How many records of a crawl run a process run is made for; None for all."""
    selected = read_selection(run, store)
    return None if selected is None else sum(len(found) for name, found in selected.items() if crawl_run_of(name) == crawl_run)


def is_after(run: ProcessRun, crawl_run: str) -> bool:
    """Whether a crawl run was planned after those of a run that makes rows again; never for other runs."""
    if run.replacement is None or not run.replacement.makes_rows_again:
        return False
    if crawl_run.startswith(f"{run.crawl.name}-"):  # a crawl's names sort in the order of planning, also within a second
        return crawl_run > run.crawl_runs[-1]
    return planned_stamp(crawl_run) > planned_stamp(run.crawl_runs[-1])


def former_numbers(known: KnownLake, table: str, keys: pa.Array) -> FormerNumbers:
    """The numbers that the hidden rows of some keys have in `articles` or a dataset's table. `known` is of a lake of `remaining`."""
    hidden = known.hidden
    if hidden is None or not hidden.columns(table):
        return NO_NUMBERS
    key = "article_id" if table == ARTICLES else "row_id"
    every = known.with_hidden()
    of_rows: dict[tuple[RecordId, str], int] = {}
    highest: dict[str, int] = {}
    for start in range(0, len(keys), PORTION):
        wanted = keys.slice(start, PORTION)
        found = every.articles(wanted.to_pylist()) if table == ARTICLES else every.versions(table, wanted.to_pylist())
        chosen = found.filter(pc.and_(pc.is_in(found[key].cast(pa.string()), value_set=wanted), pc.invert(hidden.shown(table, found))))
        columns = (chosen[column].to_pylist() for column in (key, "version", *RECORD))
        for row_key, version, name, offset in zip(*columns, strict=True):
            of_rows[(name, offset), row_key] = version
            highest[row_key] = max(version, highest.get(row_key, 0))
    return FormerNumbers(of_rows, highest)


def sighting_order(crawl_run: str, sequence: int) -> tuple[str, str, int]:
    """Sorts sightings by the time of their crawl run: the sequence of a run that was processed again is later."""
    stamp = planned_stamp(crawl_run)
    return stamp, crawl_run if stamp else "", sequence
