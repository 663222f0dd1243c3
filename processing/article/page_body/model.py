"""The fitted model of main text: weights of tokens, and boosted trees over the measures of blocks.

benchmarks/train_page_body.py makes it and stores it in page_body.json.gz: the weight of each token, `[feature, threshold, low, high]`
trees, where `low` is taken up to the threshold and a number is a leaf.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from processing.article.page_body.tokens import Tokens

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
MODEL = Path(__file__).with_name("page_body.json.gz")


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees side by side, as trees x nodes. A leaf leads to itself; `depth` steps from node 0 reach a leaf in every tree."""

    feature: Indices
    threshold: Floats
    low: Indices
    high: Indices
    value: Floats
    depth: int

    def scores(self, features: Floats) -> Floats:
        """The sum of the trees' leaves for each row of features."""
        rows, trees = np.arange(len(features))[:, None], np.arange(len(self.feature))[None, :]
        node = np.zeros((len(features), len(self.feature)), dtype=np.int64)
        for _ in range(self.depth):
            is_low = features[rows, self.feature[trees, node]] <= self.threshold[trees, node]
            node = np.where(is_low, self.low[trees, node], self.high[trees, node])
        total: Floats = self.value[trees, node].sum(1)
        return total


@dataclass(frozen=True, slots=True)
class BodyModel:
    """`weights` are those of tokens by name, `constant` is added to the first group of tokens."""

    weights: dict[str, float]
    constant: float
    trees: Trees

    def token_scores(self, tokens: Sequence[tuple[Tokens, Tokens, Tokens]]) -> Floats:
        """Blocks x 3: the sum of the weights of each group of tokens."""
        weight = self.weights.get
        table = [[sum([weight(token, 0.0) for token in group]) for group in groups] for groups in tokens]
        scores = np.array(table, dtype=np.float64).reshape(-1, 3)
        scores[:, 0] += self.constant
        return scores

    def probabilities(self, features: Floats) -> Floats:
        """How likely each block is main text."""
        result: Floats = 1 / (1 + np.exp(-self.trees.scores(features)))
        return result


@cache
def load_model() -> BodyModel:
    """The model of this installation."""
    with gzip.open(MODEL, "rt", encoding="utf-8") as file:
        data = json.load(file)
    return BodyModel(data["tokens"], data["constant"], read_trees(data["trees"]))


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
