"""Find the pairs of similar texts among any number of texts: their signatures are on the local disk, one band at a time is in memory.

As `near_duplicates.NearIndex`, with the same pairs. Memory: some 50 bytes for each of at most PART_TEXTS texts, and 8 for each other one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from processing.clean.minhash import BANDS, SKETCH_SIZE, signatures, similarity
from processing.resolve.near_duplicates import COMPARED_PAIRS, Pairs, candidate_pairs, unpacked

ADDED = 5_000  # signatures at a time: they take 6 MB
READ = 100_000  # hashes at a time
PART_TEXTS = 1_000_000  # of which the hashes of one band are in memory
RANGE_TEXTS = 10_000  # whose pairs are in memory: at most 900 candidates each
SKETCH_BYTES = 4 * SKETCH_SIZE

Numbers = NDArray[np.int32]
Similar = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.float32]]  # later texts, earlier texts, similarities


class SignatureFiles:
    """The signatures of texts, each at a place: 0, 1, ... in the order in which they were added."""

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self._folder = folder

    def add(self, stored: Sequence[bytes]) -> None:
        """Add signatures."""
        for start in range(0, len(stored), ADDED):
            found = signatures(stored[start : start + ADDED])
            for band, hashes in enumerate(found.bands.T):
                _append(self._band(band), hashes)
            _append(self._sketches, found.sketches)
        self.count += len(stored)

    def band(self, band: int, numbers: Numbers, part: int, parts: int) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """The hashes of a band that belong to a part, and the texts' numbers. `numbers` are by place; -1 leaves a signature out."""
        hashes, texts = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)]
        with self._band(band).open("rb") as file:
            for start in range(0, self.count, READ):
                read = np.fromfile(file, np.uint64, min(READ, self.count - start))
                of_texts = numbers[start : start + len(read)]
                chosen = (of_texts >= 0) & (read % np.uint64(parts) == part)
                hashes.append(read[chosen])
                texts.append(of_texts[chosen].astype(np.uint32))
        return np.concatenate(hashes), np.concatenate(texts)

    def sketches(self, places: NDArray[np.integer]) -> NDArray[np.uint32]:
        """The sketches at these places."""
        handle = os.open(self._sketches, os.O_RDONLY)
        try:
            found = b"".join(os.pread(handle, SKETCH_BYTES, place * SKETCH_BYTES) for place in places.tolist())
        finally:
            os.close(handle)
        return np.frombuffer(found, np.uint32).reshape(-1, SKETCH_SIZE)

    def _band(self, band: int) -> Path:
        return self._folder / f"band-{band}"

    @property
    def _sketches(self) -> Path:
        return self._folder / "sketches"


def similar_pairs(files: SignatureFiles, places: Numbers, threshold: float, folder: Path) -> Iterator[Similar]:
    """The pairs of texts with at least this Jaccard similarity, by their numbers, ascending.

    `places` has the place of each text's signature, -1 for one without; a text's number is its position there.
    """
    numbers = np.full(files.count, -1, np.int32)
    signed = np.flatnonzero(places >= 0)
    numbers[places[signed]] = signed
    for number in sorted(_write_candidates(files, numbers, folder)):
        path = _range_path(folder, number)
        candidates = np.unique(np.fromfile(path, np.uint64))
        path.unlink()
        for start in range(0, len(candidates), COMPARED_PAIRS):
            later, earlier = unpacked(candidates[start : start + COMPARED_PAIRS])
            found = similarity(files.sketches(places[later]), files.sketches(places[earlier]))
            similar = found >= threshold
            yield later[similar], earlier[similar], found[similar].astype(np.float32)


def _write_candidates(files: SignatureFiles, numbers: Numbers, folder: Path) -> set[int]:
    """Write the candidates to a file for each range of later texts; the numbers of the ranges."""
    parts = len(numbers) // PART_TEXTS + 1
    ranges: set[int] = set()
    for band in range(BANDS) if len(numbers) else ():
        for part in range(parts):
            hashes, texts = files.band(band, numbers, part, parts)
            order = np.lexsort((texts, hashes))
            hashes, texts = hashes[order], texts[order]
            shared = np.zeros(len(hashes), bool)
            shared[1:] = hashes[1:] == hashes[:-1]
            shared[:-1] |= shared[1:]
            for pairs in candidate_pairs(hashes[shared], texts[shared]):
                ranges |= _write_pairs(pairs, folder)
    return ranges


def _write_pairs(pairs: Pairs, folder: Path) -> set[int]:
    of_pairs = unpacked(pairs)[0] // RANGE_TEXTS
    order = np.argsort(of_pairs, kind="stable")
    numbers, starts = np.unique(of_pairs[order], return_index=True)
    for number, found in zip(numbers.tolist(), np.split(pairs[order], starts[1:]), strict=True):
        _append(_range_path(folder, number), found)
    return set(numbers.tolist())


def _range_path(folder: Path, number: int) -> Path:
    return folder / f"pairs-{number}"


def _append(path: Path, values: NDArray[np.integer]) -> None:
    with path.open("ab") as out:
        out.write(np.ascontiguousarray(values).tobytes())
