"""Judge the rows of a run's datasets, and decide on them again without those that must not be published.

A row that breaks an expectation of severity `warning` goes to quarantine. A crawl run whose rows break a critical one is held back for this
dataset; its other datasets and the other crawl runs go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, Protocol

import pyarrow as pa

from processing.expectations.batches import RowsToJudge
from processing.expectations.drift import read_history
from processing.expectations.expectations import Judge
from processing.expectations.remembered import RememberedAnswers
from processing.expectations.suite_result import Measures, SuiteResult
from processing.publish.article_rows import ArticleRows
from processing.resolve.datasets import ROWS, resolve_dataset
from processing.resolve.excluded import ARTICLE_POSITION, NOTHING, Excluded, RowPlace, place_of
from processing.resolve.replaced import is_after, sighting_order
from processing.staging.staging import read_rows
from processing.staging.step_failures import read_failures
from schemas.datasets.dataset import Dataset
from schemas.errors import GateError
from schemas.keys import crawl_run_of, resolved_rows_key
from schemas.manifest import Segment
from schemas.runs import ProcessRun, RunKind
from storage.lake.lake import Lake
from storage.objects.store import ObjectStore

PLACE_COLUMNS = ["warc_filename", "warc_record_offset", "position"]
MAX_ROUNDS = 20  # each takes rows out; more than a few are needed only where many crawl runs have duplicate keys


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


class _Judgeable(Protocol):
    """The new rows of one dataset of a run. `excluded` is what was taken out of them."""

    @property
    def dataset(self) -> Dataset: ...

    def prepare(self, excluded: Excluded) -> Excluded:
        """Make the rows without what is excluded; the same with what steps take out besides."""
        ...

    def new_rows(self, excluded: Excluded, columns: Sequence[str]) -> Iterator[pa.Table]:
        """These columns of the rows that are to be published, always in the same order."""
        ...


@dataclass(frozen=True, slots=True)
class OwnRows:
    """The rows of a dataset of the user's own."""

    run: ProcessRun
    base: str
    dataset: Dataset
    segments: Sequence[Segment]
    store: ObjectStore
    lake: Lake

    def prepare(self, excluded: Excluded) -> Excluded:
        """Resolve the rows again without what is excluded; crawl runs on whose rows a step broke are held back."""
        excluded = excluded.with_more({}, self._failed_steps())
        if excluded.rows or excluded.held:
            names = [segment.segment for segment in self.segments]
            resolve_dataset(self.run, self.dataset, self.base, names, self.store, self.lake, excluded)
        return excluded

    def new_rows(self, excluded: Excluded, columns: Sequence[str]) -> Iterator[pa.Table]:
        """These columns of the rows that are to be published."""
        key = resolved_rows_key(self.run.process_run, excluded.key(self.base), self.dataset.name, ROWS)
        return read_rows(self.store, key, list(columns))

    def _failed_steps(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for segment in self.segments if any(step.on_error == "fail" for step in self.dataset.steps) else ():
            failures = read_failures(self.store, self.run.process_run, segment.segment)
            if self.dataset.name in failures:
                found.setdefault(crawl_run_of(segment.warc_key), failures[self.dataset.name])
        return found


def judge_run(run: ProcessRun, base: str, articles: ArticleRows, segments: Sequence[Segment], store: ObjectStore, lake: Lake) -> Judged:
    """Judge the rows of all datasets of a run until no further row must be taken out. Raises GateError when they cannot be judged.

    A dataset is judged again only if its rows are others than before: without a broken row another one may be the first of its key.
    """
    judged = Judged()
    own = [OwnRows(run, base, dataset, segments, store, lake) for dataset in run.own_datasets]
    pending: list[_Judgeable] = [*([articles] if run.makes_articles else []), *own]
    for rows in pending:
        judged.excluded[rows.dataset.name] = rows.prepare(NOTHING)
    with Judge(RememberedAnswers(store, run.process_run)) as judge:
        for _ in range(MAX_ROUNDS):
            found = judge.judge(_to_judge(run, rows, judged.of(rows.dataset.name), lake) for rows in pending)
            again = []
            for rows in pending:
                name = rows.dataset.name
                judged.results.setdefault(name, found[name])
                before = judged.of(name)
                more = _taken_out(run, rows, before, found[name])
                if more is not None:
                    judged.excluded[name] = rows.prepare(more)
                    if _has_other_rows(run, rows, before, judged.of(name)):
                        again.append(rows)
            if not again:
                return judged
            pending = again
    raise GateError(f"The rows of {run.process_run} still broke expectations after {MAX_ROUNDS} rounds. Nothing was published.")


def _has_other_rows(run: ProcessRun, rows: _Judgeable, before: Excluded, now: Excluded) -> bool:
    """Whether the rows to be judged are others than those that were judged, without those that are taken out now."""
    columns = list(dict.fromkeys([*_place_columns(rows.dataset), *_expected(run, rows.dataset).needed_columns()]))
    judged = (row for table in rows.new_rows(before, columns) for row in table.to_pylist())
    left = (row for row in judged if _place(row) not in now.rows and row["crawl_run"] not in now.held)
    there = (row for table in rows.new_rows(now, columns) for row in table.to_pylist())
    return any(one != other for one, other in zip_longest(left, there))


def history_of(lake: Lake, run: ProcessRun, dataset: str) -> list[Measures]:
    """What the crawl's runs before a process run measured of a dataset, the newest first; each by its rows that are published now."""
    rows = [
        row
        for batch in lake.scan("runs", ["crawl", "sequence", "crawl_run", "kind", "statistics"])
        for row in batch.to_pylist()
        if row["crawl"] == run.crawl.name and not is_after(run, row["crawl_run"])
    ]
    measured: dict[str, list[Measures]] = {crawl_run: [] for crawl_run in run.crawl_runs}
    for row in sorted(rows, key=lambda row: row["sequence"], reverse=True):
        if row["crawl_run"] not in measured:
            found = read_history([row["statistics"]] if row["statistics"] else [], dataset)
            if found or row["kind"] == RunKind.ROLLBACK:
                measured[row["crawl_run"]] = found
    order = {row["crawl_run"]: sighting_order(row["crawl_run"], row["sequence"]) for row in rows}
    newest_first = sorted((name for name in measured if name in order), key=order.__getitem__, reverse=True)
    return [one for name in newest_first for one in measured[name]]


def _expected(run: ProcessRun, dataset: Dataset) -> RowsToJudge:
    """What is expected of a dataset's rows, without the rows."""
    own = run.crawl.expectations.get(dataset.name, ()), run.crawl.drift.get(dataset.name, ())
    return RowsToJudge(dataset, (), run.crawl_runs, *own)


def _to_judge(run: ProcessRun, rows: _Judgeable, excluded: Excluded, lake: Lake) -> RowsToJudge:
    expected = _expected(run, rows.dataset)
    return replace(
        expected,
        tables=rows.new_rows(excluded, expected.needed_columns()),
        crawl_runs=tuple(one for one in run.crawl_runs if one not in excluded.held),
        history=history_of(lake, run, rows.dataset.name) if expected.all_drift() else (),
    )


def _taken_out(run: ProcessRun, rows: _Judgeable, excluded: Excluded, result: SuiteResult) -> Excluded | None:
    """What is to be taken out now, with what was taken out before; None if nothing more is."""
    failing = frozenset(run.crawl_runs) & result.failing_runs()
    accepted = run.kind is RunKind.ACCEPT  # somebody has decided: nothing more is held back
    held = {} if accepted else {crawl_run: result.failures_of(crawl_run) for crawl_run in failing}
    offences = result.offences()
    broken: dict[RowPlace, tuple[str, str]] = {}
    start = 0
    columns = list(dict.fromkeys([*_place_columns(rows.dataset), *offences.columns]))
    for table in rows.new_rows(excluded, columns) if len(offences.rows) else ():
        for place, offence in offences.among(start, table.num_rows).items():
            (row,) = table.slice(place, 1).to_pylist()
            broken[_place(row)] = offence.rule, offence.detail(row)
        start += table.num_rows
    return excluded.with_more(broken, held) if broken or held else None


def _place_columns(dataset: Dataset) -> list[str]:
    return PLACE_COLUMNS[:2] if dataset.is_built_in else PLACE_COLUMNS


def _place(row: Mapping[str, Any]) -> RowPlace:  # Any: the values of a row
    return place_of({"position": ARTICLE_POSITION, **row})
