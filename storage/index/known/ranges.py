"""Read many small parts of one object: single reads from a local file, and few requests to S3."""

from __future__ import annotations

import os
from collections.abc import Sequence

from storage.objects.directory import DirectoryStore
from storage.objects.store import ObjectStore

GAP_BYTES = 256 * 1024  # parts that are nearer than this are one request: to read so much takes as long as another request
REQUEST_BYTES = 8 * 1024 * 1024

Range = tuple[int, int]  # offset and length in bytes


def read_ranges(store: ObjectStore, key: str, ranges: Sequence[Range]) -> list[bytes]:
    """The parts of an object, in the order of `ranges`, which is ascending. Raises StorageError if the object is not there."""
    if isinstance(store, DirectoryStore):
        with store.open(key) as stream:
            file = stream.fileno()
            return [os.pread(file, length, offset) for offset, length in ranges]
    parts: list[bytes] = []
    for group in _requests(ranges):
        start = group[0][0]
        data = store.read_range(key, start, group[-1][0] + group[-1][1] - start)
        parts += [data[offset - start : offset - start + length] for offset, length in group]
    return parts


def _requests(ranges: Sequence[Range]) -> list[list[Range]]:
    """The parts that are read by one request each."""
    groups: list[list[Range]] = []
    for one in ranges:
        last = groups[-1] if groups else None
        near = last is not None and one[0] - sum(last[-1]) <= GAP_BYTES and one[0] + one[1] - last[0][0] <= REQUEST_BYTES
        if last is not None and near:
            last.append(one)
        else:
            groups.append([one])
    return groups
