"""Keys of the index that do not fit into memory: all of them come back in order, however many there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from storage.index.known import entries
from storage.index.known.entries import EntrySpill, make_entries


@pytest.mark.parametrize("sizes", [[], [0], [3], [8], [4, 4], [5, 7], [8, 8], [8, 1], [30, 0]])
def test_all_entries_come_back_in_order(sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MEMORY_ENTRIES", 8)
    spill, chance, added = EntrySpill(tmp_path, "keys"), np.random.default_rng(1), []
    for size in sizes:
        keys = chance.integers(0, 1 << 63, size, np.uint64) << np.uint64(1)
        added.append(keys)
        spill.add(make_entries(keys, np.arange(size)))
    pieces = [np.sort(piece["key"]) for piece in spill.pieces()]
    assert np.concatenate(pieces).tolist() == sorted(np.concatenate([*added, np.empty(0, np.uint64)]).tolist())
    assert list(tmp_path.iterdir()) == []
