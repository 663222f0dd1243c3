"""The rows to judge, on disk for the process that judges them: a Parquet file per crawl run, of the columns that expectations name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW = "#row"  # the index of a row in the order of the tables; no field has such a name
URL = "url"
CRAWL_RUN = "crawl_run"
GROUP_ROWS = 100_000  # a row group is judged at a time, so this many rows are Python objects then
GROUP_BYTES = 16 * 1024 * 1024  # the same for long texts
PENDING_BYTES = 64 * 1024 * 1024  # of all crawl runs together, before the largest is written
Select = Callable[[pa.Table], pa.Table]


@dataclass(slots=True)
class _RunFile:
    path: Path
    pending: list[pa.Table] = field(default_factory=list)
    pending_bytes: int = 0
    pending_rows: int = 0
    writer: pq.ParquetWriter | None = None

    def write(self) -> None:
        """Write what is pending as one row group."""
        if not self.pending:
            return
        table = pa.concat_tables(self.pending)
        self.writer = self.writer or pq.ParquetWriter(self.path, table.schema, compression="zstd", compression_level=1)
        self.writer.write_table(table, row_group_size=table.num_rows)
        self.pending, self.pending_bytes, self.pending_rows = [], 0, 0


class JudgedRows:
    """Writes rows by crawl run, or only counts them if it shall not `keep` them.

    `select` makes the columns to judge; they get the types that Great Expectations can compare. After `close` there are `files` and the
    number of `rows` by crawl run.
    """

    def __init__(self, folder: Path, select: Select, *, keep: bool) -> None:
        self.files: dict[str, Path] = {}
        self.rows: Counter[str] = Counter()
        self._folder = folder
        self._select = select
        self._keep = keep
        self._runs: dict[str, _RunFile] = {}

    def add(self, table: pa.Table, first_row: int) -> None:
        """Write a table, whose first row has the index `first_row`."""
        for count in pc.value_counts(table[CRAWL_RUN]).to_pylist():
            self.rows[count["values"]] += count["counts"]
        if not self._keep or table.num_rows == 0:
            return
        rows = pa.chunked_array([pa.array(range(first_row, first_row + table.num_rows), pa.int64())])
        judged = pa.table({ROW: rows, URL: table[URL], **_comparable(self._select(table))})
        for run in pc.unique(table[CRAWL_RUN]).to_pylist():
            self._add(run, judged.filter(pc.equal(table[CRAWL_RUN], run)))

    def close(self) -> None:
        """Write all that is pending."""
        for run, file in self._runs.items():
            file.write()
            if file.writer is not None:
                file.writer.close()
                self.files[run] = file.path

    def _add(self, run: str, table: pa.Table) -> None:
        if not self._runs:
            self._folder.mkdir(parents=True)
        file = self._runs.setdefault(run, _RunFile(self._folder / f"{len(self._runs)}.parquet"))
        file.pending.append(table)
        file.pending_bytes += table.nbytes
        file.pending_rows += table.num_rows
        if file.pending_bytes >= GROUP_BYTES or file.pending_rows >= GROUP_ROWS:
            file.write()
        elif sum(one.pending_bytes for one in self._runs.values()) >= PENDING_BYTES:
            max(self._runs.values(), key=lambda one: one.pending_bytes).write()


def rows_of(paths: Sequence[Path], rows: Sequence[int], names: Sequence[str]) -> dict[int, dict[str, Any]]:
    """The URL of rows, and these columns of them, by the index of the row. A column that the files do not have is left out."""
    wanted = pa.array(sorted(set(rows)), pa.int64())
    found: dict[int, dict[str, Any]] = {}
    for path in paths if len(wanted) else ():
        with pq.ParquetFile(path) as file:
            there = [name for name in dict.fromkeys([ROW, URL, *names]) if name in file.schema_arrow.names]
            for batch in file.iter_batches(columns=there):
                part = batch.filter(pc.is_in(batch[ROW], wanted)).to_pylist()
                found.update((row.pop(ROW), row) for row in part)
    return found


def run_of_rows(files: Mapping[str, Path], rows: npt.NDArray[np.int64]) -> tuple[str, ...]:
    """The crawl runs that rows belong to; `files` are those of the crawl runs."""
    if len(files) == 1:
        return tuple(files)
    return tuple(run for run, path in files.items() if np.isin(rows, pq.read_table(path, columns=[ROW])[ROW].to_numpy()).any())


def _comparable(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    """Decimals as floating point, times in UTC without a zone, lists and structs as JSON."""
    return {name: _comparable_column(table[name]) for name in table.column_names}


def _comparable_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_temporal(kind):
        return column.cast(pa.timestamp("us"))  # of a time with a zone it is UTC
    if pa.types.is_nested(kind):
        texts = [None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column
