"""Fit the model of main text: weights of words around and in a block, then boosted trees (lightgbm) over measures of the block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from benchmarks.pages.samples import Matrix, Sample, fold_of
from processing.article.page_body.features import block_features
from processing.article.page_body.kinds import KINDS
from processing.article.page_body.page_body import best_blocks, smoothed
from processing.article.page_body.tokens import block_tokens

INNER_FOLDS = 3
MIN_SITES = 5  # that have a token, for it to count
PENALTY = 0.0015
MAX_STEPS = 60
TREES = {
    "objective": "cross_entropy", "num_leaves": 20, "learning_rate": 0.05, "feature_fraction": 0.3, "min_data_in_leaf": 40, "lambda_l2": 5,
    "bagging_fraction": 0.7, "bagging_freq": 1, "seed": 1, "num_threads": 1, "verbose": -1,
}  # fmt: skip
ROUNDS = 240
GROUPS = 3  # of the tokens of a block


@dataclass
class TokenTable:
    """The tokens of the blocks of many pages, read once: `bags` are sparse matrices, blocks x tokens, by page.

    `group` is the group of `block_tokens` that each token belongs to; a token's first sign tells it, so none is in two.
    """

    names: list[str]
    group: Matrix
    bags: list[Any]
    sites: list[str]

    def known(self, pages: Sequence[int], least: int) -> Matrix:
        """The numbers of the tokens that at least so many sites have, of those of some pages."""
        by_site: dict[str, list[Matrix]] = {}
        for page in pages:
            by_site.setdefault(self.sites[page], []).append(self.bags[page].indices)
        counts = np.zeros(len(self.names), dtype=np.int64)
        for found in by_site.values():
            counts[np.unique(np.concatenate(found))] += 1
        return np.flatnonzero(counts >= least)


@dataclass
class BodyFit:
    """The fitted model of main text. `weights` has the table's tokens x groups, 0 for tokens that are too rare."""

    table: TokenTable
    weights: Matrix
    constant: float
    trees: lightgbm.Booster

    def chosen(self, sample: Sample, page: int, types: Matrix) -> list[int]:
        """The blocks that are chosen of a page, the table's `page`."""
        if not sample.structure.blocks:
            return []
        rows = _block_rows(sample, types, self.scores(page))
        named = dict(zip(KINDS, map(float, types), strict=True))
        return best_blocks(smoothed(np.asarray(self.trees.predict(rows)), named), sample.words, named)

    def scores(self, page: int) -> Matrix:
        """Blocks x groups: what the tokens say."""
        return _token_scores(self.table.bags[page], self.weights, self.constant)


def read_tokens(samples: Sequence[Sample]) -> TokenTable:
    """The tokens of all blocks of all pages."""
    numbers: dict[str, int] = {}
    group: list[int] = []
    bags = []
    for sample in samples:
        places: list[int] = []
        ends = [0]
        for groups in block_tokens(sample.structure):
            for place, tokens in enumerate(groups):
                for token in tokens:
                    if token not in numbers:
                        numbers[token] = len(numbers)
                        group.append(place)
                    places.append(numbers[token])
            ends.append(len(places))
        bags.append((np.ones(len(places)), np.array(places, dtype=np.int32), np.array(ends, dtype=np.int32)))
    width = len(numbers)
    matrices = [sparse.csr_matrix(bag, shape=(len(bag[2]) - 1, width)) for bag in bags]
    return TokenTable(list(numbers), np.array(group), matrices, [sample.site for sample in samples])


def fit_body(samples: Sequence[Sample], types: Matrix, table: TokenTable, pages: Sequence[int]) -> BodyFit:
    """Fit weights of words, then trees, which see what words say on sites that they were not fitted on.

    `pages` are the numbers of the pages that it is fitted on, in `samples`, in the rows of `types` and in `table`.
    """
    pages = [page for page in pages if samples[page].structure.blocks]
    known = table.known(pages, MIN_SITES)
    inner = {page: fold_of(samples[page].site, "b", INNER_FOLDS) for page in pages}
    rows: dict[int, Matrix] = {}
    for fold in range(INNER_FOLDS):
        weights, constant = _fit_blocks(samples, table, [page for page in pages if inner[page] != fold], known)
        for page in pages:
            if inner[page] == fold:
                rows[page] = _block_rows(samples[page], types[page], _token_scores(table.bags[page], weights, constant))
    labels = np.concatenate([samples[page].labels for page in pages])
    weight = np.concatenate([_weight(samples[page]) for page in pages])
    data = lightgbm.Dataset(np.concatenate([rows[page] for page in pages]), labels, weight=weight / weight.mean())
    return BodyFit(table, *_fit_blocks(samples, table, pages, known), lightgbm.train(TREES, data, ROUNDS))


def _block_rows(sample: Sample, types: Matrix, scores: Matrix) -> Matrix:
    named = dict(zip(KINDS, map(float, types), strict=True))
    return block_features(sample.structure, scores, named, sample.words, sample.article)


def _weight(sample: Sample) -> Matrix:
    """Every page weighs the same, a block by the root of its words."""
    roots = np.sqrt(sample.words)
    return roots / (roots.sum() or 1.0)


def _token_scores(bags: Any, weights: Matrix, constant: float) -> Matrix:
    scores: Matrix = bags @ weights
    scores[:, 0] += constant
    return scores


def _fit_blocks(samples: Sequence[Sample], table: TokenTable, pages: Sequence[int], known: Matrix) -> tuple[Matrix, float]:
    """The weights, as `BodyFit` has them, and the constant, of a logistic regression over the tokens of blocks."""
    bags = sparse.vstack([table.bags[page] for page in pages], format="csr")[:, known]
    labels = np.concatenate([samples[page].labels for page in pages])
    weight = np.concatenate([_weight(samples[page]) for page in pages])
    weight = weight / weight.sum()

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        found = 1 / (1 + np.exp(-(bags @ weights[:-1] + weights[-1])))
        value = -(weight * (labels * np.log(found + 1e-9) + (1 - labels) * np.log(1 - found + 1e-9))).sum()
        slope = weight * (found - labels)
        return float(value + PENALTY * (weights[:-1] ** 2).sum() / 2), np.r_[bags.T @ slope + PENALTY * weights[:-1], slope.sum()]

    found = minimize(loss, np.zeros(len(known) + 1), jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS}).x
    weights = np.zeros((len(table.names), GROUPS))
    weights[known, table.group[known]] = found[:-1]
    return weights, float(found[-1])
