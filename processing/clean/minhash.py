"""Signatures of texts: by their bands similar texts are found, by their sketches the similarity is estimated.

A text is the set of its shingles (`processing.clean.shingles`). The bands are made of 126
MinHash values (Broder 1997; Leskovec et al., chapter 3). The sketch has the smallest hashes of the shingles (bottom-k: Cohen and Kaplan
2007): of two texts with at most SKETCH_SIZE shingles it gives the exact similarity. Measured: `python -m benchmarks duplicates`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

from processing.clean.shingles import HASH_FORM, Hashes, Shingles, read_shingles

BANDS, BAND_ROWS = 18, 7  # pairs of .8 share a band with a probability of .985, of .85 with .999, of .3 with .004
SEED = 42
SKETCH_SIZE = 256
FORM = f"{BANDS}x{BAND_ROWS}-{SEED}-{SKETCH_SIZE}-{HASH_FORM}-{RMinHash.ALGORITHM_VERSION}"  # signatures of another form cannot be compared
BANDS_BYTES = 8 * BANDS
_EMPTY = np.uint32(0xFFFFFFFF)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

BandHashes = NDArray[np.uint64]  # one row per text, one hash per band


@dataclass(frozen=True, slots=True)
class Signatures:
    """The signatures of several texts: their bands, and their sketches, ascending; a short sketch ends with _EMPTY."""

    bands: BandHashes
    sketches: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.bands)


def text_signatures(texts: Sequence[str]) -> list[bytes | None]:
    """The signature of each text; None for a text without words."""
    return make_signatures(read_shingles(texts))


def make_signatures(shingles: Shingles) -> list[bytes | None]:
    """The signature of each text, as it is stored: its bands (64 bits each), then its sketch (32 bits each); None for no words."""
    counts = shingles.counts[shingles.counts > 0]
    if not len(counts):
        return [None] * len(shingles.counts)
    ends = np.cumsum(counts)
    bounds = np.concatenate((np.zeros(1, np.uint64), ends.astype(np.uint64)))
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(shingles.hashes, bounds, BANDS * BAND_ROWS, SEED)
    values = np.fromiter(chain.from_iterable(matrix.to_rows()), np.uint32, len(counts) * BANDS * BAND_ROWS)
    bands = _band_hashes(values.reshape(-1, BANDS * BAND_ROWS)).tobytes()
    sketches = iter(_sketches(shingles.hashes, ends - counts))
    starts = iter(range(0, len(bands), BANDS_BYTES))
    return [(bands[(start := next(starts)) : start + BANDS_BYTES] + next(sketches)) if count else None for count in shingles.counts]


def signatures(stored: Sequence[bytes]) -> Signatures:
    """Stored signatures as matrices."""
    bands = np.empty((len(stored), BANDS), np.uint64)
    sketches = np.full((len(stored), SKETCH_SIZE), _EMPTY, np.uint32)
    for row, one in enumerate(stored):
        bands[row] = np.frombuffer(one, "<u8", BANDS)
        sketch = np.frombuffer(one, "<u4", offset=BANDS_BYTES)
        sketches[row, : len(sketch)] = sketch
    return Signatures(bands, sketches)


def bands_of(stored: Iterable[bytes]) -> BandHashes:
    """The bands of stored signatures, one row per text."""
    return np.frombuffer(b"".join(one[:BANDS_BYTES] for one in stored), "<u8").reshape(-1, BANDS)


def similarity(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The Jaccard similarity of two columns of sketches, row by row, 0 to 1.

    Of the SKETCH_SIZE smallest hashes of both together, the share that both have.
    """
    both = np.sort(np.concatenate((one, other), axis=1), axis=1)
    is_filled = both != _EMPTY
    is_repeat = np.zeros(both.shape, bool)
    is_repeat[:, 1:] = (both[:, 1:] == both[:, :-1]) & is_filled[:, 1:]
    is_first = is_filled & ~is_repeat
    number = np.cumsum(is_first, axis=1, dtype=np.int32)
    counted = np.minimum(number[:, -1], _sizes(one, other))
    shared = (is_repeat & (number <= counted[:, None])).sum(axis=1)
    return np.asarray(shared / np.maximum(counted, 1), dtype=np.float64)


def _sizes(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> NDArray[np.int32]:
    """How many of the smallest hashes of both are known: all of them if no sketch is full."""
    is_whole = (one[:, -1] == _EMPTY) & (other[:, -1] == _EMPTY)
    return np.where(is_whole, 2 * SKETCH_SIZE, SKETCH_SIZE).astype(np.int32)


def _sketches(hashes: Hashes, starts: NDArray[np.int64]) -> Iterator[bytes]:
    """The sketch of each text, of which the first hash is at `starts`: the upper halves of its smallest hashes, each once."""
    halves = (hashes >> np.uint64(32)).astype("<u4")
    is_distinct = np.append(True, halves[1:] != halves[:-1])
    is_distinct[starts] = True
    number = np.cumsum(is_distinct)
    is_kept = is_distinct & (number - np.repeat(number[starts], np.diff(starts, append=len(hashes))) < SKETCH_SIZE)
    kept = halves[is_kept].tobytes()
    ends = np.cumsum(is_kept)[np.append(starts[1:], len(hashes)) - 1] * halves.itemsize
    for start, end in pairwise([0, *ends.tolist()]):
        yield kept[start:end]


def _band_hashes(values: NDArray[np.uint32]) -> BandHashes:
    """The hash of each band. The band's number goes into the hash, so that different bands do not match."""
    parts = values.astype(np.uint64).reshape(len(values), BANDS, BAND_ROWS)
    hashed = np.arange(1, BANDS + 1, dtype=np.uint64)[None, :] * _MULTIPLIER
    with np.errstate(over="ignore"):
        for place in range(BAND_ROWS):
            hashed = (hashed ^ parts[:, :, place]) * _MULTIPLIER
            hashed ^= hashed >> np.uint64(29)
    return np.asarray(hashed, dtype="<u8")
