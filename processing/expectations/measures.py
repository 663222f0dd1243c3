"""What a run measures of its rows, for later runs to be compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from processing.expectations.distribution import distribution_of


def measures_of(row_count: int, read_column: Callable[[str], pa.ChunkedArray], wanted: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The number of rows and, of each wanted column, its wanted measures. A column without values has no mean and no distribution."""
    columns = {name: _column_measures(read_column(name), measures) for name, measures in wanted.items() if row_count}
    return {"row_count": row_count, "columns": columns}


def _column_measures(column: pa.ChunkedArray, measures: Sequence[str]) -> dict[str, Any]:
    return {name: _MEASURES[name](column) for name in sorted(set(measures))}


def _null_share(column: pa.ChunkedArray) -> float:
    return float(column.null_count / len(column))


def _mean(column: pa.ChunkedArray) -> float | None:
    mean = pc.mean(column).as_py()
    return None if mean is None else float(mean)


def _distinct_share(column: pa.ChunkedArray) -> float | None:
    values = len(column) - column.null_count
    return pc.count_distinct(column).as_py() / values if values else None


_MEASURES: dict[str, Callable[[pa.ChunkedArray], Any]] = {
    "distinct_share": _distinct_share,
    "distribution": distribution_of,
    "mean": _mean,
    "null_share": _null_share,
}
