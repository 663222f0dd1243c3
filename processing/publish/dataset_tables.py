"""Make the rows of the tables for a run's datasets: their own, those for quarantine, sightings, and the outcomes of captures."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import repeat
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from processing.extract.item_rows import NO_DATASET_RULE, takes_all_items
from processing.publish.accounting import ARTICLES, RowCounts, RunCounts, UnclaimedItems, UnusedPages
from processing.publish.dataset_gate import Judged
from processing.publish.run_columns import run_constants
from processing.resolve.datasets import OUTCOMES, QUARANTINE, ROWS, SEEN
from processing.resolve.portions.scratch_database import open_scratch_database
from processing.resolve.records import record_id_of
from processing.staging.staging import PAGES_NAME, read_rows
from runtime.scratch import scratch_folder
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import table_schema
from schemas.keys import crawl_run_of, extracted_rows_key, resolved_rows_key
from schemas.manifest import Segment
from schemas.outcomes import Outcome, Reason
from schemas.runs import ProcessRun
from schemas.tables import TABLES
from schemas.yaml_files.dataset_names import NO_DATASET
from storage.objects.store import ObjectStore

MAX_KINDS = 50  # of items of no dataset, counted by themselves: a line each
OTHER_ITEMS = "other items"
UNCHANGED = "unchanged"  # so begins the detail of a page that has not changed since
SUMMARY_ORDER = (Outcome.PUBLISHED, Outcome.DUPLICATE, Outcome.KNOWN, Outcome.QUARANTINED, Outcome.REJECTED)
_RANK = {str(outcome): rank for rank, outcome in enumerate(SUMMARY_ORDER)}

_ROW_COUNTS = ("made", "published", "unchanged", "quarantined")
_KEPT = ["warc_filename", "warc_record_offset", "outcome", "reason", "detail", "made"]
_OUTCOMES = """
CREATE TABLE outcome (
    dataset, warc_filename, warc_offset, outcome, reason, detail, made, PRIMARY KEY (warc_filename, warc_offset, dataset)
) WITHOUT ROWID
"""
_INSERT = "INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?, ?)"
_FIND = "SELECT dataset, outcome, reason, detail, made FROM outcome WHERE warc_filename = ? AND warc_offset = ?"
_COUNTED = ["crawl_run", *_ROW_COUNTS, "reason", "detail"]

CaptureRow = dict[str, object]


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What one dataset made of a record."""

    outcome: str
    reason: str | None
    detail: str | None
    rows: int


@contextmanager
def open_dataset_rows(run: ProcessRun, base: str, store: ObjectStore, judged: Judged) -> Iterator[DatasetRows]:
    """The decided rows of a run's datasets. `base` names what they were resolved against.

    Outcomes of records are on the local disk until the end of the block. Raises StorageError when it is full.
    """
    with scratch_folder() as folder, open_scratch_database(folder / "outcomes.sqlite", _OUTCOMES) as database:
        yield DatasetRows(run, base, store, judged, database)


class DatasetRows:
    """The decided rows of a run's datasets, as the tables take them."""

    def __init__(self, run: ProcessRun, base: str, store: ObjectStore, judged: Judged, database: sqlite3.Connection) -> None:
        self._run, self._base, self._store, self._judged, self._database = run, base, store, judged, database
        for dataset in run.own_datasets:
            for table in self._staged(dataset, OUTCOMES):
                columns = table.select(_KEPT).to_pydict().values()
                database.executemany(_INSERT, zip(repeat(dataset.name), *columns))

    def rows(self, dataset: Dataset) -> Iterator[pa.Table]:
        """The rows of the dataset's own table."""
        schema = table_schema(dataset)
        for table in self._staged(dataset, ROWS):
            yield _filled(table, schema, run_constants(self._run))

    def quarantine(self, dataset: Dataset) -> Iterator[pa.Table]:
        """The rows of the table `quarantine`."""
        constants = {**run_constants(self._run), "dataset": dataset.name}
        for table in self._staged(dataset, QUARANTINE):
            yield _filled(table.append_column("reason", table["rule"]), TABLES["quarantine"], constants)

    def sightings(self, dataset: Dataset) -> Iterator[pa.Table]:
        """The rows of the table `sightings`."""
        return self._staged(dataset, SEEN)

    def unclaimed(self, segments: Iterable[str], counts: Mapping[str, RunCounts]) -> Iterator[pa.Table]:
        """The rows of the table `quarantine` of items that no dataset takes; they are counted."""
        constants = {**run_constants(self._run), "dataset": NO_DATASET}
        for segment in sorted(segments) if takes_all_items(self._run) else ():
            for table in read_rows(self._store, extracted_rows_key(self._run.process_run, NO_DATASET, segment)):
                _count_unclaimed(table, counts)
                yield _filled(table.append_column("reason", table["rule"]), TABLES["quarantine"], constants)

    def count(self, counts: Mapping[str, RunCounts]) -> None:
        """Add the rows of every dataset to the counts of their crawl runs."""
        for dataset in self._run.own_datasets:
            for found in counts.values():
                found.rows.setdefault(dataset.name, RowCounts())
            for table in self._staged(dataset, OUTCOMES):
                for row in table.select(_COUNTED).to_pylist():
                    found = counts[row["crawl_run"]]
                    found.rows[dataset.name].add(**{name: row[name] for name in _ROW_COUNTS})
                    if (pages := _unused(row)) is not None:
                        found.unused.setdefault(dataset.name, UnusedPages()).add(**asdict(pages))

    def captures(self, captures: pa.Table) -> pa.Table:
        """Rows of `captures`, whose outcome is that of the article, with the outcomes of all datasets."""
        if not self._run.own_datasets:
            return _with_articles_alone(captures)
        return pa.Table.from_pylist([self._capture(row) for row in captures.to_pylist()], schema=captures.schema)

    def _capture(self, row: CaptureRow) -> CaptureRow:
        found = {name: RecordOutcome(*made) for name, *made in self._database.execute(_FIND, record_id_of(row))}
        if self._run.makes_articles:
            made = int(row["outcome"] != Outcome.REJECTED)
            found[ARTICLES] = RecordOutcome(str(row["outcome"]), row["reason"], row["detail"], made)  # type: ignore[arg-type]
        ordered = [(dataset.name, found[dataset.name]) for dataset in self._run.datasets]
        outcomes = [
            {"dataset": name, "outcome": one.outcome, "reason": one.reason, "detail": one.detail, "rows": one.rows} for name, one in ordered
        ]
        return {**row, **summary_of(outcomes), "outcomes": outcomes}

    def _staged(self, dataset: Dataset, name: str) -> Iterator[pa.Table]:
        return read_rows(
            self._store, resolved_rows_key(self._run.process_run, self._judged.of(dataset.name).key(self._base), dataset.name, name)
        )


def _unused(row: Mapping[str, Any]) -> UnusedPages | None:
    """The page of a record, if it was read and gave no row. Those that have not changed since say nothing new."""
    if row["made"] or str(row["detail"] or "").startswith(UNCHANGED):
        return None
    if row["reason"] == Reason.DATASET_ERROR:
        return UnusedPages(errors=1, error=row["detail"])
    return UnusedPages(no_rows=1) if row["reason"] == Reason.NO_ROWS else None


def _count_unclaimed(table: pa.Table, counts: Mapping[str, RunCounts]) -> None:
    for crawl_run, url, rule, detail in zip(*table.select(["crawl_run", "url", "rule", "detail"]).to_pydict().values(), strict=True):
        found = counts[crawl_run]
        found.rows.setdefault(NO_DATASET, RowCounts()).add(made=1, quarantined=1)
        text = detail if rule == NO_DATASET_RULE else f"an item of no dataset breaks the rule {rule}"
        kind = text if text in found.unclaimed or len(found.unclaimed) < MAX_KINDS else OTHER_ITEMS
        found.unclaimed.setdefault(kind, UnclaimedItems()).add(1, url)


def made_rows(run: ProcessRun, segments: Iterable[Segment], store: ObjectStore, judged: Judged) -> dict[str, int]:
    """How many rows extraction made for each dataset whose rows come from nothing but the run's own pages and items.

    Those of crawl runs that are held back do not count.
    """
    made = {dataset.name: 0 for dataset in run.own_datasets if dataset.history != "observations"}
    for segment in segments if run.own_datasets else ():
        for table in read_rows(store, extracted_rows_key(run.process_run, PAGES_NAME, segment.segment), ["dataset", "rows"]):
            for row in table.to_pylist():
                if row["dataset"] in made and crawl_run_of(segment.warc_key) not in judged.of(row["dataset"]).held:
                    made[row["dataset"]] += row["rows"]
    return made


def summary_of(outcomes: Sequence[Mapping[str, Any]]) -> CaptureRow:
    """The columns `outcome`, `reason` and `detail` of a capture: of the first outcome in SUMMARY_ORDER, of equal ones of `articles`."""
    first = min(outcomes, key=lambda one: (_RANK[one["outcome"]], one["dataset"] != ARTICLES))
    return {name: first[name] for name in ("outcome", "reason", "detail")}


def as_articles_alone(row: Mapping[str, Any]) -> dict[str, Any]:
    """What `articles` made of a capture that an earlier release stored without `outcomes`."""
    made = int(row["outcome"] != Outcome.REJECTED)
    return {"dataset": ARTICLES, "outcome": row["outcome"], "reason": row["reason"], "detail": row["detail"], "rows": made}


def _filled(rows: pa.Table, schema: pa.Schema, constants: Mapping[str, object]) -> pa.Table:
    """Rows in a table's schema: the columns that they lack have a constant, else NULL."""
    columns: Sequence[pa.ChunkedArray | pa.Array] = [
        rows[field.name]
        if field.name in rows.schema.names and field.name not in constants
        else pa.repeat(pa.scalar(constants.get(field.name), field.type), rows.num_rows)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _with_articles_alone(captures: pa.Table) -> pa.Table:
    """The outcomes of captures whose only dataset is `articles`."""
    kind = TABLES["captures"].field("outcomes").type
    made = pc.cast(pc.not_equal(captures["outcome"], str(Outcome.REJECTED)), pa.int32())
    columns = {
        "dataset": pa.repeat(pa.scalar(ARTICLES), captures.num_rows),
        "outcome": captures["outcome"],
        "reason": captures["reason"],
        "detail": captures["detail"],
        "rows": made,
    }
    arrays = [_one_array(columns[field.name]) for field in kind.value_type]
    structs = pa.StructArray.from_arrays(arrays, fields=list(kind.value_type))
    lists = pa.ListArray.from_arrays(pa.array(range(captures.num_rows + 1), pa.int32()), structs)
    return captures.set_column(captures.schema.get_field_index("outcomes"), captures.schema.field("outcomes"), lists.cast(kind))


def _one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
