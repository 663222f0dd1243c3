"""MinHash signatures of texts, and the bands by which similar texts are found (Broder 1997; Leskovec et al., chapter 3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rensa import RMinHash

PERMUTATIONS = 128  # stored in `articles.minhash`: fixed
SEED = 42  # likewise
RECALL = 0.99  # share of the pairs at the threshold that must share a band
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

Signatures = NDArray[np.uint32]  # one row of PERMUTATIONS per text
Bands = NDArray[np.uint64]  # one row per text, one hash per band


def minhash(shingles: Sequence[str]) -> bytes | None:
    """The signature of a set of shingles: 128 unsigned 32-bit integers, little-endian; None for no shingles."""
    if not shingles:
        return None
    sketch = RMinHash(num_perm=PERMUTATIONS, seed=SEED)
    sketch.update(list(shingles))
    return np.asarray(sketch.digest(), dtype="<u4").tobytes()


def signatures(stored: Sequence[bytes]) -> Signatures:
    """Stored signatures as a matrix."""
    return np.frombuffer(b"".join(stored), dtype="<u4").reshape(len(stored), PERMUTATIONS).astype(np.uint32, copy=False)


def similarity(one: Signatures, other: Signatures) -> NDArray[np.float64]:
    """The estimated Jaccard similarity, row by row, 0 to 1."""
    return np.asarray((one == other).mean(axis=-1), dtype=np.float64)


def rows_per_band(threshold: float) -> int:
    """The largest number of values per band with which pairs of this similarity share a band with a probability of at least RECALL."""
    for rows in (16, 8, 4, 2):
        if 1 - (1 - threshold**rows) ** (PERMUTATIONS // rows) >= RECALL:
            return rows
    return 1


def bands(matrix: Signatures, rows: int) -> Bands:
    """The hash of each band of each signature. The band's number goes into the hash, so that different bands do not match."""
    parts = matrix.astype(np.uint64).reshape(len(matrix), PERMUTATIONS // rows, rows)
    hashed = np.arange(1, parts.shape[1] + 1, dtype=np.uint64)[None, :] * _MULTIPLIER
    with np.errstate(over="ignore"):
        for position in range(rows):
            hashed = (hashed ^ parts[:, :, position]) * _MULTIPLIER
            hashed ^= hashed >> np.uint64(29)
    return np.asarray(hashed, dtype=np.uint64)
