"""What the expectations say of a dataset's rows: which were met, which rows are to blame, and what becomes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from processing.expectations.examples import Example, values_text
from schemas.numbers import plural

RULE = "expectation:"
EXAMPLES_IN_SENTENCE = 3
MAX_VALUE_CHARACTERS = 100
_AFTERWARDS = {"warning": ", to quarantine", "info": ", which is only reported"}
_RANGE = {"min_value", "max_value", "strict_min", "strict_max"}
_COLUMNS = re.compile(r"^expect_(?:column_|multicolumn_|compound_columns_|select_)?(?:pair_)?(?:values_)?")

RowIndices = npt.NDArray[np.int64]
Measures = dict[str, Any]  # JSON: the number of rows and, of each column that a drift names, its measures
NO_ROWS: RowIndices = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One expectation, judged on the new rows of `crawl_runs`: of one crawl run, or of all where it is the package's own.

    `failing_runs` are those that the rows at fault belong to; all of `crawl_runs` where it is of the rows together. `rows` are the indices
    of all rows at fault, in the order of the tables, for severity `warning`; otherwise they are not kept. `examples` are the first of them.
    `observed` is the value of an expectation of all rows together, and `error` says why it could not be judged.
    """

    type: str
    arguments: dict[str, Any]
    columns: tuple[str, ...]
    severity: str
    success: bool
    crawl_runs: tuple[str, ...]
    failing_runs: tuple[str, ...] = ()
    unexpected_count: int | None = None
    examples: tuple[Example, ...] = ()
    rows: RowIndices = field(default_factory=NO_ROWS.copy, compare=False)
    observed: Any = None  # Any: whatever it measures
    drift: str | None = None
    error: str | None = None

    def sentence(self) -> str:
        """What was expected and what was found instead, with the first rows at fault."""
        expected = f"{self.type}({', '.join(self.columns)})"
        return f"{expected}: {self.error or self._found()}"

    def _found(self) -> str:
        if self.drift is not None:
            return f"{self.drift}; it is {_short(self.observed)}"
        if self.unexpected_count is None:
            return f"it is {_short(self.observed)}, expected {_in_words(self)}"
        shown = ", ".join(example.text() for example in self.examples[:EXAMPLES_IN_SENTENCE])
        more = " and others" if len(self.examples) > EXAMPLES_IN_SENTENCE else ""
        wrong = f"{plural(self.unexpected_count, 'row')}, expected {_in_words(self)}"
        return f"{wrong}; first from {shown}{more}" if shown else wrong

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values, without the indices of the rows."""
        return {
            "type": self.type,
            "kwargs": self.arguments,
            "columns": list(self.columns),
            "severity": self.severity,
            "success": self.success,
            "crawl_runs": list(self.crawl_runs),
            "failing_runs": list(self.failing_runs),
            "unexpected_count": self.unexpected_count,
            "unexpected": [asdict(example) for example in self.examples],
            "observed": self.observed,
            "drift": self.drift,
            "exception": self.error,
            "limits": _limits(self),
            "sentence": None if self.success else self.sentence(),
        }


@dataclass(frozen=True, slots=True)
class Offence:
    """Why rows go to quarantine: the rule `expectation:TYPE`, and what was expected of which columns."""

    rule: str
    columns: tuple[str, ...]
    expected: str

    def detail(self, row: Mapping[str, Any]) -> str:  # Any: the values of a row
        """What one of the rows has instead: `price -1: expected to be at least 0`.

        Columns that are not in `row` stand without a value.
        """
        shown = [values_text(row, [name]) or name for name in self.columns]
        return f"{', '.join(shown)}: expected {self.expected}"


@dataclass(frozen=True, slots=True, eq=False)
class Offences:
    """The rows of a dataset that go to quarantine: their indices in ascending order, and the number of each one's reason."""

    rows: RowIndices
    numbers: RowIndices
    reasons: tuple[Offence, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the reasons name."""
        return tuple(dict.fromkeys(name for one in self.reasons for name in one.columns))

    def among(self, start: int, count: int) -> dict[int, Offence]:
        """The offences of the rows `start` to `start + count`, by the index from `start`: of a table that follows `start` other rows."""
        first, last = np.searchsorted(self.rows, [start, start + count])
        found = zip((self.rows[first:last] - start).tolist(), self.numbers[first:last].tolist(), strict=True)
        return {row: self.reasons[number] for row, number in found}


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The results of all expectations of one dataset. `rows` is how many rows were judged.

    `measures` are, per crawl run, what later runs are compared with; they belong into `runs.statistics` of the crawl run's row, under the
    key `measures` and the dataset's name.
    """

    dataset: str
    rows: int
    results: tuple[ExpectationResult, ...] = ()
    measures: Mapping[str, Measures] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        """Whether no critical expectation failed."""
        return not self.failing_runs()

    def failing_runs(self) -> frozenset[str]:
        """The crawl runs whose rows of this dataset must not be published."""
        return frozenset(run for one in self.results if not one.success and one.severity == "critical" for run in one.failing_runs)

    def sentences(self, severity: str | None = "critical") -> list[str]:
        """One sentence for each failed expectation of a severity; None is every severity."""
        failed = (one for one in self.results if not one.success and severity in {None, one.severity})
        return [self._sentence(one) for one in failed]

    def failures(self) -> str:
        """The failed critical expectations in one line."""
        return "; ".join(self.sentences())

    def failures_of(self, crawl_run: str) -> str:
        """The critical expectations that the rows of a crawl run did not meet, in one line."""
        failed = (one for one in self.results if not one.success and one.severity == "critical" and crawl_run in one.failing_runs)
        return "; ".join(one.sentence() for one in failed)

    def text(self) -> str:
        """What was judged, in a line for a log."""
        failed = [self._sentence(one) + _AFTERWARDS.get(one.severity, "") for one in self.results if not one.success]
        rows = f"{self.dataset}: {plural(self.rows, 'row')}"
        if not self.rows:
            return f"{self.dataset}: no rows to judge"
        if not failed:
            return f"{rows} met {plural(len(self.results), 'expectation')}"
        return f"{rows}, {len(failed)} of {plural(len(self.results), 'expectation')} not met: {'; '.join(failed)}"

    def offences(self) -> Offences:
        """The rows that go to quarantine. Of several reasons the first counts."""
        failed = [one for one in self.results if one.severity == "warning" and not one.success and len(one.rows)]
        reasons = tuple(Offence(RULE + one.type, one.columns, _in_words(one)) for one in failed)
        rows = np.concatenate([NO_ROWS, *(one.rows for one in failed)])
        numbers = np.repeat(np.arange(len(failed)), [len(one.rows) for one in failed])
        unique, first = np.unique(rows, return_index=True)
        return Offences(unique, numbers[first], reasons)

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return {
            "dataset": self.dataset,
            "success": self.success,
            "rows": self.rows,
            "measures": dict(self.measures),
            "results": [one.to_json() for one in self.results],
        }

    @property
    def result(self) -> dict[str, Any]:
        """The same as `to_json`."""
        return self.to_json()

    def _sentence(self, result: ExpectationResult) -> str:
        """The sentence, which names the crawl run if there are several."""
        is_named = len(result.crawl_runs) == 1 and len({run for one in self.results for run in one.crawl_runs}) > 1
        return f"{result.crawl_runs[0]}: {result.sentence()}" if is_named else result.sentence()


def report(results: Iterable[SuiteResult]) -> bytes:
    """The report `expectations.json`: each dataset's result, and the results of all under `results`."""
    datasets = [one.to_json() for one in results]
    flat = [{"dataset": one["dataset"], **result} for one in datasets for result in one["results"]]
    whole = {"success": all(one["success"] for one in datasets), "results": flat, "datasets": [_without_results(one) for one in datasets]}
    return json.dumps(whole, indent=2, default=str).encode()


def judged_rows(stored: bytes) -> dict[tuple[str, str], int]:
    """How many rows of each crawl run and dataset were judged, without those that went to quarantine, of a stored report."""
    datasets = json.loads(stored)["datasets"]
    return {(run, one["dataset"]): measured["row_count"] for one in datasets for run, measured in one["measures"].items()}


def _without_results(dataset: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in dataset.items() if name != "results"}


def _in_words(one: ExpectationResult) -> str:
    """What was expected, such as `to not be null`, `to be at least 0`, `to not match regex (regex [0-9]+)`."""
    words = _COLUMNS.sub("", one.type).replace("_", " ")
    limits = {name: value for name, value in one.arguments.items() if not name.startswith("column")}
    if words.endswith("to be between") and limits.keys() & {"min_value", "max_value"} and limits.keys() <= _RANGE:
        return words.removesuffix("between") + _range(**limits)
    return f"{words} ({_limits(one)})" if limits else words


def _range(min_value: object = None, max_value: object = None, *, strict_min: bool = False, strict_max: bool = False) -> str:
    least = None if min_value is None else f"{'more than' if strict_min else 'at least'} {_short(min_value)}"
    most = None if max_value is None else f"{'less than' if strict_max else 'at most'} {_short(max_value)}"
    return " and ".join(one for one in (least, most) if one)


def _limits(one: ExpectationResult) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in one.arguments.items() if not name.startswith("column"))


def _short(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= MAX_VALUE_CHARACTERS else text[: MAX_VALUE_CHARACTERS - 1] + "…"
