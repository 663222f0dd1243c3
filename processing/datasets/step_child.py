"""Runs one step of the user's on one batch, and checks what it gives back. It runs inside a worker with limits of time and memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from processing.datasets.functions import load_function
from runtime.user_modules import error_text
from schemas.datasets.dataset import Dataset
from schemas.datasets.field_types import Kind
from schemas.datasets.tables import user_fields
from schemas.errors import CrawlhouseError
from schemas.numbers import plural

MAX_STEPS = 50  # whose functions a worker keeps
MAX_NAMES = 5  # of columns, in a message


class StepError(Exception):
    """What is wrong with the result of a step. The message is a clause."""


@dataclass(frozen=True, slots=True)
class StepWork:
    """A batch (Arrow IPC) for one step of a dataset, which is given as JSON. `folders` are where the user's modules are."""

    batch: bytes
    step: str
    definition: str
    folders: tuple[str, ...]
    seconds: float

    @property
    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        return len(self.batch)


@dataclass(frozen=True, slots=True)
class StepResult:
    """The declared fields of the batch's rows (Arrow IPC), or why there are none."""

    filled: bytes | None = None
    error: str | None = None


def run_step(work: StepWork) -> StepResult:
    """The result of a step. Errors of the user's function are returned, not raised."""
    dataset = _dataset(work.definition)
    batch = read_batch(work.batch)
    try:
        made = _function(work.step, work.folders)(batch)
        return StepResult(write_batch(checked(batch, made, dataset)))
    except MemoryError:
        raise
    except (StepError, CrawlhouseError) as error:
        return StepResult(error=str(error).removesuffix("."))
    except Exception as error:  # whatever the user's function raises
        return StepResult(error=error_text(error))


def checked(batch: pa.RecordBatch, made: Any, dataset: Dataset) -> pa.RecordBatch:  # Any: whatever the user's function gives
    """The declared fields of a step's result, in their types. Raises StepError unless it is the batch with these fields filled.

    A column that is there twice, as `append_column` makes it, counts with its last.
    """
    if isinstance(made, pa.Table):
        table: pa.Table = made
        made = pa.RecordBatch.from_arrays([_one_chunk(column) for column in table.columns], schema=table.schema)
    if not isinstance(made, pa.RecordBatch):
        raise StepError(f"it gave a {type(made).__name__}, not a pyarrow.RecordBatch")
    if made.num_rows != batch.num_rows:
        raise StepError(f"it gave {plural(made.num_rows, 'row')} for {batch.num_rows}; a step keeps all rows, in their order")
    columns = dict(zip(made.schema.names, made.columns, strict=True))
    _check_names(columns, batch, dataset)
    fields = user_fields(dataset)
    mutable = {field.name for field in fields} - set(dataset.key)
    for name in batch.schema.names:
        if name not in mutable and not _is_same(batch.column(name), columns[name], name):
            raise StepError(f"it changed {name!r}; only declared fields may change, without those of the key")
    arrays = [_fitted(columns[field.name], field.type, field.name) for field in fields]
    _check_json(dataset, dict(zip([field.name for field in fields], arrays, strict=True)))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def write_batch(batch: pa.RecordBatch) -> bytes:
    """A batch as Arrow IPC."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def read_batch(data: bytes) -> pa.RecordBatch:
    """The one batch that `write_batch` wrote."""
    with pa.ipc.open_stream(data) as reader:
        return reader.read_next_batch()


def _check_names(columns: dict[str, pa.Array], batch: pa.RecordBatch, dataset: Dataset) -> None:
    lost = [name for name in batch.schema.names if name not in columns]
    if lost:
        raise StepError(f"it lost the column {_names(lost)}; a step gives back every column that it got")
    undeclared = [name for name in columns if name not in batch.schema.names]
    if undeclared:
        raise StepError(f"it added the column {_names(undeclared)}; declare it in the 'fields' of {dataset.name!r}")


def _is_same(before: pa.Array, after: pa.Array, name: str) -> bool:
    """Whether a column is as it was; a copy by pandas or Polars may have another type for the same values."""
    after = _fitted(after, before.type, name)
    if pa.types.is_floating(before.type):  # NaN is equal to itself here
        bits = pa.int32() if pa.types.is_float32(before.type) else pa.int64()
        return bool(before.view(bits).equals(after.view(bits)))
    return bool(before.equals(after))


def _fitted(column: pa.Array, kind: pa.DataType, name: str) -> pa.Array:
    """The column in its declared type. Raises StepError where it holds something else."""
    if column.type == kind:
        column.validate(full=True)
        return column
    if not _is_like(column.type, kind):
        raise StepError(f"{name!r} is {column.type}, but must be {kind}")
    try:
        if pa.types.is_integer(column.type) and pa.types.is_decimal(kind):
            column = column.cast(pa.decimal256(76, kind.scale))  # Arrow wants room for every integer
        return column.cast(kind)
    except pa.ArrowException as error:
        raise StepError(f"{name!r} is {column.type}, and does not fit into {kind}: {error}") from error


def _is_like(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether two types hold the same kind of values."""
    if pa.types.is_dictionary(given):
        return _is_like(given.value_type, wanted)
    if pa.types.is_null(given) or given == wanted:
        return True
    if pa.types.is_list(wanted):
        is_list = pa.types.is_list(given) or pa.types.is_large_list(given) or pa.types.is_fixed_size_list(given)
        return is_list and _is_like(given.value_type, wanted.value_type)
    if pa.types.is_struct(wanted):
        return pa.types.is_struct(given) and all(
            _is_like(field.type, wanted.field(field.name).type) for field in given if wanted.get_field_index(field.name) >= 0
        )
    return any(is_kind(given) and is_kind(wanted) for is_kind in (_is_text, _is_number, pa.types.is_timestamp, pa.types.is_date))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _check_json(dataset: Dataset, columns: dict[str, pa.Array]) -> None:
    for name, field in dataset.fields.items():
        if field.field_type.kind is not Kind.JSON:
            continue
        for value in columns[name].to_pylist():
            try:
                json.loads("null" if value is None else value)
            except (ValueError, RecursionError) as error:
                raise StepError(f"{name!r} has a value that is not JSON: {error}") from error


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:MAX_NAMES])) + (" and others" if len(names) > MAX_NAMES else "")


@lru_cache(maxsize=MAX_STEPS)
def _function(step: str, folders: tuple[str, ...]) -> Callable[[pa.RecordBatch], Any]:
    return load_function(step, folders)


@lru_cache(maxsize=MAX_STEPS)
def _dataset(definition: str) -> Dataset:
    return Dataset.model_validate_json(definition)
