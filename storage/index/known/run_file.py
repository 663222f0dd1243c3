"""One run of the known index: the rows of some data files, and the keys that lead to them.

`ID.bin` is: the rows, in blocks of BLOCK_ROWS rows (Arrow record batches without their schema), with the offset of each block; then, for
each list of keys, the sorted keys (64 bits), the row of each key (32 bits), and every FENCE_KEYS-th key, by which a look-up finds the
blocks that it must read.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from storage.index.known.entries import Entries, EntrySpill, SortedKeys, front_and_back, in_order
from storage.index.known.ranges import Range, read_ranges
from storage.objects.store import ObjectStore

BLOCK_ROWS = 64  # a look-up reads whole blocks; more rows would read more, fewer would have more offsets
FENCE_KEYS = 256  # keys between two fences: 2 kB are read for each key that is looked up
LOOKED_UP_KEYS = 1_000  # at a time: in a large index each key has a block of its own
COPY_BYTES = 1024 * 1024
FRONT, BACK, BANDS = "front", "back", "bands"  # the lists of keys
FILE_COLUMN = "file"  # of a row: the number of its data file among the run's

Matches = tuple[NDArray[np.int64], NDArray[np.uint32]]  # which of the wanted keys, and the row


@dataclass(frozen=True, slots=True)
class KeyList:
    """Where a list of keys is in the object: the number of keys, and the offsets of its three arrays."""

    count: int
    keys: int
    rows: int
    fences: int


@dataclass(frozen=True, slots=True)
class RunMark:
    """The completion mark of a run. `files` are the data files whose rows it has, `replaces` the runs that it was merged from."""

    run_id: str
    table: str
    form: str
    made_at: float
    files: tuple[str, ...]
    counts: tuple[int, ...]  # of the rows of each file
    row_count: int
    schema: str  # base64 of Arrow's form
    offsets: int  # where the offsets of the blocks are
    lists: Mapping[str, KeyList]
    replaces: tuple[str, ...] = field(default=())

    def to_json(self) -> bytes:
        """The mark as it is stored."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> RunMark:
        """The mark that `to_json` wrote."""
        values = json.loads(data)
        lists = {name: KeyList(**one) for name, one in values["lists"].items()}
        return cls(
            **{
                **values,
                "files": tuple(values["files"]),
                "counts": tuple(values["counts"]),
                "replaces": tuple(values["replaces"]),
                "lists": lists,
            }
        )


class RunWriter:
    """Writes `ID.bin` to a local file. Only the rows of one `add`, and MEMORY_ENTRIES keys, are in memory."""

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.path = folder / "run.bin"
        self.row_count = 0
        self._schema = schema
        self._folder = folder
        self._file: BinaryIO = self.path.open("wb")
        self._offsets: list[int] = [0]
        self._counts: Counter[int] = Counter()
        self._pending: list[pa.Table] = []
        self._pending_rows = 0
        self._spills = {name: EntrySpill(folder, name) for name in (FRONT, BANDS)}

    def add(self, rows: pa.Table, entries: Mapping[str, Entries]) -> None:
        """Add rows. The numbers of rows in `entries` count from the first of these rows; their lists are FRONT and BANDS."""
        for name, some in entries.items():
            some["row"] += self.row_count
            self._spills[name].add(some)
        self.row_count += rows.num_rows
        self._counts.update(rows[FILE_COLUMN].to_pylist())
        self._pending.append(rows.select(self._schema.names).cast(self._schema))
        self._pending_rows += rows.num_rows
        if self._pending_rows >= 64 * BLOCK_ROWS:
            self._write_blocks(is_last=False)

    def finish(self) -> tuple[int, dict[str, KeyList]]:
        """Write what is left and the keys; where the offsets of the blocks and the lists are."""
        self._write_blocks(is_last=True)
        offsets = self._put(np.array(self._offsets, np.uint64))
        with ExitStack() as stack:
            lists = {name: stack.enter_context(_ListFiles(self._folder, name)) for name in (FRONT, BACK, BANDS)}
            for piece in self._spills[FRONT].pieces():
                for name, keys in zip((FRONT, BACK), front_and_back(piece), strict=True):
                    lists[name].add(keys)
            for piece in self._spills[BANDS].pieces():
                lists[BANDS].add(in_order(piece))
            places = {name: one.copy_to(self._file) for name, one in lists.items()}
        self._file.close()
        return offsets, places

    def counts(self, files: int) -> tuple[int, ...]:
        """The number of rows of each file."""
        return tuple(self._counts[number] for number in range(files))

    def _write_blocks(self, *, is_last: bool) -> None:
        if not self._pending:
            return
        rows = pa.concat_tables(self._pending).combine_chunks()
        whole = rows.num_rows if is_last else rows.num_rows - rows.num_rows % BLOCK_ROWS
        for start in range(0, whole, BLOCK_ROWS):
            for batch in rows.slice(start, min(BLOCK_ROWS, whole - start)).combine_chunks().to_batches():
                self._file.write(batch.serialize())
            self._offsets.append(self._file.tell())
        self._pending = [rows.slice(whole)] if whole < rows.num_rows else []
        self._pending_rows = rows.num_rows - whole

    def _put(self, array: NDArray[np.unsignedinteger]) -> int:
        place = self._file.tell()
        self._file.write(array.tobytes())
        return place


class _ListFiles:
    """A list of keys while it is written: its arrays are in files of their own, because they may not fit into memory."""

    def __init__(self, folder: Path, name: str) -> None:
        self._files = [(folder / f"{name}.{part}").open("w+b") for part in ("keys", "rows", "fences")]
        self._count = 0

    def add(self, pairs: SortedKeys) -> None:
        """Add keys that are greater than all before."""
        keys, rows = pairs
        fences = keys[-self._count % FENCE_KEYS :: FENCE_KEYS]
        for file, data in zip(self._files, (keys.tobytes(), rows.tobytes(), fences.tobytes()), strict=True):
            file.write(data)
        self._count += len(keys)

    def copy_to(self, out: BinaryIO) -> KeyList:
        """Append the three arrays to a file; where they are."""
        places = []
        for file in self._files:
            places.append(out.tell())
            file.seek(0)
            shutil.copyfileobj(file, out, COPY_BYTES)
        return KeyList(self._count, *places)

    def __enter__(self) -> _ListFiles:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()


@dataclass(frozen=True)
class OpenRun:
    """A run that is read."""

    mark: RunMark
    key: str
    store: ObjectStore

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of its rows."""
        return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(self.mark.schema)))

    @cached_property
    def _block_offsets(self) -> NDArray[np.uint64]:
        blocks = -(-self.mark.row_count // BLOCK_ROWS)
        return self._arrays([(self.mark.offsets, 8 * (blocks + 1))], np.uint64)

    @cached_property
    def _fences(self) -> dict[str, NDArray[np.uint64]]:
        return {
            name: self._arrays([(one.fences, 8 * -(-one.count // FENCE_KEYS))], np.uint64)
            for name, one in self.mark.lists.items()
            if one.count
        }

    def find(self, name: str, wanted: NDArray[np.uint64]) -> Matches:
        """The rows that a list of keys has for these keys, which are ascending and each there once."""
        starts = range(0, len(wanted), LOOKED_UP_KEYS)
        parts = [(start, self._find(name, wanted[start : start + LOOKED_UP_KEYS])) for start in starts]
        if not parts:
            return np.empty(0, np.int64), np.empty(0, np.uint32)
        return np.concatenate([which + start for start, (which, _) in parts]), np.concatenate([rows for _, (_, rows) in parts])

    def _find(self, name: str, wanted: NDArray[np.uint64]) -> Matches:
        found = self.mark.lists[name]
        if not found.count:
            return np.empty(0, np.int64), np.empty(0, np.uint32)
        blocks = _blocks(self._fences[name], wanted)
        keys = self._arrays([_part(found.keys, block, found.count, 8) for block in blocks.tolist()], np.uint64)
        first, last = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
        counts = last - first
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        places = np.repeat(first, counts) + within  # in the blocks that were read
        which = np.repeat(np.arange(len(wanted)), counts)
        if not len(places):
            return which, np.empty(0, np.uint32)
        hit, position = np.unique(places // FENCE_KEYS, return_inverse=True)
        rows = self._arrays([_part(found.rows, block, found.count, 4) for block in blocks[hit].tolist()], np.uint32)
        return which, rows[position * FENCE_KEYS + places % FENCE_KEYS]

    def rows(self, numbers: NDArray[np.integer]) -> pa.Table:
        """The rows with these numbers, which are ascending and each there once."""
        blocks, position = np.unique(numbers // BLOCK_ROWS, return_inverse=True)
        if not len(blocks):
            return self.schema.empty_table()
        offsets = self._block_offsets
        ranges = [(int(offsets[block]), int(offsets[block + 1] - offsets[block])) for block in blocks.tolist()]
        tables = pa.Table.from_batches(self._batches(ranges), self.schema)
        return tables.take(pa.array(position * BLOCK_ROWS + numbers % BLOCK_ROWS))

    def all_rows(self, rows: int = 64 * BLOCK_ROWS) -> Iterator[pa.Table]:
        """All rows in tables of at most so many rows."""
        for start in range(0, self.mark.row_count, rows):
            yield self.rows(np.arange(start, min(start + rows, self.mark.row_count)))

    def _batches(self, ranges: Sequence[Range]) -> Iterable[pa.RecordBatch]:
        for part in read_ranges(self.store, self.key, ranges):
            yield pa.ipc.read_record_batch(pa.py_buffer(part), self.schema)

    def _arrays(self, ranges: Sequence[Range], kind: type[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
        return np.frombuffer(b"".join(read_ranges(self.store, self.key, ranges)), kind)


def schema_text(schema: pa.Schema) -> str:
    """A schema as a mark has it."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def _blocks(fences: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The blocks that may have the keys. One key may go over several."""
    first = np.maximum(np.searchsorted(fences, wanted, "left") - 1, 0)
    last = np.maximum(np.searchsorted(fences, wanted, "right") - 1, 0)
    wide = [np.arange(first[one], last[one]) for one in np.flatnonzero(last - first > 1)]
    return np.unique(np.concatenate((first, last, *wide)))


def _part(start: int, block: int, count: int, size: int) -> Range:
    first = block * FENCE_KEYS
    return start + first * size, min(FENCE_KEYS, count - first) * size
