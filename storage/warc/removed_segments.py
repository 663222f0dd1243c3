"""Which crawl runs have no WARC segments any more, because their crawl keeps its archive for a time only.

The list is one small object in the store. It is written before segments are deleted, so nobody looks for bytes that may be gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from storage.objects.store import ObjectStore

KEY = "removed_segments.json"


class RunRange(msgspec.Struct, frozen=True):
    """The runs of a crawl from `first` to `last`. The segments of those up to `deleted` are deleted, the others are about to be.

    The names of a crawl's runs sort in the order in which they were planned.
    """

    first: str
    last: str
    deleted: str = ""


@dataclass(frozen=True, slots=True)
class RemovedSegments:
    """The crawl runs whose segments are removed."""

    ranges: tuple[RunRange, ...] = ()

    def covers(self, crawl_run: str) -> bool:
        """Whether the segments of a crawl run are removed."""
        return any(one.first <= crawl_run <= one.last for one in self.ranges)

    def with_range(self, new: RunRange) -> RemovedSegments:
        """The same with a range, in place of the one that begins with the same run."""
        return RemovedSegments((*(one for one in self.ranges if one.first != new.first), new))


def prefix_of(crawl_run: str) -> str:
    """What the names of all runs of a crawl begin with, by its name of then; behind it stand the time and the key."""
    return crawl_run.rsplit("-", 2)[0]


def read_removed(store: ObjectStore) -> RemovedSegments:
    """The list of a store; empty if nothing was ever removed. Raises StorageError."""
    if store.info(KEY) is None:
        return RemovedSegments()
    return RemovedSegments(msgspec.json.decode(store.get_bytes(KEY), type=tuple[RunRange, ...]))


def write_removed(store: ObjectStore, removed: RemovedSegments) -> None:
    """Replace the list. Only one process may do it at a time."""
    store.put_bytes(KEY, msgspec.json.encode(removed.ranges))
