"""The fitted model of main text: weights of tokens, and boosted trees over the measures of blocks.

benchmarks/pages/train.py makes it and stores it in page_body.json.gz: the weight of each token, `[feature, threshold, low, high]`
trees (`boosting`).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from processing.article.page_body.boosting import Floats, Trees, read_trees
from processing.article.page_body.tokens import Tokens

MODEL = Path(__file__).with_name("page_body.json.gz")


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
        result: Floats = 1 / (1 + np.exp(-self.trees.scores(features)[:, 0]))
        return result


@cache
def load_model() -> BodyModel:
    """The model of this installation."""
    with gzip.open(MODEL, "rt", encoding="utf-8") as file:
        data = json.load(file)
    return BodyModel(data["tokens"], data["constant"], read_trees(data["trees"]))
