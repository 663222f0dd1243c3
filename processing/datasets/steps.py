"""Steps of the user's: functions, RecordBatch -> RecordBatch, that fill declared fields of a dataset's new rows.

They run before the expectations, in a worker with limits. A batch on which a step breaks is halved, again and again, until the rows at
fault stand alone; where the definition says so, only these go to quarantine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from processing.datasets.rows import row_json
from processing.datasets.step_child import StepResult, StepWork, read_batch, write_batch
from processing.datasets.values import to_plain
from processing.workers.pool import Exceeded, Limits, limited_call
from schemas.datasets.dataset import Dataset, Step

STEP_RULE = "step"
MAX_DETAIL_CHARACTERS = 700  # the step's name, and an error with its place in the file
# A step may ask a service for every row, or load a model for the first: so long for a batch, and so much longer for each of its rows.
BATCH_SECONDS = 30.0
ROW_SECONDS = 0.3
LIMITS = Limits(seconds=BATCH_SECONDS, memory_bytes=2 * 1024**3, pages_per_worker=10**9)  # twice what a page has: a step may hold a model
MAX_HALVINGS = 2_000  # of one runner: a step that breaks on every row must not take two calls a row
EXCEEDED_HALVINGS = 100  # that a batch counts for which took too long or too much memory: each costs seconds


@dataclass(frozen=True, slots=True)
class Stepped:
    """A table with the declared fields filled, and why rows of it are at fault, by their index. These rows are as they were."""

    rows: pa.Table
    broken: Mapping[int, str] = field(default_factory=dict)


class StepFailedError(Exception):
    """A step with `on_error: fail` broke. The message is a sentence without its point."""


class StepRunner:
    """Runs a dataset's steps on tables of its rows. A context manager: its worker ends with it."""

    def __init__(self, dataset: Dataset, folders: Sequence[str]) -> None:
        """`folders` are where the user's modules are."""
        self._dataset, self._folders = dataset, tuple(folders)
        self._definition = dataset.model_dump_json()
        self._stack = ExitStack()
        self._call: Callable[[StepWork], StepResult | Exceeded] | None = None
        self._halvings = 0

    def __enter__(self) -> StepRunner:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, rows: pa.Table) -> Stepped:
        """The rows after all steps. The table has the declared fields, and what else a step may see. Raises StepFailedError."""
        if not rows.num_rows:
            return Stepped(rows)
        good, places = _as_batch(rows), np.arange(rows.num_rows)
        broken: dict[int, str] = {}
        for step in self._dataset.steps:
            parts, kept = [], []
            for start, part, error in self._attempt(step, good, 0):
                if error is None:
                    parts.append(part)
                    kept.append(places[start : start + part.num_rows])
                else:
                    broken |= dict.fromkeys(places[start : start + part.num_rows].tolist(), f"{step.step}: {error}"[:MAX_DETAIL_CHARACTERS])
            if not parts:
                return Stepped(rows, broken)
            good, places = _as_batch(pa.Table.from_batches(parts)), np.concatenate(kept)
        return Stepped(with_rows(rows, pa.Table.from_batches([good], schema=rows.schema), places), broken)

    def _attempt(self, step: Step, batch: pa.RecordBatch, start: int) -> Iterator[tuple[int, pa.RecordBatch, str | None]]:
        """Parts of a batch with the index of their first row: filled by the step, or with the reason why they are not."""
        result = self._ask(step, batch)
        if isinstance(result, StepResult) and result.filled is not None:
            yield start, _filled(batch, read_batch(result.filled)), None
            return
        error = result.detail if isinstance(result, Exceeded) else str(result.error)
        if step.on_error == "fail":
            raise StepFailedError(f"the step {step.step} broke: {error}"[:MAX_DETAIL_CHARACTERS])
        if batch.num_rows == 1 or self._halvings >= MAX_HALVINGS:
            yield start, batch, error
            return
        self._halvings += EXCEEDED_HALVINGS if isinstance(result, Exceeded) else 1
        middle = batch.num_rows // 2
        yield from self._attempt(step, batch.slice(0, middle), start)
        yield from self._attempt(step, batch.slice(middle), start + middle)

    def _ask(self, step: Step, batch: pa.RecordBatch) -> StepResult | Exceeded:
        if self._call is None:
            self._call = self._stack.enter_context(limited_call("processing.datasets.step_child.run_step", LIMITS, (StepResult,)))
        seconds = BATCH_SECONDS + ROW_SECONDS * batch.num_rows
        return self._call(StepWork(write_batch(batch), step.step, self._definition, self._folders, seconds))


def whole_row(dataset: Dataset, row: Mapping[str, Any]) -> str:  # Any: the values of a staged row
    """The fields of a row as JSON, as `quarantine` keeps them."""
    return row_json({name: to_plain(row[name]) for name in dataset.fields if row[name] is not None})


def _as_batch(table: pa.Table) -> pa.RecordBatch:
    (batch,) = table.combine_chunks().to_batches()
    return batch


def _filled(batch: pa.RecordBatch, fields: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with other values of its fields."""
    columns = [fields.column(name) if name in fields.schema.names else batch.column(name) for name in batch.schema.names]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def with_rows(table: pa.Table, rows: pa.Table, places: Any) -> pa.Table:  # Any: an array of integers
    """The table with these rows at these places, each place once."""
    if rows.num_rows == table.num_rows:
        return rows.take(pa.array(np.argsort(places)))
    others = np.setdiff1d(np.arange(table.num_rows), places)
    together = pa.concat_tables([rows, table.take(pa.array(others))])
    return together.take(pa.array(np.argsort(np.concatenate([places, others]))))
