"""The data files of a run's tables, written before its commit: a file for each part of the rows, each written once.

A part is the rows of some host buckets. Its file is named by a digest of its rows: where these are decided again, because another crawl
published meanwhile, only the parts with other rows are written again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table

from processing.clean.identity import BUCKETS, bucket_of
from processing.publish.commit_run import CHUNK_BYTES, CHUNK_ROWS
from processing.staging.staging import bounded, read_rows
from runtime.failpoint import reached
from storage.lake.lake import Lake
from storage.lake.upkeep.waiting import get_waiting, put_waiting
from storage.objects.store import ObjectStore

IN_BUCKETS = frozenset({"captures", "articles"})  # staged one host bucket after the other


Files = dict[str, list[DataFile]]  # by table
Digests = dict[str, list[str]]  # of the rows of each part, by the UUID of their table


def write_run_files(process_run: str, keys: Mapping[str, str], tables: Mapping[str, Table], store: ObjectStore, lake: Lake) -> Digests:
    """Write the data files with the rows of each table, `keys` being the staged rows by table. What is written already stays.

    Returns the digests by which `run_files` finds them. Raises StorageError.
    """
    digests: Digests = {}
    for name, key in keys.items():
        made = digests[str(tables[name].metadata.table_uuid)] = []
        for rows in _parts(store, key, name):
            made.append(_digest(tables[name], rows))
            _files_of(process_run, tables[name], rows, made[-1], store, lake)
    return digests


def run_files(
    process_run: str, keys: Mapping[str, str], tables: Mapping[str, Table], digests: Digests, store: ObjectStore, lake: Lake
) -> Files:
    """The data files with the rows of each table. Rows are read again only where files are missing, which are then written.

    Raises StorageError.
    """
    return {name: _table_files(process_run, tables[name], key, digests, store, lake) for name, key in keys.items()}


def _table_files(process_run: str, table: Table, key: str, digests: Digests, store: ObjectStore, lake: Lake) -> list[DataFile]:
    known = digests.get(str(table.metadata.table_uuid))
    found = [_written(process_run, table, digest, store) for digest in known or ()]
    if known is not None and None not in found:
        return [file for files in found for file in files or ()]
    parts = _parts(store, key, str(table.name()[-1]))
    return [file for rows in parts for file in _files_of(process_run, table, rows, _digest(table, rows), store, lake)]


def _written(process_run: str, table: Table, digest: str, store: ObjectStore) -> list[DataFile] | None:
    """The files that are written for the rows of a digest; None if any is missing."""
    files = get_waiting(store, process_run, str(table.name()[-1]), digest)
    return files if files is not None and all(table.io.new_input(file.file_path).exists() for file in files) else None


def _files_of(process_run: str, table: Table, rows: pa.Table, digest: str, store: ObjectStore, lake: Lake) -> list[DataFile]:
    files = _written(process_run, table, digest, store)
    if files is None:
        name = str(table.name()[-1])
        files = lake.write(table, [rows])
        reached(f"publish.written.{name}")
        put_waiting(store, process_run, name, digest, files)
    return files


def _parts(store: ObjectStore, key: str, name: str) -> Iterator[pa.Table]:
    """The staged rows in tables of bounded size; a table has rows of one part only."""
    if name not in IN_BUCKETS:
        yield from bounded(read_rows(store, key), CHUNK_ROWS, CHUNK_BYTES)
        return
    count = _part_count(store, key)
    pending: list[pa.Table] = []
    last = size = 0  # bytes of what is pending
    for part, rows in _by_part(read_rows(store, key), count):
        if part != last:
            yield from bounded(pending, CHUNK_ROWS, CHUNK_BYTES)
            pending, size = [], 0
        last = part
        pending.append(rows)
        size += rows.nbytes
        if size > CHUNK_BYTES:
            *full, rest = bounded(pending, CHUNK_ROWS, CHUNK_BYTES)
            yield from full
            pending, size = [rest], rest.nbytes
    yield from bounded(pending, CHUNK_ROWS, CHUNK_BYTES)


def _part_count(store: ObjectStore, key: str) -> int:
    """In how many parts the rows are divided: a power of two, so that a few rows more or less divide them in the same way."""
    with store.open(key) as stream, pq.ParquetFile(stream) as file:
        groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    needed = max(sum(one.total_byte_size for one in groups) / CHUNK_BYTES, sum(one.num_rows for one in groups) / CHUNK_ROWS)
    count = 1
    while count < min(needed, BUCKETS):
        count *= 2
    return count


def _by_part(tables: Iterable[pa.Table], count: int) -> Iterator[tuple[int, pa.Table]]:
    """The rows with the number of their part, split where it changes."""
    for table in tables:
        hosts = table["host"].combine_chunks().dictionary_encode()
        of_host = pa.array([bucket_of(host) * count // BUCKETS for host in hosts.dictionary.to_pylist()], pa.int32())
        parts = of_host.take(hosts.indices)
        ends = [*(pc.indices_nonzero(pc.not_equal(parts[1:], parts[:-1])).to_numpy() + 1).tolist(), table.num_rows]
        start = 0
        for end in ends:
            if end > start:
                yield parts[start].as_py(), table.slice(start, end - start)
            start = end


class _Digest:
    """A file that keeps a digest of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits to be written."""

    def close(self) -> None:
        self.closed = True

    def value(self) -> str:
        return self._hash.hexdigest()


def _digest(table: Table, rows: pa.Table) -> str:
    """A digest of the rows and of the table that they are for: 32 hex digits of BLAKE2b."""
    digest = _Digest()
    digest.write(str(table.metadata.table_uuid).encode())
    whole = rows.combine_chunks()
    with pa.ipc.new_stream(pa.PythonFile(digest, mode="w"), whole.schema) as stream:
        stream.write_table(whole)
    return digest.value()
