"""Imports Arrow without NumPy and pandas, whose imports take longer than most queries. Only for commands that make no arrays of theirs."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING

from runtime.imports import left_out

if TYPE_CHECKING:
    import pyarrow as pa


def import_lean_arrow() -> None:
    """Import pyarrow as if NumPy were not installed, which it can do without; NumPy itself can be imported after it as ever."""
    with left_out({"numpy"}):
        import_module("pyarrow")


def without_pandas(schema: pa.Schema) -> None:
    """Let a lean Arrow make Python's times of its own without importing pandas first. Nanoseconds are pandas' own times, so they stay."""
    import pyarrow as pa

    if "numpy" not in sys.modules and not any("[ns" in str(field.type) for field in schema):
        with left_out({"pandas"}):
            pa.scalar(datetime(2000, 1, 1, tzinfo=UTC)).as_py()  # the first time, it looks for pandas
