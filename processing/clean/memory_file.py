"""Store a site memory as one Parquet file, sorted by host bucket, and read it one bucket at a time: all hosts may not fit into memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.clean.cleaning import LEARNED_COLUMNS, learn_rows
from processing.clean.identity import BUCKETS, bucket_of
from processing.clean.site_memory import SCHEMA, SiteMemory
from processing.staging.bucket_parts import read_part
from processing.staging.staging import SMALL, bounded, staged_writer
from storage.objects.store import ObjectStore

GROUP_ROWS = 200_000
ORDER = b"crawlhouse.order"
BY_BUCKET = b"bucket"  # the value of ORDER in files in which no row group has hosts of two buckets


def write_memory(store: ObjectStore, key: str, memories: Iterable[SiteMemory | Iterable[pa.Table]]) -> None:
    """Write the site memories of all host buckets, one after the other, each a memory or what `stored_rows` gives of it."""
    with staged_writer(store, key, SCHEMA.with_metadata({ORDER: BY_BUCKET}), SMALL) as writer:
        for memory in memories:
            tables = [memory.to_arrow()] if isinstance(memory, SiteMemory) else memory
            for table in bounded(tables, GROUP_ROWS):
                writer.write(table)


def read_memory(store: ObjectStore, key: str | None, bucket: int) -> SiteMemory:
    """The part of a stored site memory that has the hosts of one bucket; an empty one without a key."""
    return SiteMemory.from_arrow(*stored_rows(store, key, bucket))


def read_memory_of(store: ObjectStore, key: str | None, hosts: Collection[str]) -> SiteMemory:
    """The part of a stored site memory that has some hosts; an empty one without a key."""
    if key is None:
        return SiteMemory()
    return SiteMemory.from_arrow(*_rows_of(store, key, {bucket_of(host) for host in hosts}, pa.array(sorted(hosts), pa.string())))


def learned_memory(
    store: ObjectStore, key: str | None, staged: Sequence[str], parts: Sequence[range]
) -> Iterator[SiteMemory | Iterator[pa.Table]]:
    """For `write_memory`: a stored site memory, and what it learns of the articles in staged files, whose parts are given."""
    in_parts = {part.start: part for part in parts}
    bucket = 0
    while bucket < BUCKETS:
        part = in_parts.get(bucket, range(bucket, bucket + 1))
        rows = read_part(store, staged, part, LEARNED_COLUMNS)
        if part.start not in in_parts:
            yield stored_rows(store, key, bucket)
        elif len(part) == 1:
            yield _learned(read_memory(store, key, bucket), rows)
        else:
            yield from _learned_each(store, key, part, rows)
        bucket = part.stop


def _learned(memory: SiteMemory, tables: Iterable[pa.Table]) -> SiteMemory:
    for table in tables:
        learn_rows(table, memory)
    return memory


def _learned_each(store: ObjectStore, key: str | None, part: range, tables: Iterable[pa.Table]) -> Iterator[SiteMemory]:
    rows = pa.concat_tables(tables)  # sorted by bucket
    bounds = np.searchsorted(rows["bucket"].to_numpy(), [*part, part.stop]).tolist()
    for bucket, (start, end) in zip(part, pairwise(bounds), strict=True):
        yield _learned(read_memory(store, key, bucket), [rows.slice(start, end - start)])


def stored_rows(store: ObjectStore, key: str | None, bucket: int) -> Iterator[pa.Table]:
    """The rows of a stored site memory about the hosts of one bucket; none without a key."""
    return iter(()) if key is None else _rows_of(store, key, {bucket})


def read_containers(store: ObjectStore, key: str | None) -> dict[str, tuple[str, ...]]:
    """The containers in which hosts have their articles, for all hosts of a stored site memory; none without a key."""
    return {} if key is None else SiteMemory.from_arrow(*_container_rows(store, key)).all_containers()


def _container_rows(store: ObjectStore, key: str) -> Iterator[pa.Table]:
    with store.open(key) as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
        column = file.schema_arrow.get_field_index("container")
        for group in range(file.metadata.num_row_groups) if column >= 0 else ():
            statistics = file.metadata.row_group(group).column(column).statistics
            if statistics is None or statistics.null_count < file.metadata.row_group(group).num_rows:
                table = file.read_row_group(group)
                yield table.filter(pc.is_valid(table["container"]))


def _rows_of(store: ObjectStore, key: str, buckets: Collection[int], hosts: pa.Array | None = None) -> Iterator[pa.Table]:
    """The rows about the hosts of some buckets, or about some of these hosts."""
    with store.open(key) as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
        by_bucket = (file.schema_arrow.metadata or {}).get(ORDER) == BY_BUCKET
        for group in range(file.metadata.num_row_groups):
            if by_bucket and bucket_of(file.metadata.row_group(group).column(0).statistics.min) not in buckets:
                continue
            table = file.read_row_group(group)
            if hosts is not None:
                yield table.filter(pc.is_in(table["host"], hosts))
            elif by_bucket:
                yield table
            else:
                found = [host for host in table["host"].unique().to_pylist() if bucket_of(host) in buckets]
                yield table.filter(pc.is_in(table["host"], pa.array(found, pa.string())))
