"""The fitted model behind the page type: softmax regression and boosted trees, half of the say each.

It is made by benchmarks/train_pagetype.py and kept in pagetype.json: weights by feature and type; trees as `[feature, threshold, low,
high]`, where `low` is taken up to the threshold and a number is a leaf; one tree per type in turn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
MODEL = Path(__file__).with_name("pagetype.json")


@dataclass(frozen=True, slots=True)
class Model:
    """`weights` is features x types. The trees' nodes are flat: node `n` goes on to `children[2n]` or `[2n + 1]`, a leaf to itself."""

    features: tuple[str, ...]
    types: tuple[str, ...]
    article_share: float
    weights: Floats
    constant: Floats
    roots: Indices
    depth: int
    feature: Indices
    threshold: Floats
    children: Indices
    value: Floats

    def shares(self, features: dict[str, float]) -> dict[str, float]:
        """How much each type accounts for a page, by name: shares that sum to 1."""
        measured = np.array([features[name] for name in self.features])
        scores = (_log_shares(measured @ self.weights + self.constant) + _log_shares(self._climb(measured))) / 2
        return dict(zip(self.types, np.exp(_log_shares(scores)).tolist(), strict=True))

    def _climb(self, measured: Floats) -> Floats:
        """The trees' scores by type: all trees at once, a step a level."""
        places = self.roots
        for _ in range(self.depth):
            high = measured.take(self.feature.take(places)) > self.threshold.take(places)
            places = self.children.take(2 * places + high)
        scores: Floats = self.value.take(places).reshape(-1, len(self.types)).sum(0)
        return scores


@cache
def load_model() -> Model:
    """The model of this installation."""
    return read_model(json.loads(MODEL.read_text(encoding="utf-8")))


def read_model(data: dict[str, Any]) -> Model:  # Any: as JSON has it
    """A model from its JSON."""
    nodes: list[tuple[int, float, int, int, float]] = []
    placed = [_place(tree, nodes) for tree in data["trees"]]
    return Model(
        features=tuple(data["weights"]),
        types=tuple(data["types"]),
        article_share=data["article_share"],
        weights=np.array(list(data["weights"].values())),
        constant=np.array(data["constant"]),
        roots=np.array([root for root, _ in placed]),
        depth=max(depth for _, depth in placed),
        feature=np.array([node[0] for node in nodes]),
        threshold=np.array([node[1] for node in nodes]),
        children=np.array([child for node in nodes for child in node[2:4]]),
        value=np.array([node[4] for node in nodes]),
    )


def _place(tree: Any, nodes: list[tuple[int, float, int, int, float]]) -> tuple[int, int]:
    """Append a tree's nodes; its root's index and its depth."""
    here = len(nodes)
    if not isinstance(tree, list):
        nodes.append((0, 0.0, here, here, tree))
        return here, 0
    feature, threshold, low, high = tree
    nodes.append((feature, threshold, 0, 0, 0.0))
    (left, left_depth), (right, right_depth) = _place(low, nodes), _place(high, nodes)
    nodes[here] = (feature, threshold, left, right, 0.0)
    return here, 1 + max(left_depth, right_depth)


def _log_shares(scores: Floats) -> Floats:
    shifted: Floats = scores - scores.max()
    logs: Floats = shifted - np.log(np.exp(shifted).sum())
    return logs
