"""Find near-duplicates by locality-sensitive hashing: among the texts of a run, and between them and the texts of the lake.

A text takes about a kilobyte of memory and a pair of similar texts 12 bytes: a site whose pages are all alike makes millions of pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from processing.clean.minhash import signatures, similarity

MAX_GROUP = 50  # each text is compared with so many earlier ones that share a band: bounds the pairs of a site whose pages are all alike
COMPARED_PAIRS = 128  # at a time: comparing a pair takes some 10 kilobytes, and all of them fit into a cache of the processor

SimilarPair = tuple[int, str, float]  # row of the query, text digest of the run, similarity
Pairs = NDArray[np.uint64]  # two numbers of 32 bits each
_HALF = np.uint64(32)


class NearIndex:
    """The distinct texts of a run by text digest, in the order of their rank. `threshold` is a Jaccard similarity, 0 to 1."""

    def __init__(self, digests: Sequence[str], stored: Sequence[bytes], threshold: float) -> None:
        self._digests = list(digests)
        self.stored = list(stored)
        self._threshold = threshold
        found = signatures(self.stored)
        self._sketches = found.sketches
        self._bands: list[NDArray[np.uint64]] = []  # each sorted
        self._order: list[NDArray[np.uint32]] = []
        for hashes in found.bands.T:
            order = np.argsort(hashes, kind="stable").astype(np.uint32)
            self._bands.append(hashes[order])
            self._order.append(order)

    def query(self, others: Sequence[bytes]) -> list[SimilarPair]:
        """All pairs of one of the others, given by their signatures, and a text of the run that are similar, sorted."""
        theirs_of_all = signatures(others)
        candidates = np.empty(0, np.uint64)
        for ours, order, hashes in zip(self._bands, self._order, theirs_of_all.bands.T, strict=True):
            first, last = np.searchsorted(ours, hashes, "left"), np.searchsorted(ours, hashes, "right")
            counts = last - first
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            theirs, own = np.repeat(np.arange(len(hashes)), counts), order[np.repeat(first, counts) + within]
            candidates = _merged(candidates, _packed(theirs, own))
        return [
            (int(one), self._digests[own], float(found))
            for theirs, texts, values in self._similar(candidates, theirs_of_all.sketches)
            for one, own, found in zip(theirs, texts, values, strict=True)
        ]

    def pairs(self) -> SimilarTexts:
        """The similar texts that rank before it, per text digest, the first one first."""
        candidates = np.empty(0, np.uint64)
        for hashes, order in zip(self._bands, self._order, strict=True):
            candidates = _merged(candidates, np.concatenate([np.empty(0, np.uint64), *candidate_pairs(hashes, order)]))
        found = list(self._similar(candidates, self._sketches))
        if not found:
            return SimilarTexts(self._digests, np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty(0, np.float32))
        later, earlier, values = zip(*found, strict=True)
        return SimilarTexts(self._digests, np.concatenate(later), np.concatenate(earlier), np.concatenate(values))

    def _similar(
        self, pairs: Pairs, others: NDArray[np.uint32]
    ) -> Iterator[tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.float32]]]:
        """The pairs that are similar, as arrays: rows of the sketches `others`, texts of the run, similarities."""
        for start in range(0, len(pairs), COMPARED_PAIRS):
            part = pairs[start : start + COMPARED_PAIRS]
            theirs, own = unpacked(part)
            found = similarity(others[theirs], self._sketches[own])
            similar = found >= self._threshold
            yield theirs[similar], own[similar], found[similar].astype(np.float32)


class SimilarTexts(Mapping[str, Sequence[tuple[str, float]]]):
    """Text digest -> the similar texts that rank before it, with their similarity, the first one first."""

    def __init__(self, digests: Sequence[str], later: NDArray[np.uint32], earlier: NDArray[np.uint32], found: NDArray[np.float32]) -> None:
        self._digests, self._earlier, self._found = digests, earlier, found
        texts, starts = np.unique(later, return_index=True)
        ends = np.append(starts[1:], len(later))
        self._slices = {digests[int(text)]: (int(start), int(end)) for text, start, end in zip(texts, starts, ends, strict=False)}

    def __getitem__(self, digest: str) -> list[tuple[str, float]]:
        start, end = self._slices[digest]
        return [(self._digests[one], float(found)) for one, found in zip(self._earlier[start:end], self._found[start:end], strict=True)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._slices)

    def __len__(self) -> int:
        return len(self._slices)


def candidate_pairs(hashes: NDArray[np.uint64], order: NDArray[np.integer]) -> Iterator[Pairs]:
    """The pairs (later, earlier) of texts that share a hash, some at a time.

    `hashes` is sorted; `order` has their texts, ascending for equal hashes.
    """
    starts = np.flatnonzero(np.diff(hashes, prepend=hashes[:1] + np.uint64(1)))
    begin = np.repeat(starts, np.diff(starts, append=len(hashes)))
    position = np.arange(len(hashes)) - begin
    for back in range(MAX_GROUP):
        later = np.flatnonzero(position > back)
        if not len(later):
            break
        yield _packed(order[later], order[begin[later] + back])


def unpacked(pairs: Pairs) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The two numbers of each pair."""
    return (pairs >> _HALF).astype(np.uint32), pairs.astype(np.uint32)


def _merged(some: Pairs, more: Pairs) -> Pairs:
    """Both, sorted, each pair once. Most of `more` is in `some` already, and is dropped before sorting."""
    if len(some):
        more = more[some[np.minimum(np.searchsorted(some, more), len(some) - 1)] != more]
    both: Pairs = np.sort(np.concatenate((some, more)))
    first: NDArray[np.bool_] = np.diff(both, prepend=~both[:1]) != 0
    return np.compress(first, both)


def _packed(one: NDArray[np.integer], other: NDArray[np.integer]) -> Pairs:
    return (one.astype(np.uint64) << _HALF) | other.astype(np.uint64)
