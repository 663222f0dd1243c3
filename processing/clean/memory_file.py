"""Store a site memory as one Parquet file, sorted by host bucket, and read it one bucket at a time: all hosts may not fit into memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from processing.clean.identity import bucket_of
from processing.clean.site_memory import SCHEMA, SiteMemory
from processing.staging.staging import bounded, staged_writer
from storage.objects.store import ObjectStore

GROUP_ROWS = 200_000
ORDER = b"crawlhouse.order"
BY_BUCKET = b"bucket"  # the value of ORDER in files in which no row group has hosts of two buckets


def write_memory(store: ObjectStore, key: str, memories: Iterable[SiteMemory]) -> None:
    """Write the site memories of all host buckets, one after the other."""
    with staged_writer(store, key, SCHEMA.with_metadata({ORDER: BY_BUCKET})) as writer:
        for memory in memories:
            for table in bounded([memory.to_arrow()], GROUP_ROWS):
                writer.write(table)


def read_memory(store: ObjectStore, key: str | None, bucket: int) -> SiteMemory:
    """The part of a stored site memory that has the hosts of one bucket; an empty one without a key."""
    return SiteMemory() if key is None else SiteMemory.from_arrow(*_rows(store, key, bucket))


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


def _rows(store: ObjectStore, key: str, bucket: int) -> Iterator[pa.Table]:
    with store.open(key) as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
        by_bucket = (file.schema_arrow.metadata or {}).get(ORDER) == BY_BUCKET
        for group in range(file.metadata.num_row_groups):
            if by_bucket and bucket_of(file.metadata.row_group(group).column(0).statistics.min) != bucket:
                continue
            table = file.read_row_group(group)
            hosts = [host for host in table["host"].unique().to_pylist() if bucket_of(host) == bucket]
            yield table.filter(pc.is_in(table["host"], pa.array(hosts, pa.string())))
