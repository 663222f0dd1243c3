"""Small host buckets share a part, a large one has its own; a part is read in the order of its buckets, then of the files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from processing.clean.cleaning import LEARNED_COLUMNS
from processing.clean.identity import BUCKETS, bucket_of
from processing.clean.memory_file import learned_memory, read_memory, read_memory_of, write_memory
from processing.clean.site_memory import SiteMemory
from processing.staging import bucket_parts
from processing.staging.bucket_parts import JOINED_ROWS, joined, parts_of, read_part
from processing.staging.staging import EXTRACTED, GROUP_ROWS, blocks_of, staged_writer
from schemas.config.settings import Settings
from storage.objects.open import open_store
from storage.objects.store import ObjectStore

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
SCHEMA = pa.schema([EXTRACTED.field(name) for name in LEARNED_COLUMNS])


def rows(bucket: int, count: int, host: str = "a.example", text: str = "") -> pa.Table:
    blocks = [{"kind": "paragraph", "text": f"{text} of every page", "level": None, "link_density": 0.0}]
    columns = {
        "bucket": [bucket] * count, "host": [host] * count, "url": [f"https://{host}/{number}" for number in range(count)],
        "fetched_at": [BEGIN + timedelta(minutes=number) for number in range(count)], "container": ["div"] * count,
        "blocks": [[*blocks, {**blocks[0], "text": f"Own {number}"}] if text else None for number in range(count)],
    }  # fmt: skip
    return pa.table([pa.array(columns[one.name], one.type) for one in SCHEMA], schema=SCHEMA)


def stage(store: ObjectStore, key: str, buckets: Iterable[pa.Table]) -> str:
    with staged_writer(store, key, SCHEMA) as writer:
        for table in joined([one] for one in buckets):
            writer.write(table)
    return key


def found(store: ObjectStore, keys: list[str], part: range) -> list[tuple[int, int]]:
    """Buckets and rows as they are read, one after the other."""
    read = [table["bucket"].to_pylist() for table in read_part(store, keys, part, ["bucket", "host"])]
    order = [bucket for table in read for bucket in table]
    return [(bucket, order.count(bucket)) for bucket in dict.fromkeys(order)] if order == sorted(order) else []


def test_small_buckets_share_a_part_and_a_large_one_has_its_own(sqlite_settings: Settings) -> None:
    store = open_store(sqlite_settings)
    small = {3: 40, 4: 50, 9: 10}
    keys = [
        stage(store, "one.parquet", [*(rows(bucket, count) for bucket, count in small.items()), rows(20, GROUP_ROWS + 1), rows(60, 2)]),
        stage(store, "two.parquet", [rows(bucket, count) for bucket, count in small.items()]),
        stage(store, "none.parquet", []),
    ]

    parts = parts_of(store, keys)

    assert parts == [range(3, 10), range(20, 21), range(60, 61)]
    assert [found(store, keys, part) for part in parts] == [[(3, 80), (4, 100), (9, 20)], [(20, GROUP_ROWS + 1)], [(60, 2)]]
    assert parts_of(store, [keys[-1]]) == []


def test_row_groups_have_several_small_buckets_and_are_bounded(sqlite_settings: Settings) -> None:
    store = open_store(sqlite_settings)
    key = stage(store, "some.parquet", [rows(bucket, JOINED_ROWS // 2) for bucket in range(5)] + [rows(7, 2 * GROUP_ROWS)])
    with store.open(key) as stream, pq.ParquetFile(stream) as file:
        groups = [file.read_row_group(number)["bucket"].unique().to_pylist() for number in range(file.metadata.num_row_groups)]
        sizes = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]

    assert groups[:2] == [[0, 1], [2, 3]]
    assert max(sizes) <= GROUP_ROWS
    assert sum(sizes) == 5 * JOINED_ROWS // 2 + 2 * GROUP_ROWS


def test_parts_are_bounded_by_their_bytes_too(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(sqlite_settings)
    key = stage(store, "some.parquet", [rows(bucket, JOINED_ROWS) for bucket in range(4)])
    assert parts_of(store, [key]) == [range(4)]
    monkeypatch.setattr(bucket_parts, "PART_BYTES", 1)

    assert parts_of(store, [key]) == [range(bucket, bucket + 1) for bucket in range(4)]


def test_a_memory_learns_by_parts_what_it_learns_host_by_host(sqlite_settings: Settings) -> None:
    store = open_store(sqlite_settings)
    hosts = sorted((f"site{number}.example" for number in range(40)), key=bucket_of)
    later = [hosts[2], hosts[30]]  # these have pages in a second file too
    tables = [rows(bucket_of(host), 4, host, f"Menu {host}") for host in hosts]
    keys = [stage(store, "one.parquet", tables), stage(store, "two.parquet", [rows(bucket_of(host), 6, host, "Later") for host in later])]
    expected = SiteMemory()
    for row in [row for table in tables for row in table.to_pylist()]:
        expected.learn(row["host"], row["url"], blocks_of(row["blocks"]), row["fetched_at"], row["container"])

    write_memory(store, "first", learned_memory(store, None, keys[:1], parts_of(store, keys[:1])))
    write_memory(store, "second", learned_memory(store, "first", keys[1:], parts_of(store, keys[1:])))

    stored = [read_memory(store, "first", bucket).to_arrow() for bucket in range(BUCKETS)]
    assert pa.concat_tables(stored).sort_by("host").equals(expected.to_arrow().sort_by("host"))
    assert read_memory_of(store, "first", hosts[:3]).to_arrow()["host"].unique().to_pylist() == sorted(hosts[:3])
    assert read_memory_of(store, "second", [hosts[5]]).to_arrow().equals(read_memory_of(store, "first", [hosts[5]]).to_arrow())
    assert read_memory_of(store, "second", later).to_arrow().num_rows > read_memory_of(store, "first", later).to_arrow().num_rows
    assert read_memory_of(store, None, later).to_arrow().num_rows == 0
