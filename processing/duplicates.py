"""Near-duplicates: locality-sensitive hashing over the texts of a run, against one another and against the lake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from processing.minhash import Signatures, bands, rows_per_band, signatures, similarity

MAX_GROUP = 50  # texts of one band group that later ones are compared with, earliest first: bounds templates that fill a site

Near = tuple[int, str, float]  # row of the query, text digest of the run, similarity


class NearIndex:
    """The distinct texts of a run by text digest, in the order of fetching. `threshold` is a Jaccard similarity, 0 to 1."""

    def __init__(self, digests: Sequence[str], stored: Sequence[bytes], threshold: float) -> None:
        self._digests = list(digests)
        self._threshold = threshold
        self._rows = rows_per_band(threshold)
        self._signatures = signatures(stored)
        self._bands = bands(self._signatures, self._rows)
        self._order = [np.argsort(self._bands[:, band], kind="stable") for band in range(self._bands.shape[1])]

    def query(self, others: Signatures) -> list[Near]:
        """All pairs of a row of `others` and a text of the run that are similar, sorted."""
        pairs: set[tuple[int, int]] = set()
        for band, hashes in enumerate(bands(others, self._rows).T):
            order = self._order[band]
            ours = self._bands[order, band]
            first, last = np.searchsorted(ours, hashes, "left"), np.searchsorted(ours, hashes, "right")
            for theirs in np.flatnonzero(first < last):
                pairs.update((int(theirs), int(own)) for own in order[first[theirs] : last[theirs]])
        return [(theirs, self._digests[own], found) for theirs, own, found in self._similar(sorted(pairs), others)]

    def pairs(self) -> dict[str, list[tuple[str, float]]]:
        """Per text digest the earlier texts of the run that are similar to it, earliest first."""
        met: set[tuple[int, int]] = set()
        for band, order in enumerate(self._order):
            met.update(_meetings(self._bands[order, band], order))
        earlier: dict[str, list[tuple[str, float]]] = {}
        for later, first, found in self._similar(sorted(met), self._signatures):
            earlier.setdefault(self._digests[later], []).append((self._digests[first], found))
        return earlier

    def _similar(self, pairs: list[tuple[int, int]], others: Signatures) -> Iterator[tuple[int, int, float]]:
        for start in range(0, len(pairs), 10_000):
            part = np.array(pairs[start : start + 10_000], dtype=np.int64)
            found = similarity(others[part[:, 0]], self._signatures[part[:, 1]])
            for (theirs, own), value in zip(part.tolist(), found.tolist(), strict=True):
                if value >= self._threshold:
                    yield theirs, own, value


def _meetings(hashes: NDArray[np.uint64], order: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """The pairs (later, earlier) of texts that share a hash, given sorted hashes and which text each belongs to."""
    bounds = np.flatnonzero(np.diff(hashes)) + 1
    starts, ends = np.concatenate(([0], bounds)), np.concatenate((bounds, [len(hashes)]))
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        group = sorted(order[start:end].tolist())
        for place, later in enumerate(group):
            yield from ((later, earlier) for earlier in group[: min(place, MAX_GROUP)])
