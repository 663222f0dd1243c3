"""Judge batches of rows with Great Expectations. Only `suite_process` imports this.

A batch is the rows of one crawl run, or of several for the package's own expectations. Expectations of severity `warning` come first; the
others see only the rows that are left, because these are published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.expectations.frames import ONLY_EQUALITY, as_frame, comparable_arguments, hashes_of, with_numbers
from processing.expectations.judged_rows import ROW
from processing.expectations.lean_import import import_great_expectations
from processing.expectations.measures import measures_of
from schemas.datasets.expectation_types import expectation_type

RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "return_unexpected_index_query": False,
    "include_unexpected_rows": False,
    "exclude_unexpected_values": True,
    "partial_unexpected_count": 0,
}
PART_ROWS = 200_000  # that are looked at together to find equal ones
Values = dict[str, Any]  # JSON


@dataclass(slots=True)
class Verdict:
    """What is known of one expectation so far: rows that were looked at, and the indices of those that are at fault."""

    judged: int = 0
    success: bool = True
    rows: list[Any] = field(default_factory=list)  # Any: arrays of numpy
    observed: Any = None
    error: str | None = None

    def failing_rows(self) -> Any:
        """The indices of the rows at fault, in ascending order."""
        return np.sort(np.concatenate([np.empty(0, np.int64), *self.rows]))

    def conclude(self, mostly: float) -> None:
        """Decide on an expectation of single rows, of which the share `mostly` must meet it."""
        wrong = sum(len(part) for part in self.rows)
        if self.error is None:
            self.success = wrong == 0 or (self.judged - wrong) / self.judged >= mostly


def judge_batch(batch: Values) -> Values:
    """The results of a batch's expectations, in their order, and the measures of the rows that are left.

    The indices of rows at fault go into the file `failed`, a column for the number of the expectation beside them.
    """
    paths = [Path(path) for path in batch["files"]]
    expectations = list(enumerate(batch["expectations"]))
    warnings = [one for one in expectations if one[1]["severity"] == "warning"]
    verdicts = _judge(paths, warnings, np.empty(0, np.int64))
    failed = [verdict.failing_rows() for verdict in verdicts.values() if not verdict.success]
    left_out = np.unique(np.concatenate([np.empty(0, np.int64), *failed]))
    verdicts |= _judge(paths, [one for one in expectations if one[1]["severity"] != "warning"], left_out)
    _write_failed(Path(batch["failed"]), verdicts)
    count = batch["rows"] - len(left_out)
    measures = measures_of(count, lambda name: _column(paths, name, left_out), _measured(paths, batch["measures"]))
    return {"results": [_values(verdicts[number]) for number, _ in expectations], "measures": measures}


def _judge(paths: Sequence[Path], expectations: Sequence[tuple[int, Values]], left_out: Any) -> dict[int, Verdict]:
    verdicts = {number: Verdict(error=_missing(paths, one["columns"])) for number, one in expectations}
    expectations = [(number, one) for number, one in expectations if verdicts[number].error is None]
    single = [(number, one) for number, one in expectations if expectation_type(one["type"]).row_by_row]
    if single:
        names = sorted({name for _, one in single for name in one["columns"]})
        for table in _tables(paths, names, left_out):
            _validate(table, single, verdicts)
    for number, one in single:
        verdicts[number].conclude(float(one["kwargs"].get("mostly", 1)))
    for number, one in expectations:
        if not expectation_type(one["type"]).row_by_row:
            for rows in _compared(paths, one, left_out):
                _validate(rows, [(number, one)], verdicts)
    return verdicts


def _compared(paths: Sequence[Path], expectation: Values, left_out: Any) -> Iterator[pa.Table | None]:
    """The rows that an expectation compares with one another. One that asks which rows are equal gets parts, with equal ones together."""
    column = _dividing_column(paths, expectation)
    count = sum(pq.read_metadata(path).num_rows for path in paths) // PART_ROWS + 1 if column is not None else 1
    if column is None or count == 1:
        yield _whole(paths, expectation, left_out)
        return
    for part in range(count):
        tables = _tables(paths, expectation["columns"], left_out)
        yield with_numbers(pa.concat_tables([table.filter(pa.array(hashes_of(table[column]) % count == part)) for table in tables]))


def _dividing_column(paths: Sequence[Path], expectation: Values) -> str | None:
    """A column by which the rows of an expectation may be divided: of texts, which are equal only if their hashes are."""
    arguments = expectation["kwargs"]
    if not paths or expectation["type"] not in ONLY_EQUALITY or "row_condition" in arguments or arguments.get("mostly", 1) != 1:
        return None
    schema = pq.read_schema(paths[0])
    return next((name for name in expectation["columns"] if pa.types.is_string(schema.field(name).type)), None)


def _whole(paths: Sequence[Path], expectation: Values, left_out: Any) -> pa.Table | None:
    """All rows of the columns that an expectation compares with one another; None is no rows."""
    tables = list(_tables(paths, expectation["columns"], left_out))
    if not tables:
        return None
    whole = pa.concat_tables(tables)
    return with_numbers(whole) if expectation["type"] in ONLY_EQUALITY and "row_condition" not in expectation["kwargs"] else whole


def _missing(paths: Sequence[Path], names: Sequence[str]) -> str | None:
    """What is wrong with an expectation of columns that the rows do not have."""
    there = set(pq.read_schema(paths[0]).names) if paths else set(names)
    missing = [name for name in names if name not in there]
    return f"there is no column {', '.join(map(repr, missing))}" if missing else None


def _validate(table: pa.Table | None, expectations: Sequence[tuple[int, Values]], verdicts: Mapping[int, Verdict]) -> None:
    """Let Great Expectations judge one table, and add what it says to the verdicts."""
    gx = import_great_expectations()
    single = expectation_type(expectations[0][1]["type"]).row_by_row
    frame = as_frame(table, as_objects=single)
    configurations = [
        {"type": one["type"], "kwargs": comparable_arguments(one["kwargs"], table), "meta": {"number": number}}
        for number, one in expectations
    ]
    suite = gx.ExpectationSuite(name="expectations", expectations=configurations)
    batch = _batch_definition().get_batch(batch_parameters={"dataframe": frame})
    for result in batch.validate(suite, result_format=RESULT_FORMAT).results:
        _add(result, verdicts[result.expectation_config.meta["number"]])


def _add(result: Any, verdict: Verdict) -> None:
    details = result.result or {}
    verdict.judged += int(details.get("element_count") or 0) - int(details.get("missing_count") or 0)
    verdict.success = verdict.success and bool(result.success)
    rows = details.get("unexpected_index_list")
    if rows:
        verdict.rows.append(np.asarray(rows, np.int64))
    verdict.observed = details.get("observed_value", verdict.observed)
    verdict.error = verdict.error or _exception(result.exception_info or {})
    if verdict.error:
        verdict.success = False


def _exception(info: Mapping[str, Any]) -> str | None:
    """The message of a metric that raised, which only this part of a result has; flat or by metric."""
    infos = [info] if "raised_exception" in info else [value for value in info.values() if isinstance(value, Mapping)]
    return next((str(value.get("exception_message")) for value in infos if value.get("raised_exception")), None)


def _values(verdict: Verdict) -> Values:
    observed = verdict.observed
    return {
        "success": verdict.success and verdict.error is None,
        "unexpected_count": sum(len(part) for part in verdict.rows),
        "observed": observed.item() if isinstance(observed, np.generic) else observed,
        "error": verdict.error,
    }


def _tables(paths: Sequence[Path], names: Sequence[str], left_out: Any) -> Iterator[pa.Table]:
    """The row groups of the files, without the rows that are left out."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            for group in range(file.metadata.num_row_groups):
                table = file.read_row_group(group, columns=list(dict.fromkeys([*names, ROW])))
                yield table.filter(pc.invert(pc.is_in(table[ROW], pa.array(left_out)))) if len(left_out) else table


def _measured(paths: Sequence[Path], wanted: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {name: measures for name, measures in wanted.items() if _missing(paths, [name]) is None}


def _column(paths: Sequence[Path], name: str, left_out: Any) -> pa.ChunkedArray:
    return pa.concat_tables(_tables(paths, [name], left_out))[name]


def _write_failed(path: Path, verdicts: Mapping[int, Verdict]) -> None:
    schema = pa.schema([("number", pa.int32()), ("row", pa.int64())])
    with pq.ParquetWriter(path, schema) as writer:
        for number, verdict in sorted(verdicts.items()):
            rows = pa.array(verdict.failing_rows() if not verdict.success else [], pa.int64())
            writer.write_table(pa.table([pa.repeat(pa.scalar(number, pa.int32()), len(rows)), rows], schema=schema))


def prepare() -> None:
    """Judge two rows, so that all is imported and made that every judging needs."""
    table = pa.table({ROW: pa.array([0, 1], pa.int64()), "value": pa.array(["a", "b"])})
    for name, arguments in (("expect_column_values_to_not_be_null", {}), ("expect_column_values_to_match_regex", {"regex": "a"})):
        _validate(table, [(0, {"type": name, "kwargs": {"column": "value", **arguments}})], {0: Verdict()})


@cache
def _batch_definition() -> Any:
    gx = import_great_expectations()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context.data_sources.add_pandas("staged").add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
