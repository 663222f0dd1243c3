"""Signatures of texts: by their bands similar texts are found, by their sketches the similarity is estimated.

A text is the set of its shingles: the runs of five words (in scripts without spaces, of five characters). The bands are made of 126
MinHash values (Broder 1997; Leskovec et al., chapter 3). The sketch has the smallest hashes of the shingles (bottom-k: Cohen and Kaplan
2007): of two texts with at most SKETCH_SIZE shingles it gives the exact similarity. Measured: `python -m benchmarks duplicates`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

SHINGLE_WORDS = 5
BANDS, BAND_ROWS = 18, 7  # pairs of .8 share a band with a probability of .985, of .85 with .999, of .3 with .004
SEED = 42
SKETCH_SIZE = 256
FORM = f"{BANDS}x{BAND_ROWS}-{SEED}-{SKETCH_SIZE}-{RMinHash.ALGORITHM_VERSION}"  # signatures of another form cannot be compared
BANDS_BYTES = 8 * BANDS
_EMPTY = np.uint32(0xFFFFFFFF)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_WORD_FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F], np.uint64
)  # odd, with about as many ones as zeros

Hashes = NDArray[np.uint64]
BandHashes = NDArray[np.uint64]  # one row per text, one hash per band


@dataclass(frozen=True, slots=True)
class Signatures:
    """The signatures of several texts: their bands, and their sketches, ascending; a short sketch ends with _EMPTY."""

    bands: BandHashes
    sketches: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.bands)


def shingle_hashes(texts: Sequence[Sequence[str]]) -> list[Hashes]:
    """The hashes of each text's shingles, ascending and each once. A text is given by its words; one of fewer than five is one shingle."""
    return [_shingles(np.array(found, np.uint64)) for found in RMinHash.hash_token_sets(texts)] if texts else []


def make_signatures(hashes: Sequence[Hashes]) -> list[bytes | None]:
    """The signature of each text, as it is stored: its bands (64 bits each), then its sketch (32 bits each); None for no words."""
    ends = np.cumsum([len(one) for one in hashes], dtype=np.uint64)
    present = [one for one in hashes if len(one)]
    if not present:
        return [None] * len(hashes)
    starts = np.unique(np.concatenate((np.zeros(1, np.uint64), ends)))
    flat = np.concatenate(present)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(flat, starts, BANDS * BAND_ROWS, SEED)
    found = iter(_band_hashes(np.array(matrix.to_rows(), np.uint32)))
    return [next(found).tobytes() + _sketch(one).tobytes() if len(one) else None for one in hashes]


def signature(words: Sequence[str]) -> bytes | None:
    """The signature of one text, given by its words."""
    return make_signatures(shingle_hashes([words]))[0]


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


def _shingles(words: Hashes) -> Hashes:
    if len(words) < SHINGLE_WORDS:
        return _mixed(words * _WORD_FACTORS[: len(words)]).sum(keepdims=True, dtype=np.uint64) if len(words) else words
    count = len(words) - SHINGLE_WORDS + 1
    sums = words[:count] * _WORD_FACTORS[0]
    for place in range(1, SHINGLE_WORDS):
        sums += words[place : place + count] * _WORD_FACTORS[place]
    found = _mixed(sums)
    found.sort()
    distinct: Hashes = found[np.append(True, found[1:] != found[:-1])]
    return distinct


def _mixed(sums: Hashes) -> Hashes:
    sums = (sums ^ (sums >> np.uint64(32))) * _MULTIPLIER
    return np.asarray(sums ^ (sums >> np.uint64(29)), np.uint64)


def _sketch(hashes: Hashes) -> NDArray[np.uint32]:
    smallest = (hashes[: 2 * SKETCH_SIZE] >> np.uint64(32)).astype("<u4")
    distinct: NDArray[np.uint32] = smallest[np.append(True, smallest[1:] != smallest[:-1])][:SKETCH_SIZE]
    return distinct


def _band_hashes(values: NDArray[np.uint32]) -> BandHashes:
    """The hash of each band. The band's number goes into the hash, so that different bands do not match."""
    parts = values.astype(np.uint64).reshape(len(values), BANDS, BAND_ROWS)
    hashed = np.arange(1, BANDS + 1, dtype=np.uint64)[None, :] * _MULTIPLIER
    with np.errstate(over="ignore"):
        for place in range(BAND_ROWS):
            hashed = (hashed ^ parts[:, :, place]) * _MULTIPLIER
            hashed ^= hashed >> np.uint64(29)
    return np.asarray(hashed, dtype="<u8")
