"""What is judged: the new rows of a dataset with what is expected of them, put into batches for the process that judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from processing.expectations.article_signals import NEEDED_COLUMNS as ARTICLE_COLUMNS
from processing.expectations.article_signals import suite_rows
from processing.expectations.drift import drift_expectation
from processing.expectations.judged_rows import CRAWL_RUN, URL, JudgedRows
from processing.expectations.suite_result import Measures
from schemas.datasets.dataset import Dataset
from schemas.datasets.expectation import Drift, Expectation
from schemas.datasets.expectation_types import condition_names
from schemas.datasets.tables import table_schema

ROW_COUNTS = "expect_table_row_count_"  # what can be expected of no rows
Plain = dict[str, Any]  # an expectation as JSON, with `columns` to load and, of a drift, its words


@dataclass(frozen=True, slots=True)
class RowsToJudge:
    """The new rows of a dataset, of all crawl runs of a process run, and what is expected of them.

    `tables` have the `needed_columns`. `crawl_runs` are all that are processed, also those without rows. `expectations` and `drift` are the
    crawl's own, besides those of the dataset. `history`: what the crawl's earlier published runs measured, the newest first
    (`drift.read_history`).
    """

    dataset: Dataset
    tables: Iterable[pa.Table]
    crawl_runs: Sequence[str] = ()
    expectations: Sequence[Expectation] = ()
    drift: Sequence[Drift] = ()
    history: Sequence[Measures] = ()

    def all_expectations(self) -> tuple[Expectation, ...]:
        """The dataset's expectations and the crawl's."""
        return (*self.dataset.expectations, *self.expectations)

    def all_drift(self) -> tuple[Drift, ...]:
        """The dataset's drifts and the crawl's."""
        return (*self.dataset.drift, *self.drift)

    def needed_columns(self) -> list[str]:
        """The columns that the tables must have."""
        own = ARTICLE_COLUMNS if self.dataset.is_built_in else []
        named = [name for one in self.all_expectations() for name in loaded_columns(one, self.dataset)]
        drifting = [one.column for one in self.all_drift() if one.column]
        return list(dict.fromkeys([URL, CRAWL_RUN, *own, *named, *drifting]))


@dataclass(slots=True, eq=False)
class Batch:
    """Expectations of the rows of one crawl run; the package's own are of those of all crawl runs together."""

    crawl_runs: tuple[str, ...]
    files: dict[str, Path]
    rows: int
    expectations: list[Plain]
    measures: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def needs_process(self) -> bool:
        """Whether there is anything to judge or to measure."""
        return bool(self.expectations) or bool(self.rows and self.measures)

    def order(self, failed: Path) -> dict[str, Any]:
        """What the process gets to know. It writes the indices of rows at fault to `failed`."""
        return {
            "files": [str(path) for path in self.files.values()],
            "failed": str(failed),
            "rows": self.rows,
            "expectations": self.expectations,
            "measures": self.measures,
        }


def batches_of(rows: RowsToJudge, own_suite: Sequence[Mapping[str, Any]], folder: Path) -> list[Batch]:
    """Write the rows to the folder, and say what is judged of them."""
    expectations = [_plain(one, rows.dataset) for one in rows.all_expectations()]
    measures = _wanted_measures(rows.all_drift())
    drifts = [one for drift in rows.all_drift() if (one := _plain_drift(drift, rows)) is not None]
    named = sorted({name for one in expectations for name in one["columns"]} | set(measures))
    users = JudgedRows(folder / "users", lambda table: _present(table, named), keep=bool(expectations or measures or drifts))
    own = JudgedRows(folder / "own", suite_rows, keep=bool(own_suite))
    count = _write(rows.tables, users, own)
    runs = [_of_run(run, users, [*expectations, *drifts], measures) for run in dict.fromkeys([*rows.crawl_runs, *users.rows])]
    if not own.files:
        return runs
    suite = [_plain(Expectation.model_validate(one), rows.dataset) for one in own_suite]
    return [Batch(tuple(own.files), own.files, count, suite), *runs]


def loaded_columns(expectation: Expectation, dataset: Dataset) -> list[str]:
    """The columns that an expectation names, also in its `row_condition`."""
    condition = condition_names(expectation.kwargs.get("row_condition"))
    known = set(table_schema(dataset).names) if condition else set()
    return list(dict.fromkeys([*expectation.columns(), *(name for name in condition if name in known)]))


def _of_run(run: str, users: JudgedRows, expectations: Sequence[Plain], measures: Mapping[str, Sequence[str]]) -> Batch:
    """The expectations of the rows of one crawl run. Of no rows only the number can be expected."""
    count = users.rows.get(run, 0)
    judged = [one for one in expectations if count or one["type"].startswith(ROW_COUNTS)]
    files = {run: users.files[run]} if run in users.files else {}
    return Batch((run,), files, count, judged, measures)


def _write(tables: Iterable[pa.Table], users: JudgedRows, own: JudgedRows) -> int:
    """Write the rows; how many there are."""
    count = 0
    for table in tables:
        users.add(table, count)
        own.add(table, count)
        count += table.num_rows
    users.close()
    own.close()
    return count


def _plain(expectation: Expectation, dataset: Dataset) -> Plain:
    plain = expectation.model_dump(mode="json")
    if "row_condition" in plain["kwargs"]:
        plain["kwargs"].setdefault("condition_parser", "pandas")
    return {**plain, "columns": loaded_columns(expectation, dataset), "drift": None}


def _plain_drift(drift: Drift, rows: RowsToJudge) -> Plain | None:
    found = drift_expectation(drift, rows.history)
    if found is None:
        return None
    columns = [drift.column] if drift.column else []
    return {"type": found.type, "kwargs": found.kwargs, "severity": drift.severity, "columns": columns, "drift": found.words}


def _wanted_measures(drifts: Iterable[Drift]) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for one in drifts:
        if one.column is not None:
            wanted.setdefault(one.column, []).append(one.measure)
    return wanted


def _present(table: pa.Table, names: Sequence[str]) -> pa.Table:
    return table.select([name for name in names if name in table.column_names])
