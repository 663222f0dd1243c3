"""Judge the new rows of datasets by expectations, all in one process of its own (`suite_process`).

`Judge` is the entry point: `RowsToJudge` in, a `SuiteResult` for each dataset out. Expectations see the new rows of one crawl run, never
the whole table; the package's own expectations of `articles` see those of all crawl runs of the process run.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from processing.expectations.batches import Batch, Plain, RowsToJudge, batches_of
from processing.expectations.examples import Example, values_text
from processing.expectations.judge_process import JudgeProcess
from processing.expectations.judged_rows import URL, rows_of, run_of_rows
from processing.expectations.remembered import RememberedAnswers, digest_of
from processing.expectations.suite_result import NO_ROWS, ExpectationResult, Measures, RowIndices, SuiteResult
from runtime.scratch import scratch_folder
from schemas.datasets.expectation_types import expectation_type

ROOT = Path(__file__).resolve().parents[2]
MAX_EXAMPLES = 20  # of an expectation, in the report


class Judge:
    """Judges rows in one process, which is started when there is something to judge. A context manager: the process ends with it."""

    def __init__(self, remembered: RememberedAnswers | None = None) -> None:
        """What is `remembered` is not judged again."""
        self._remembered = remembered
        self._stack = ExitStack()
        self._process: JudgeProcess | None = None

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def judge(self, datasets: Iterable[RowsToJudge]) -> dict[str, SuiteResult]:
        """The results by dataset. Raises GateError when expectations cannot be judged at all, as when the process ends before its time."""
        with scratch_folder() as folder:
            batches: dict[str, list[Batch]] = {}
            for number, rows in enumerate(datasets):
                suite = _own_suite() if rows.dataset.is_built_in else []
                batches[rows.dataset.name] = batches_of(rows, suite, folder / str(number))
            asked = [batch for of_dataset in batches.values() for batch in of_dataset if batch.needs_process]
            answers = dict(zip(map(id, asked), self._answers(asked, folder), strict=True))
            return {name: _suite_result(name, of_dataset, answers) for name, of_dataset in batches.items()}

    def _answers(self, batches: Sequence[Batch], folder: Path) -> list[tuple[list[ExpectationResult], Measures]]:
        """The results of each batch, and the measures of its rows."""
        failed = [folder / f"failed-{place}.parquet" for place in range(len(batches))]
        digests = [digest_of(batch) if self._remembered is not None else "" for batch in batches]
        answers = [self._known(digest, path) for digest, path in zip(digests, failed, strict=True)]
        unknown = [place for place, answer in enumerate(answers) if answer is None]
        if unknown:
            asked = [batches[place].order(failed[place]) for place in unknown]
            for place, answer in zip(unknown, self._ask(asked), strict=True):
                answers[place] = answer
                if self._remembered is not None:
                    self._remembered.put(digests[place], answer, failed[place])
        return [
            (_results(batch, answer["results"], path), answer["measures"])
            for batch, answer, path in zip(batches, answers, failed, strict=True)
            if answer is not None
        ]

    def _known(self, digest: str, failed: Path) -> Plain | None:
        return None if self._remembered is None else self._remembered.get(digest, failed)

    def _ask(self, orders: Sequence[Plain]) -> list[Plain]:
        if self._process is None:
            self._process = JudgeProcess(self._stack.enter_context(scratch_folder()))
            self._stack.callback(self._process.close)
        return self._process.judge(orders)


def judge_datasets(datasets: Iterable[RowsToJudge]) -> dict[str, SuiteResult]:
    """Judge the rows of every dataset once; the results by dataset. Raises GateError as `Judge.judge` does."""
    with Judge() as judge:
        return judge.judge(datasets)


def judge_dataset(rows: RowsToJudge) -> SuiteResult:
    """The same for one dataset."""
    return judge_datasets([rows])[rows.dataset.name]


def suite_path() -> Path:
    """Where the package's own expectations of `articles` are."""
    return ROOT / "schemas" / "expectations" / "articles.json"


def _own_suite() -> list[dict[str, Any]]:
    return list(json.loads(suite_path().read_text(encoding="utf-8"))["expectations"])


def _suite_result(dataset: str, batches: Sequence[Batch], answers: dict[int, tuple[list[ExpectationResult], Measures]]) -> SuiteResult:
    results: list[ExpectationResult] = []
    measures: dict[str, Measures] = {}
    rows: dict[str, int] = {}
    for batch in batches:
        found, measured = answers.get(id(batch), ([], {"row_count": batch.rows, "columns": {}}))
        results += found
        if len(batch.crawl_runs) == 1:
            measures[batch.crawl_runs[0]], rows[batch.crawl_runs[0]] = measured, batch.rows
    return SuiteResult(dataset, sum(rows.values()), tuple(results), measures)


def _results(batch: Batch, answers: Sequence[dict[str, Any]], failed: Path) -> list[ExpectationResult]:
    at_fault = pq.read_table(failed)
    numbers, rows = at_fault["number"].to_numpy(), at_fault["row"].to_numpy()
    failing = [rows[numbers == number] for number in range(len(answers))]
    first = [row for found in failing for row in found[:MAX_EXAMPLES].tolist()]
    names = [name for one, found in zip(batch.expectations, failing, strict=True) if len(found) for name in one["columns"]]
    shown = rows_of(list(batch.files.values()), first, names)
    return [_result(batch, *one, shown) for one in zip(batch.expectations, answers, failing, strict=True)]


def _result(batch: Batch, expectation: Plain, answer: dict[str, Any], rows: RowIndices, shown: dict[int, Plain]) -> ExpectationResult:
    reports_rows = expectation_type(expectation["type"]).reports_rows and answer["error"] is None
    failing = () if answer["success"] else run_of_rows(batch.files, rows) if reports_rows else batch.crawl_runs
    kept = rows if expectation["severity"] == "warning" else NO_ROWS
    first = (shown[row] for row in rows[:MAX_EXAMPLES].tolist())
    return ExpectationResult(
        type=expectation["type"],
        arguments=expectation["kwargs"],
        columns=tuple(expectation["columns"]),
        severity=expectation["severity"],
        success=answer["success"],
        crawl_runs=batch.crawl_runs,
        failing_runs=failing,
        unexpected_count=answer["unexpected_count"] if reports_rows else None,
        examples=tuple(dict.fromkeys(Example(row[URL], values_text(row, expectation["columns"])) for row in first)),
        rows=np.asarray(kept, np.int64),
        observed=answer["observed"],
        drift=expectation["drift"],
        error=answer["error"],
    )
