"""The keys of a run's rows while the run is written: sorted by key in pieces that fit into memory.

Some rows are only wanted if no later one is there, such as all captures of a page but the last. Entries of one `group` compete: those with
the highest `order` are in front, the others at the back, and a look-up reads the back only if a row in front is not there any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ENTRY = np.dtype([("key", "<u8"), ("group", "<u8"), ("order", "<i8"), ("row", "<u4")])
MEMORY_ENTRIES = 500_000  # 14 MB; sorting takes some times as much
PIECE_BITS = 6  # of the key: so many pieces on the disk have about 2 million entries each of a run with 6 million articles

Entries = NDArray[np.void]  # of ENTRY
SortedKeys = tuple[NDArray[np.uint64], NDArray[np.uint32]]  # keys, ascending, and the row of each


def make_entries(
    keys: NDArray[np.uint64], rows: NDArray[np.integer], order: NDArray[np.int64] | int = 0, group: NDArray[np.uint64] | None = None
) -> Entries:
    """Entries of these rows. Without a group the entries of one key compete; without an order none does."""
    entries = np.empty(len(keys), ENTRY)
    entries["key"], entries["row"], entries["order"] = keys, rows, order
    entries["group"] = keys if group is None else group
    return entries


class EntrySpill:
    """Takes entries in any order; large numbers of them are on the disk."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._pending: list[Entries] = []
        self._count = 0
        self._on_disk = False

    def add(self, entries: Entries) -> None:
        """Add entries."""
        self._pending.append(entries)
        self._count += len(entries)
        if self._count >= MEMORY_ENTRIES:
            self._write()

    def pieces(self) -> Iterator[Entries]:
        """All entries in pieces; a piece has greater keys than the ones before it."""
        if not self._on_disk:
            yield self._joined()
            return
        self._write()
        for number in range(1 << PIECE_BITS):
            path = self._path(number)
            yield np.fromfile(path, ENTRY) if path.exists() else np.empty(0, ENTRY)
            path.unlink(missing_ok=True)

    def _joined(self) -> Entries:
        joined = np.concatenate(self._pending) if self._pending else np.empty(0, ENTRY)
        self._pending, self._count = [], 0
        return joined

    def _write(self) -> None:
        entries, self._on_disk = self._joined(), True
        if not len(entries):
            return
        piece = (entries["key"] >> np.uint64(64 - PIECE_BITS)).astype(np.uint8)
        order = np.argsort(piece, kind="stable")
        entries, piece = entries[order], piece[order]
        starts = np.flatnonzero(np.append(True, piece[1:] != piece[:-1])).tolist()
        for start, end in zip(starts, [*starts[1:], len(piece)], strict=True):
            with self._path(int(piece[start])).open("ab") as file:
                entries[start:end].tofile(file)

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._name}-{number:02d}"


def front_and_back(entries: Entries) -> tuple[SortedKeys, SortedKeys]:
    """The keys and rows in front, and those at the back, each pair once."""
    if not len(entries):
        nothing = np.empty(0, np.uint64), np.empty(0, np.uint32)
        return nothing, nothing
    entries = entries[np.lexsort((entries["order"], entries["group"], entries["key"]))]
    is_last = np.append((entries["group"][1:] != entries["group"][:-1]) | (entries["key"][1:] != entries["key"][:-1]), True)
    lasts = np.flatnonzero(is_last)
    highest = entries["order"][lasts][np.searchsorted(lasts, np.arange(len(entries)))]
    is_front = entries["order"] == highest
    front = _distinct(entries[is_front])
    if is_front.all():
        return front, (np.empty(0, np.uint64), np.empty(0, np.uint32))
    back = _distinct(entries[~is_front])
    return front, _without(back, front)


def in_order(entries: Entries) -> SortedKeys:
    """The keys and rows, those of equal keys by `order`."""
    entries = entries[np.lexsort((entries["row"], entries["order"], entries["key"]))]
    return entries["key"].copy(), entries["row"].copy()


def _distinct(entries: Entries) -> SortedKeys:
    entries = entries[np.lexsort((entries["row"], entries["key"]))]
    keys, rows = entries["key"].copy(), entries["row"].copy()
    is_new = np.append(True, (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])) if len(keys) else np.empty(0, bool)
    return keys[is_new], rows[is_new]


def _without(some: SortedKeys, others: SortedKeys) -> SortedKeys:
    """Some pairs without those that are among others: a row may be in front for one of its groups and at the back for another."""
    both_keys, both_rows = np.concatenate((others[0], some[0])), np.concatenate((others[1], some[1]))
    order = np.lexsort((both_rows, both_keys))
    repeats = np.append(False, (both_keys[order][1:] == both_keys[order][:-1]) & (both_rows[order][1:] == both_rows[order][:-1]))
    repeated = np.zeros(len(both_keys), bool)
    repeated[order[repeats]] = True
    stays = ~repeated[len(others[0]) :]
    return some[0][stays], some[1][stays]
