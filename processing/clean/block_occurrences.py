"""Which pages of one host showed which blocks, and when: sorted arrays of digests, about 24 bytes per occurrence."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MAX_OCCURRENCES = 8  # URLs kept per block, the latest: `site_memory.LONG_RECURRENCE` needs fewer
MAX_PAGES = 20_000  # URLs kept per host, the latest: bounds the memory that one host takes
MAX_AGE_SECONDS = 90 * 86_400  # an occurrence this much older than the host's latest page does not count: sites change their templates
MAX_PENDING = 100_000  # unsorted occurrences; they are merged when there are more

Digests = NDArray[np.uint64]
Seconds = NDArray[np.int64]  # since the epoch


class HostOccurrences:
    """The block occurrences of one host. Pages and blocks are 64-bit digests, times are seconds since the epoch."""

    def __init__(self) -> None:
        self._pages: Digests = np.empty(0, np.uint64)  # sorted
        self._page_times: Seconds = np.empty(0, np.int64)
        self._blocks: Digests = np.empty(0, np.uint64)  # sorted, then by URL
        self._urls: Digests = np.empty(0, np.uint64)
        self._times: Seconds = np.empty(0, np.int64)
        self._new_pages = array("Q"), array("q")
        self._new_blocks = array("Q"), array("Q"), array("q")
        self._recent_before: Seconds = np.zeros(1, np.int64)  # how many occurrences before each position are recent

    def add(self, page: int, blocks: set[int], seen: int) -> None:
        """Add a page with its blocks."""
        _extend(self._new_pages, ([page], [seen]))
        _extend(self._new_blocks, (blocks, [page] * len(blocks), [seen] * len(blocks)))
        if len(self._new_blocks[0]) >= max(MAX_PENDING, len(self._blocks)):
            self._merge_pending()

    def add_all(self, pages: Digests, page_times: Seconds, blocks: Digests, urls: Digests, times: Seconds) -> None:
        """Add pages and occurrences given as arrays."""
        for pending, values in zip((*self._new_pages, *self._new_blocks), (pages, page_times, blocks, urls, times), strict=True):
            pending.frombytes(np.ascontiguousarray(values).tobytes())
        if len(self._new_blocks[0]) >= max(MAX_PENDING, len(self._blocks)):
            self._merge_pending()

    def has_pages(self, count: int, page: int) -> bool:
        """Whether there are at least `count` distinct pages, this one included."""
        at_most = len(self._pages) + len(self._new_pages[0]) + 1
        return at_most >= count and self.page_count(page) >= count

    def page_count(self, page: int) -> int:
        """The number of distinct pages, this one included."""
        self._merge_pending()
        position = int(np.searchsorted(self._pages, np.uint64(page)))
        return len(self._pages) + (position == len(self._pages) or int(self._pages[position]) != page)

    def page_counts(self, blocks: Sequence[int], page: int) -> list[int]:
        """On how many pages each block was seen recently, this page included."""
        self._merge_pending()
        digests = np.array(blocks, np.uint64)
        first, last = (np.searchsorted(self._blocks, digests, side) for side in ("left", "right"))
        counts: list[int] = []
        oldest = self._oldest
        recent = self._recent_before[last] - self._recent_before[first]
        for start, end, others in zip(first.tolist(), last.tolist(), recent.tolist(), strict=True):
            own = others and bool(np.any((self._urls[start:end] == page) & (self._times[start:end] >= oldest)))
            counts.append(others if own else others + 1)
        return counts

    def pages(self) -> tuple[Digests, Seconds]:
        """The recent pages, sorted, and when each was last seen."""
        self._merge_pending()
        recent = self._page_times >= self._oldest
        return self._pages[recent], self._page_times[recent]

    def blocks(self) -> tuple[Digests, Digests, Seconds]:
        """The recent occurrences: blocks, sorted, the page that showed each, and when."""
        self._merge_pending()
        recent = self._times >= self._oldest
        return self._blocks[recent], self._urls[recent], self._times[recent]

    @property
    def oldest(self) -> int:
        """The time since which occurrences count."""
        self._merge_pending()
        return self._oldest

    @property
    def _oldest(self) -> int:
        return int(self._page_times.max(initial=0)) - MAX_AGE_SECONDS

    def _merge_pending(self) -> None:
        """Merge the pending pages and occurrences into the sorted arrays."""
        if not self._new_pages[0] and not self._new_blocks[0]:
            return
        if not len(self._pages) and len(self._new_pages[0]) == 1 and self._take_single_page():
            return
        pages, page_times = _joined(self._pages, self._new_pages[0]), _joined_times(self._page_times, self._new_pages[1])
        blocks, urls = _joined(self._blocks, self._new_blocks[0]), _joined(self._urls, self._new_blocks[1])
        times = _joined_times(self._times, self._new_blocks[2])
        self._new_pages, self._new_blocks = (array("Q"), array("q")), (array("Q"), array("Q"), array("q"))
        last = _last_of_each(pages, page_times)
        latest = last[np.lexsort((pages[last], page_times[last]))][-MAX_PAGES:]
        forgets = len(latest) < len(last)
        kept = np.sort(pages[latest])
        order = latest[np.argsort(pages[latest])]
        self._pages, self._page_times = pages[order], page_times[order]
        if forgets:
            there = np.isin(urls, kept)
            blocks, urls, times = blocks[there], urls[there], times[there]
        chosen = _latest_of_each(blocks, urls, times)
        self._blocks, self._urls, self._times = blocks[chosen], urls[chosen], times[chosen]
        self._recent_before = np.concatenate(([0], np.cumsum(self._times >= self._oldest)))

    def _take_single_page(self) -> bool:
        """Take the pending page of a host of which nothing else is known, as most of a wide crawl are; whether it could be done."""
        blocks, urls = (np.frombuffer(bytes(column), np.uint64) for column in self._new_blocks[:2])
        times = np.frombuffer(bytes(self._new_blocks[2]), np.int64)
        order = np.argsort(blocks)
        if np.any(blocks[order[1:]] == blocks[order[:-1]]):
            return False
        self._pages, self._page_times = np.array(self._new_pages[0], np.uint64), np.array(self._new_pages[1], np.int64)
        self._blocks, self._urls, self._times = blocks[order], urls[order], times[order]
        self._new_pages, self._new_blocks = (array("Q"), array("q")), (array("Q"), array("Q"), array("q"))
        self._recent_before = np.concatenate(([0], np.cumsum(self._times >= self._oldest)))
        return True


def _extend(pending: Sequence[array[int]], values: Sequence[set[int] | list[int]]) -> None:
    for column, more in zip(pending, values, strict=True):
        column.extend(more)


def _joined(known: Digests, more: array[int]) -> Digests:
    return np.concatenate((known, np.frombuffer(more, np.uint64)))


def _joined_times(known: Seconds, more: array[int]) -> Seconds:
    return np.concatenate((known, np.frombuffer(more, np.int64)))


def _last_of_each(digests: Digests, times: Seconds) -> NDArray[np.int64]:
    """The position of the latest time of each digest."""
    order = np.lexsort((times, digests))
    return order[_ends(digests[order])]


def _ends(*columns: Digests) -> NDArray[np.bool_]:
    """Whether each position is the last one of equal values."""
    changed = np.zeros(max(len(columns[0]) - 1, 0), dtype=bool)
    for column in columns:
        changed |= column[1:] != column[:-1]
    return np.concatenate((changed, np.ones(min(len(columns[0]), 1), dtype=bool)))


def _latest_of_each(blocks: Digests, urls: Digests, times: Seconds) -> NDArray[np.int64]:
    """The positions of the latest occurrence of each block on each URL, at most MAX_OCCURRENCES per block; sorted by block, then URL."""
    order = np.lexsort((times, urls, blocks))
    order = order[_ends(blocks[order], urls[order])]
    order = order[np.lexsort((urls[order], times[order], blocks[order]))]
    ends = np.flatnonzero(_ends(blocks[order]))
    from_end = np.repeat(ends, np.diff(ends, prepend=-1)) - np.arange(len(order))
    order = order[from_end < MAX_OCCURRENCES]
    return order[np.lexsort((urls[order], blocks[order]))]
