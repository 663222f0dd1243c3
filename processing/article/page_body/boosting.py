"""Boosted trees, evaluated for many rows at once.

As JSON a tree is `[feature, threshold, low, high]`, where `low` is taken up to the threshold and a number is a leaf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
MAX_ROWS_AT_ONCE = 2_000  # bounds the memory


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees side by side, as trees x nodes. A leaf leads to itself; `depth` steps from node 0 reach a leaf in every tree."""

    feature: Indices
    threshold: Floats
    low: Indices
    high: Indices
    value: Floats
    depth: int

    def scores(self, features: Floats, classes: int = 1) -> Floats:
        """Rows x classes: the sums of the leaves of the trees of each class, which take turns."""
        parts = [self._leaves(features[start : start + MAX_ROWS_AT_ONCE]) for start in range(0, len(features), MAX_ROWS_AT_ONCE)]
        leaves = np.concatenate(parts) if parts else np.zeros((0, len(self.feature)))
        total: Floats = leaves.reshape(len(features), -1, classes).sum(1)
        return total

    def _leaves(self, features: Floats) -> Floats:
        rows, trees = np.arange(len(features))[:, None], np.arange(len(self.feature))[None, :]
        node = np.zeros((len(features), len(self.feature)), dtype=np.int64)
        for _ in range(self.depth):
            is_low = features[rows, self.feature[trees, node]] <= self.threshold[trees, node]
            node = np.where(is_low, self.low[trees, node], self.high[trees, node])
        leaves: Floats = self.value[trees, node]
        return leaves


def read_trees(nested: list[Any]) -> Trees:  # Any: as JSON has it
    """Trees from their nested form."""
    flat = [_flattened(tree) for tree in nested]
    width = max(len(nodes) for nodes in flat)
    padding = (0, np.inf, 0, 0, 0.0)
    table = [nodes + [padding] * (width - len(nodes)) for nodes in flat]
    columns = list(zip(*(zip(*nodes, strict=True) for nodes in table), strict=True))
    feature, low, high = (np.array(columns[place], dtype=np.int64) for place in (0, 2, 3))
    return Trees(feature, np.array(columns[1]), low, high, np.array(columns[4]), max(map(_depth, nested)))


def _flattened(tree: Any) -> list[tuple[int, float, int, int, float]]:
    nodes: list[tuple[int, float, int, int, float]] = []

    def add(node: Any) -> int:
        place = len(nodes)
        if not isinstance(node, list):
            nodes.append((0, np.inf, place, place, float(node)))
            return place
        nodes.append((0, 0.0, 0, 0, 0.0))
        low, high = add(node[2]), add(node[3])
        nodes[place] = int(node[0]), float(node[1]), low, high, 0.0
        return place

    add(tree)
    return nodes


def _depth(tree: Any) -> int:
    return 1 + max(_depth(tree[2]), _depth(tree[3])) if isinstance(tree, list) else 0
