"""Judge the rows of a run's own datasets, and resolve them again without those that must not be published.

A row that breaks an expectation of severity `warning` goes to quarantine. A crawl run whose rows break a critical one is held back for this
dataset; its other datasets and the other crawl runs go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import pyarrow as pa

from processing.expectations.batches import RowsToJudge
from processing.expectations.drift import read_history
from processing.expectations.expectations import judge_datasets
from processing.expectations.suite_result import Measures, SuiteResult
from processing.resolve.datasets import ROWS, resolve_dataset
from processing.resolve.excluded import NOTHING, Excluded, RowPlace, place_of
from processing.staging.staging import read_rows
from schemas.datasets.dataset import Dataset
from schemas.errors import GateError
from schemas.keys import resolved_rows_key
from schemas.runs import ProcessRun
from storage.lake.lake import Lake
from storage.objects.store import ObjectStore

PLACE_COLUMNS = ["warc_filename", "warc_record_offset", "position"]
MAX_ROUNDS = 20  # each takes rows out; more than a few are needed only where many crawl runs have doubled keys


@dataclass(frozen=True, slots=True)
class Judged:
    """What was taken out of each dataset, and the last result of its expectations."""

    excluded: dict[str, Excluded] = field(default_factory=dict)
    results: dict[str, SuiteResult] = field(default_factory=dict)

    def of(self, dataset: str) -> Excluded:
        """What was taken out of a dataset."""
        return self.excluded.get(dataset, NOTHING)

    def measures(self, crawl_run: str) -> dict[str, Measures]:
        """What was measured of each dataset's rows of a crawl run. What is held back is no history."""
        return {
            name: result.measures[crawl_run]
            for name, result in sorted(self.results.items())
            if crawl_run in result.measures and crawl_run not in self.of(name).held
        }

    def held(self) -> list[tuple[str, str, str]]:
        """What is held back: crawl run, dataset and reason."""
        return [(run, name, why) for name, excluded in sorted(self.excluded.items()) for run, why in sorted(excluded.held.items())]


def judge_run(run: ProcessRun, base: str, segments: Sequence[str], store: ObjectStore, lake: Lake) -> Judged:
    """Judge the rows of all own datasets of a run until no further row must be taken out. Raises GateError when they cannot be judged.

    A dataset is judged again only if its rows are others than before: without a broken row another one may be the first of its key.
    """
    judged = Judged()
    pending = list(run.own_datasets)
    for _ in range(MAX_ROUNDS):
        found = judge_datasets(_to_judge(run, base, dataset, judged.of(dataset.name), store, lake) for dataset in pending)
        again = []
        for dataset in pending:
            result = found[dataset.name]
            judged.results.setdefault(dataset.name, result)
            before = judged.of(dataset.name)
            more = _taken_out(run, base, dataset, before, result, store)
            if more is not None:
                judged.excluded[dataset.name] = more
                resolve_dataset(run, dataset, base, segments, store, lake, more)
                if _has_other_rows(run, base, dataset, before, more, store):
                    again.append(dataset)
        if not again:
            return judged
        pending = again
    raise GateError(f"The rows of {run.process_run} still broke expectations after {MAX_ROUNDS} rounds. Nothing was published.")


def _has_other_rows(run: ProcessRun, base: str, dataset: Dataset, before: Excluded, now: Excluded, store: ObjectStore) -> bool:
    """Whether the rows to be judged are others than those that were judged, without those that are taken out now."""
    own = RowsToJudge(dataset, (), run.crawl_runs, run.crawl.expectations.get(dataset.name, ()), run.crawl.drift.get(dataset.name, ()))
    columns = list(dict.fromkeys([*PLACE_COLUMNS, *own.needed_columns()]))
    judged = (row for table in _rows(run, base, dataset, before, store, columns) for row in table.to_pylist())
    left = (row for row in judged if place_of(row) not in now.rows and row["crawl_run"] not in now.held)
    rows = (row for table in _rows(run, base, dataset, now, store, columns) for row in table.to_pylist())
    return any(one != other for one, other in zip_longest(left, rows))


def history_of(lake: Lake, crawl: str, dataset: str) -> list[Measures]:
    """What the crawl's published runs measured of a dataset, the newest first."""
    rows = [
        (row["sequence"], row["crawl_run"], row["statistics"])
        for batch in lake.scan("runs", ["crawl", "sequence", "crawl_run", "statistics"])
        for row in batch.to_pylist()
        if row["crawl"] == crawl and row["statistics"]
    ]
    return read_history([statistics for _, _, statistics in sorted(rows, reverse=True)], dataset)


def _to_judge(run: ProcessRun, base: str, dataset: Dataset, excluded: Excluded, store: ObjectStore, lake: Lake) -> RowsToJudge:
    rows = RowsToJudge(
        dataset,
        (),
        run.crawl_runs,
        run.crawl.expectations.get(dataset.name, ()),
        run.crawl.drift.get(dataset.name, ()),
        history_of(lake, run.crawl.name, dataset.name),
    )
    tables = _rows(run, base, dataset, excluded, store, rows.needed_columns())
    crawl_runs = tuple(one for one in run.crawl_runs if one not in excluded.held)
    return RowsToJudge(dataset, tables, crawl_runs, rows.expectations, rows.drift, rows.history)


def _rows(
    run: ProcessRun, base: str, dataset: Dataset, excluded: Excluded, store: ObjectStore, columns: Sequence[str]
) -> Iterator[pa.Table]:
    return read_rows(store, resolved_rows_key(run.process_run, excluded.key(base), dataset.name, ROWS), list(columns))


def _taken_out(
    run: ProcessRun, base: str, dataset: Dataset, excluded: Excluded, result: SuiteResult, store: ObjectStore
) -> Excluded | None:
    """What is to be taken out now, with what was taken out before; None if nothing more is."""
    held = {crawl_run: result.failures() for crawl_run in result.failing_runs()}
    offences = result.offences()
    rows: dict[RowPlace, tuple[str, str]] = {}
    start = 0
    for table in _rows(run, base, dataset, excluded, store, PLACE_COLUMNS) if len(offences.rows) else ():
        among = offences.among(start, table.num_rows)
        places: Mapping[int, RowPlace] = {place: place_of(table.slice(place, 1).to_pylist()[0]) for place in among}
        rows |= {places[place]: (one.rule, one.detail) for place, one in among.items()}
        start += table.num_rows
    return excluded.with_more(rows, held) if rows or held else None
