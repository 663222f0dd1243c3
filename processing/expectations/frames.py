"""Rows as the data frames that Great Expectations judges, and arguments that can be compared with their values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from processing.expectations.judged_rows import ROW

if TYPE_CHECKING:
    import pandas as pd

EXACT = 2**53  # integers above it are not exact as floating point
ONLY_EQUALITY = frozenset({"expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique"})
TIME_ARGUMENTS = ("min_value", "max_value", "value", "value_set")


def as_frame(table: pa.Table | None, *, as_objects: bool) -> pd.DataFrame:
    """The table's columns, with the index of each row as its label; None is no rows.

    With `as_objects`, texts are Python's own, so that every regular expression of Python's works; they take several times the memory.
    """
    import pandas as pd

    if table is None:
        return pd.DataFrame()
    names = [name for name in table.column_names if name != ROW]
    columns = {name: _series(table[name], as_objects=as_objects) for name in names}
    return pd.DataFrame(columns, index=pd.Index(table[ROW].to_numpy()))


def with_numbers(table: pa.Table) -> pa.Table:
    """The table with a number for each different text: for those that ask only which values are equal, in a third of the memory."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            encoded = table[field.name].combine_chunks().dictionary_encode()
            table = table.set_column(place, field.name, encoded.indices)
    return table


def hashes_of(texts: pa.ChunkedArray) -> Any:
    """A 64-bit hash of each text as an array of numpy; NULL has one, too."""
    from pandas.util import hash_array

    return hash_array(texts.to_numpy(), categorize=False)


def comparable_arguments(arguments: Mapping[str, Any], table: pa.Table | None) -> dict[str, Any]:
    """The arguments with texts as times where they are compared with a column of times."""
    column = arguments.get("column")
    if table is None or column not in table.column_names or not pa.types.is_temporal(table[column].type):
        return dict(arguments)
    return {name: _time(value) if name in TIME_ARGUMENTS else value for name, value in arguments.items()}


def _series(column: pa.ChunkedArray, *, as_objects: bool) -> Any:
    import pandas as pd

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.to_pandas().astype(object).to_numpy() if as_objects else column.to_pandas().array
    if pa.types.is_integer(column.type) and column.null_count:
        largest = pc.max(pc.abs(column)).as_py() or 0
        return column.to_pandas(types_mapper={column.type: pd.Int64Dtype()}.get).array if largest > EXACT else column.to_pandas().array
    return column.to_pandas().array


def _time(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_time(one) for one in value]
    if isinstance(value, str):
        return _naive(datetime.fromisoformat(value))
    return datetime(value.year, value.month, value.day) if isinstance(value, date) and not isinstance(value, datetime) else value  # noqa: DTZ001


def _naive(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo is not None else time
