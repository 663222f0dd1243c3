"""The rows of a query: as a stream of Arrow batches, or all of them for pyarrow, polars or pandas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Row = dict[str, Any]  # Any: a row's columns are the query's own


class Rows:
    """A stream of rows. Only one batch is in memory, unless a method returns all rows.

    It can be read again: the query then runs again, over the same state of the lake. `schema` has the names and Arrow types of the
    columns. Each name is unique: if a join makes several columns `a`, the second is `a_1`.
    """

    def __init__(
        self,
        schema: pa.Schema,
        read: Callable[[], Iterator[pa.RecordBatch]],
        select: Callable[[Sequence[str]], Iterator[pa.RecordBatch]] | None = None,
    ) -> None:
        """`read` begins to read the rows. `select` does too, and reads only the named columns; None if that is not possible."""
        names = unique_names(schema.names)
        self._new_names = None if names == schema.names else names
        self.schema = schema if self._new_names is None else _renamed(schema, names)
        self._read = read
        self._select = select if self._new_names is None else None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in Arrow batches, from the first one on."""
        if self._new_names is None:
            return self._read()
        return (batch.rename_columns(self._new_names) for batch in self._read())

    def __iter__(self) -> Iterator[Row]:
        for batch in self.batches():
            yield from rows_of(batch)

    def arrow(self) -> pa.Table:
        """All rows as a pyarrow table."""
        import pyarrow as pa

        return pa.Table.from_batches(self.batches(), self.schema)

    def polars(self) -> pl.LazyFrame:
        """The rows as a polars lazy frame: `.collect()` reads them, and only the columns that are used.

        `.collect(engine="streaming")` and `.sink_parquet()` hold only a part of the rows in memory.
        """
        import polars as pl
        from polars.io.plugins import register_io_source

        def read(
            columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_rows: int | None
        ) -> Iterator[pl.DataFrame]:
            left = n_rows
            for batch in self._batches_of(columns):
                frame = pl.DataFrame(batch) if columns is None else pl.DataFrame(batch).select(columns)
                frame = frame if left is None else frame.head(left)
                left = None if left is None else left - frame.height
                yield frame if predicate is None else frame.filter(predicate)
                if left is not None and left <= 0:
                    return

        return register_io_source(read, schema=pl.DataFrame(self.schema.empty_table()).schema, is_pure=True)

    def _batches_of(self, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
        return self.batches() if columns is None or not columns or self._select is None else self._select(columns)

    def pandas(self) -> pd.DataFrame:
        """All rows as a pandas data frame."""
        frame: pd.DataFrame = self.arrow().to_pandas()
        return frame


def rows_of(batch: pa.RecordBatch) -> list[Row]:
    """The rows of a batch. Raises ConfigError for a time that Python cannot represent."""
    try:
        rows: list[Row] = batch.to_pylist()
    except (OverflowError, ValueError) as error:
        raise ConfigError(
            f"A time is not within the years 1 to 9999 ({error}). Select it as text, with CAST(... AS VARCHAR), or write Parquet."
        ) from error
    return rows


def unique_names(names: Sequence[str]) -> list[str]:
    """Unique names of columns: a repeated name gets `_1`, `_2` and so on."""
    unique: dict[str, None] = {}
    for name in names:
        unique[next(one for one in _spellings(name) if one not in unique and (one == name or one not in names))] = None
    return list(unique)


def _spellings(name: str) -> Iterable[str]:
    yield name
    yield from (f"{name}_{number}" for number in count(1))


def _renamed(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
