"""The fitted model behind the page type: softmax regression and boosted trees, half of the say each.

It is made by benchmarks/train_pagetype.py and kept in pagetype.json: weights by feature and type; what is usual of features that may be
unknown; trees as `[feature, threshold, low, high]`, where `low` is taken up to the threshold and a number is a leaf; one tree per type in
turn.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from math import exp, inf, isnan, log
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import ConfigError

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
MODEL = Path(__file__).with_name("pagetype.json")
MAX_FORKS = 8  # of a tree: their answers are the bits of a byte


@dataclass(frozen=True, slots=True)
class Model:
    """`weights` is types x features; `usual` stands in, by feature, for a measure that is NaN; `feature` and `threshold` are trees x forks.

    They are what each fork of a tree asks. A tree's answers, as the bits of a number, tell its leaf: `values` has the leaf's value for
    each number, tree after tree from `starts` on. So all trees are asked at once, in few steps and with little memory touched, which is
    what they cost.
    """

    features: tuple[str, ...]
    types: tuple[str, ...]
    article_share: float
    usual: tuple[float, ...]
    weights: Floats
    constant: Floats
    feature: Indices
    threshold: Floats
    starts: Indices
    values: Floats

    def shares(self, features: dict[str, float]) -> dict[str, float]:
        """How much each type accounts for a page, by name: shares that sum to 1."""
        given = map(features.__getitem__, self.features)
        measured = np.array([usual if isnan(value) else value for value, usual in zip(given, self.usual, strict=True)])
        answers = np.packbits(measured.take(self.feature) > self.threshold, axis=1, bitorder="little")[:, 0]
        by_trees = self.values.take(self.starts + answers).reshape(-1, len(self.types)).sum(0)
        scores = zip(_log_shares(((self.weights * measured).sum(1) + self.constant).tolist()), _log_shares(by_trees.tolist()), strict=True)
        logs = _log_shares([(one + other) / 2 for one, other in scores])
        return {name: exp(value) for name, value in zip(self.types, logs, strict=True)}


@cache
def load_model() -> Model:
    """The model of this installation."""
    return read_model(json.loads(MODEL.read_text(encoding="utf-8")))


def read_model(data: dict[str, Any]) -> Model:  # Any: as JSON has it
    """A model from its JSON. Raises `ConfigError` for a tree with more than MAX_FORKS."""
    trees = [_forks(tree) for tree in data["trees"]]
    width = max(len(forks) for forks in trees)
    if width > MAX_FORKS:
        raise ConfigError(f"A tree of the page types' model has {width} forks: grow trees of at most {MAX_FORKS + 1} leaves.")
    padded = [forks + [(0, inf)] * (width - len(forks)) for forks in trees]
    values = [[_leaf(tree, answers) for answers in range(2**width)] for tree in data["trees"]]
    return Model(
        features=tuple(data["weights"]),
        types=tuple(data["types"]),
        article_share=data["article_share"],
        usual=tuple(data["usual"].get(name, 0.0) for name in data["weights"]),
        weights=np.array(list(data["weights"].values())).T.copy(),
        constant=np.array(data["constant"]),
        feature=np.array([[feature for feature, _ in forks] for forks in padded]),
        threshold=np.array([[threshold for _, threshold in forks] for forks in padded]),
        starts=np.arange(len(trees)) * 2**width,
        values=np.array(values).ravel(),
    )


def _forks(tree: Any) -> list[tuple[int, float]]:
    """Feature and threshold of a tree's forks: a fork, those below it on the low side, those on the high side."""
    return [(tree[0], tree[1]), *_forks(tree[2]), *_forks(tree[3])] if isinstance(tree, list) else []


def _leaf(tree: Any, answers: int, place: int = 0) -> float:
    """The value of the leaf to which the answers lead; bit `place` is this fork's: 1 is high."""
    while isinstance(tree, list):
        high = answers >> place & 1
        place += 1 + (len(_forks(tree[2])) if high else 0)
        tree = tree[3] if high else tree[2]
    value: float = tree
    return value


def _log_shares(scores: list[float]) -> list[float]:
    top = max(scores)
    total = top + log(sum([exp(score - top) for score in scores]))
    return [score - total for score in scores]
