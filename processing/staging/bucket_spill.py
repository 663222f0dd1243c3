"""Sort rows by host bucket on the local disk: those of a segment may be too many for memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa

SPILL_FILE = "spill.arrow"


class BucketSpill:
    """Takes rows with a column `bucket` in any order and gives them back bucket by bucket.

    Within a bucket rows keep the order in which they were added. In memory are the rows of one `add`, and the first `memory_bytes` of all:
    so those of a small segment are not written at all.
    """

    def __init__(self, folder: Path, schema: pa.Schema, memory_bytes: int = 0) -> None:
        self.schema = schema
        self._memory_left = memory_bytes
        self._held: list[pa.RecordBatch] = []  # the first batches; the others are in the file
        self._file = pa.OSFile(str(folder / SPILL_FILE), "wb")
        self._writer = pa.ipc.new_file(self._file, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))
        self._path = folder / SPILL_FILE
        self._batches: dict[int, list[int]] = {}
        self._count = 0

    def add(self, rows: pa.Table) -> None:
        """Add rows."""
        buckets = rows["bucket"].to_numpy()
        order = np.argsort(buckets, kind="stable")
        ordered = rows.take(pa.array(order)).combine_chunks()
        is_held = ordered.nbytes <= self._memory_left
        self._memory_left = self._memory_left - ordered.nbytes if is_held else 0  # what comes after a written batch is written
        starts = np.flatnonzero(np.diff(buckets[order], prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
            self._batches.setdefault(int(buckets[order[start]]), []).append(self._count)
            batch = ordered.slice(start, end - start).to_batches()[0]
            if is_held:
                self._held.append(batch)
            else:
                self._writer.write_batch(batch)
            self._count += 1

    def finish(self) -> None:
        """Close the file: all rows are added."""
        self._writer.close()
        self._file.close()

    @property
    def buckets(self) -> list[int]:
        """The buckets that have rows, sorted."""
        return sorted(self._batches)

    def read(self, bucket: int) -> Iterator[pa.Table]:
        """The rows of a bucket in the order in which they were added. Call it after `finish`."""
        with pa.OSFile(str(self._path)) as file, pa.ipc.open_file(file) as reader:
            for number in self._batches.get(bucket, []):
                yield self._table(reader, number)

    def by_bucket(self) -> Iterator[Iterator[pa.Table]]:
        """The same of one bucket after the other, with the file opened once. Take the rows of a bucket before the next one."""
        with pa.OSFile(str(self._path)) as file, pa.ipc.open_file(file) as reader:
            for bucket in self.buckets:
                yield (self._table(reader, number) for number in self._batches[bucket])

    def _table(self, reader: pa.ipc.RecordBatchFileReader, number: int) -> pa.Table:
        held = len(self._held)
        return pa.Table.from_batches([self._held[number] if number < held else reader.get_batch(number - held)])

    def __enter__(self) -> BucketSpill:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._file.closed:
            self.finish()
