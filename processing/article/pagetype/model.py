"""The fitted model of the page type: the mean of a softmax regression and boosted trees.

benchmarks/pages/train_pagetype.py makes it and stores it in pagetype.json: weights by feature and type; the means of features that may be
NaN; trees as `[feature, threshold, low, high]`, where `low` is taken up to the threshold and a number is a leaf; one tree for each type
in turn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from math import exp, inf, log
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import ConfigError

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
MODEL = Path(__file__).with_name("pagetype.json")
MAX_SPLITS = 8  # of a tree: their results are the bits of a byte


@dataclass(frozen=True, slots=True)
class Model:
    """`weights` is types x features; `means` repositions features that are NaN; `feature` and `threshold` are trees x splits.

    The results of a tree's splits, as the bits of a number, select its leaf: `values` has the leaf's value for each number, from `starts`
    of the tree on. So all trees are evaluated at once, in few steps and with little memory read.
    """

    features: tuple[str, ...]
    types: tuple[str, ...]
    article_threshold: float
    means: Floats
    weights: Floats
    intercept: Floats
    feature: Indices
    threshold: Floats
    starts: Indices
    values: Floats

    def probabilities(self, features: dict[str, float]) -> dict[str, float]:
        """The probability of each type, by name; they sum to 1."""
        measured = np.array([features[name] for name in self.features])
        unknown = np.isnan(measured)
        measured[unknown] = self.means[unknown]
        results = np.packbits(measured.take(self.feature) > self.threshold, axis=1, bitorder="little")[:, 0]
        by_trees = self.values.take(self.starts + results).reshape(-1, len(self.types)).sum(0)
        scores = zip(
            _log_probabilities(((self.weights * measured).sum(1) + self.intercept).tolist()),
            _log_probabilities(by_trees.tolist()),
            strict=True,
        )
        logs = _log_probabilities([(one + other) / 2 for one, other in scores])
        return {name: exp(value) for name, value in zip(self.types, logs, strict=True)}


@cache
def load_model() -> Model:
    """The model of this installation."""
    return read_model(json.loads(MODEL.read_text(encoding="utf-8")))


def read_model(data: dict[str, Any]) -> Model:  # Any: as JSON has it
    """A model from its JSON. Raises `ConfigError` for a tree with more than MAX_SPLITS."""
    trees = [_splits(tree) for tree in data["trees"]]
    width = max(len(splits) for splits in trees)
    if width > MAX_SPLITS:
        raise ConfigError(f"A tree of the page types' model has {width} forks: grow trees of at most {MAX_SPLITS + 1} leaves.")
    padded = [splits + [(0, inf)] * (width - len(splits)) for splits in trees]
    values = [[_leaf(tree, results) for results in range(2**width)] for tree in data["trees"]]
    return Model(
        features=tuple(data["weights"]),
        types=tuple(data["types"]),
        article_threshold=data["article_threshold"],
        means=np.array([data["means"].get(name, 0.0) for name in data["weights"]]),
        weights=np.array(list(data["weights"].values())).T.copy(),
        intercept=np.array(data["intercept"]),
        feature=np.array([[feature for feature, _ in splits] for splits in padded]),
        threshold=np.array([[threshold for _, threshold in splits] for splits in padded]),
        starts=np.arange(len(trees)) * 2**width,
        values=np.array(values).ravel(),
    )


def _splits(tree: Any) -> list[tuple[int, float]]:
    """Feature and threshold of a tree's splits: the first split, then those on the low side, then those on the high side."""
    return [(tree[0], tree[1]), *_splits(tree[2]), *_splits(tree[3])] if isinstance(tree, list) else []


def _leaf(tree: Any, results: int, position: int = 0) -> float:
    """The value of the leaf that the results lead to; bit `position` belongs to this split, 1 is high."""
    while isinstance(tree, list):
        high = results >> position & 1
        position += 1 + (len(_splits(tree[2])) if high else 0)
        tree = tree[3] if high else tree[2]
    value: float = tree
    return value


def _log_probabilities(scores: list[float]) -> list[float]:
    top = max(scores)
    total = top + log(sum([exp(score - top) for score in scores]))
    return [score - total for score in scores]
