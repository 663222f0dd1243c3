"""Parts of a run: some host buckets that follow one another, whose staged rows are cleaned and kept together.

A file for each of 64 buckets would cost a small run more than its rows. So small buckets share a part, and a large one has its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.staging.staging import GROUP_ROWS, bounded
from storage.objects.store import ObjectStore

PART_BYTES = 8 * 1024 * 1024  # of the rows of several buckets, about: they are in memory together
JOINED_ROWS = 128  # in a row group with rows of several buckets: the others of them are read in vain by who wants one bucket


def joined(buckets: Iterable[Iterable[pa.Table]]) -> Iterator[pa.Table]:
    """The rows of one bucket after the other as row groups. Only those of small buckets are joined."""
    pending: list[pa.Table] = []
    for tables in buckets:
        for table in tables:
            pending.append(table)
            if sum(one.num_rows for one in pending) >= GROUP_ROWS:
                *full, rest = bounded(pending)
                yield from full
                pending = [rest]
        if sum(one.num_rows for one in pending) >= JOINED_ROWS:
            yield from bounded(pending)
            pending = []
    yield from bounded(pending)


def parts_of(store: ObjectStore, keys: Sequence[str]) -> list[range]:
    """The parts of staged files: all their buckets in order, as ranges from the first to the last that has rows."""
    rows: Counter[int] = Counter()
    sizes: Counter[int] = Counter()
    for key in keys:
        _count(store, key, rows, sizes)
    parts: list[range] = []
    for bucket in sorted(rows):
        together = range(parts[-1].start, bucket + 1) if parts else range(bucket, bucket + 1)
        if parts and _total(rows, together) <= GROUP_ROWS and _total(sizes, together) <= PART_BYTES:
            parts[-1] = together
        else:
            parts.append(range(bucket, bucket + 1))
    return parts


def read_part(store: ObjectStore, keys: Sequence[str], part: range, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The rows of a part, in the order of the buckets, then of the files; in row groups. `columns` must have `bucket`."""
    tables = (table for key in keys for table in _read(store, key, part, columns))
    if len(part) == 1:
        yield from tables
        return
    rows = pa.concat_tables(tables)
    yield from bounded([rows.take(pa.array(np.argsort(rows["bucket"].to_numpy(), kind="stable")))])


def _read(store: ObjectStore, key: str, part: range, columns: Sequence[str] | None) -> Iterator[pa.Table]:
    with store.open(key) as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
        column = file.schema_arrow.get_field_index("bucket")
        for group in range(file.metadata.num_row_groups):
            metadata = file.metadata.row_group(group)
            if not metadata.num_rows:  # a segment without records; such a group has no statistics
                continue
            statistics = metadata.column(column).statistics
            if statistics.min > part[-1] or statistics.max < part[0]:
                continue
            table = file.read_row_group(group, columns=columns)
            if statistics.min < part[0] or statistics.max > part[-1]:
                table = table.filter(pc.and_(pc.greater_equal(table["bucket"], part[0]), pc.less_equal(table["bucket"], part[-1])))
            yield table


def _count(store: ObjectStore, key: str, rows: Counter[int], sizes: Counter[int]) -> None:
    """Add the rows of each bucket, and about how many bytes they are in memory."""
    with store.open(key) as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
        for group in range(file.metadata.num_row_groups):
            metadata = file.metadata.row_group(group)
            for found in file.read_row_group(group, columns=["bucket"])["bucket"].value_counts().to_pylist():
                rows[found["values"]] += found["counts"]
                sizes[found["values"]] += metadata.total_byte_size * found["counts"] // metadata.num_rows


def _total(counts: Mapping[int, int], part: range) -> int:
    return sum(counts[bucket] for bucket in part)
