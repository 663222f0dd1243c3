"""The rows of a query: read once, in Arrow batches, or as a whole in the library of your choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Row = dict[str, Any]  # Any: a row's columns are the query's own


class Rows:
    """Rows that stream: memory holds one batch until a method asks for the whole. They can be read once.

    `schema` has the names and Arrow types of the columns.
    """

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self.schema = schema
        self._batches = batches

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in Arrow batches."""
        return self._batches

    def __iter__(self) -> Iterator[Row]:
        for batch in self._batches:
            yield from batch.to_pylist()

    def arrow(self) -> pa.Table:
        """All rows as a pyarrow table."""
        import pyarrow as pa

        return pa.Table.from_batches(self._batches, self.schema)

    def polars(self) -> pl.DataFrame:
        """All rows as a polars data frame."""
        import polars as pl

        frame = pl.from_arrow(self.arrow())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def pandas(self) -> pd.DataFrame:
        """All rows as a pandas data frame."""
        frame: pd.DataFrame = self.arrow().to_pandas()
        return frame
