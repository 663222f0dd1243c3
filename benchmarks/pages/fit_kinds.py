"""Fit the model of page types: a softmax regression over words, then boosted trees (lightgbm) over measures and what the words say."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from benchmarks.pages.samples import Matrix, Sample, fold_of, vocabulary_of
from processing.article.page_body.kinds import KINDS, LEAST_PROBABILITY, softmax

FOLDS, INNER_FOLDS = 5, 3
MIN_SITES = 7  # that have a word, for it to count
PENALTY = 0.02
MAX_STEPS = 60
TREES = {
    "objective": "multiclass", "num_class": len(KINDS), "num_leaves": 8, "learning_rate": 0.03, "feature_fraction_bynode": 0.1,
    "min_data_in_leaf": 8, "lambda_l2": 5, "bagging_fraction": 0.7, "bagging_freq": 1, "seed": 1, "num_threads": 1, "verbose": -1,
}  # fmt: skip
ROUNDS = 280


@dataclass
class WordsFit:
    """The fitted weights of one group of `kind_words`, words x kinds, the constant last."""

    group: int
    vocabulary: dict[str, int]
    weights: Matrix

    def logarithms(self, samples: Sequence[Sample]) -> Matrix:
        """Samples x kinds: the logarithms of the probabilities."""
        bags = _word_bags(samples, self.vocabulary, self.group)
        return np.log(softmax(bags @ self.weights[:-1] + self.weights[-1]) + LEAST_PROBABILITY)


@dataclass
class KindsFit:
    """The fitted model of page types."""

    words: list[WordsFit]
    features: list[str]
    means: Matrix
    trees: lightgbm.Booster

    def probabilities(self, samples: Sequence[Sample]) -> Matrix:
        """Samples x kinds."""
        said = [part.logarithms(samples) for part in self.words]
        return np.asarray(self.trees.predict(_rows(samples, self.features, self.means, said)))


def cross_validated_kinds(samples: Sequence[Sample]) -> Matrix:
    """Samples x kinds: the probabilities of each page by models of other sites."""
    folds = np.array([fold_of(sample.site, "f", FOLDS) for sample in samples])
    found = np.zeros((len(samples), len(KINDS)))
    for fold in range(FOLDS):
        seen = [sample for sample, own in zip(samples, folds, strict=True) if own != fold]
        here = [sample for sample, own in zip(samples, folds, strict=True) if own == fold]
        found[folds == fold] = fit_kinds_model(seen).probabilities(here)
        print(f"types: fold {fold + 1} of {FOLDS}", file=sys.stderr)
    return found


def fit_kinds_model(samples: Sequence[Sample]) -> KindsFit:
    """Fit words, then trees, which see what words say of sites that they were not fitted on."""
    features = sorted(samples[0].measures)
    measures = np.array([[sample.measures[name] for name in features] for sample in samples])
    means = np.nan_to_num(np.nanmean(measures, 0))
    words, outside = zip(*(_fit_words(samples, group) for group in range(len(samples[0].words_of_kinds))), strict=True)
    kinds_of = np.array([sample.kind for sample in samples])
    trees = lightgbm.train(TREES, lightgbm.Dataset(_rows(samples, features, means, outside), kinds_of), ROUNDS)
    return KindsFit(list(words), features, means, trees)


def _rows(samples: Sequence[Sample], features: list[str], means: Matrix, said: Sequence[Matrix]) -> Matrix:
    measures = np.array([[sample.measures[name] for name in features] for sample in samples])
    measures = np.where(np.isnan(measures), means, measures)
    return np.hstack([measures, np.array([sample.shape for sample in samples]), *said])


def _fit_words(samples: Sequence[Sample], group: int) -> tuple[WordsFit, Matrix]:
    """The weights by all samples, and what the words say of each sample by weights of other sites."""
    bags_of = [(sample.site, set(sample.words_of_kinds[group])) for sample in samples]
    vocabulary = vocabulary_of(bags_of, MIN_SITES)
    inner = np.array([fold_of(sample.site, "i", INNER_FOLDS) for sample in samples])
    outside = np.zeros((len(samples), len(KINDS)))
    for fold in range(INNER_FOLDS):
        seen = [sample for sample, own in zip(samples, inner, strict=True) if own != fold]
        here = [sample for sample, own in zip(samples, inner, strict=True) if own == fold]
        outside[inner == fold] = WordsFit(group, vocabulary, _word_weights(seen, vocabulary, group)).logarithms(here)
    return WordsFit(group, vocabulary, _word_weights(samples, vocabulary, group)), outside


def _word_bags(samples: Sequence[Sample], vocabulary: dict[str, int], group: int) -> Any:
    """Samples x words, sparse, each row by the root of its number of words."""
    places: list[int] = []
    values: list[float] = []
    ends = [0]
    for sample in samples:
        known = sorted(vocabulary[word] for word in sample.words_of_kinds[group] if word in vocabulary)
        places += known
        values += [1 / np.sqrt(len(known) + 1)] * len(known)
        ends.append(len(places))
    return sparse.csr_matrix((values, places, ends), shape=(len(samples), len(vocabulary)))


def _word_weights(samples: Sequence[Sample], vocabulary: dict[str, int], group: int) -> Matrix:
    bags = _word_bags(samples, vocabulary, group)
    wanted = np.eye(len(KINDS))[[sample.kind for sample in samples]]

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(-1, len(KINDS))
        found = softmax(bags @ weights[:-1] + weights[-1])
        value = -np.log((found * wanted).sum(1) + 1e-12).sum() + PENALTY * (weights[:-1] ** 2).sum() / 2
        slope = found - wanted
        return float(value), np.vstack([bags.T @ slope + PENALTY * weights[:-1], slope.sum(0)]).ravel()

    start = np.zeros((len(vocabulary) + 1) * len(KINDS))
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS}).x).reshape(-1, len(KINDS))
