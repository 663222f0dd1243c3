"""Fit the confidence of articles: `python -m benchmarks.pages.train_confidence` prints its reliability and writes confidence.json.

A logistic regression over `body.calibration.measure` says how likely an article's text has an F1 of at least .9. It is fitted on the
labelled pages of the tuning half: on whole texts, and with less weight on snippets. The reliability is that of ten folds by registered
domain: each page is judged by weights that were fitted without its site.
"""

from __future__ import annotations

import hashlib
import json
import sys

import numpy as np

from benchmarks.inputs.labelled_pages import MAIN_METRIC, SETS, half_of, page_f1, pages
from benchmarks.inputs.ranking import ranking
from benchmarks.peers.extractors import FETCHED_AT
from processing.article.article import article_measures
from processing.article.body.calibration import PLAUSIBLE, WEIGHTS
from schemas.article import plain_text
from schemas.page import Page
from storage.urls.surt import registered_domain

RIGHT_F1 = 0.9
SNIPPETS_WEIGHT = 0.3  # of a page of which only snippets are labelled
PENALTY = 10.0  # on the squares of the standardised weights
FOLDS = 10
STEPS = 30  # of Newton's method: it converges in fewer
LIMITS = (0.95, 0.9, 0.8, 0.7, 0.5, 0.0)

Matrix = np.ndarray


def main() -> int:
    """Fit, print and write."""
    names, measures, right, weight, plausible, fold = _read()
    judged = np.zeros(len(right))
    for number in range(FOLDS):
        left = fold != number
        judged[~left] = _probability(_fit(measures[left], right[left], weight[left]), measures[~left])
    judged *= np.minimum(1, plausible / PLAUSIBLE)
    whole = weight == 1
    print(f"{whole.sum()} pages with whole texts, {1 - right[whole].mean():.3f} below F1 {RIGHT_F1}")
    print(f"ranks a right page above a wrong one: {ranking(judged[whole].tolist(), right[whole].tolist()):.3f}")
    for low, high in zip(LIMITS, (1.01, *LIMITS), strict=False):
        inside = whole & (judged >= low) & (judged < high)
        if inside.any():
            print(f"confidence from {low:.2f}: {inside.sum():4} pages, {right[inside].mean():.3f} right")
    fitted = _fit(measures, right, weight)
    stored = {name: round(float(value), 4) for name, value in zip([*names, "intercept"], fitted, strict=True)}
    WEIGHTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    return 0


def _read() -> tuple[list[str], Matrix, Matrix, Matrix, Matrix, Matrix]:
    """Names and measures of all articles, whether each is right, its weight, its plausibility and its fold."""
    rows, right, weight, plausible, fold, names = [], [], [], [], [], []
    for name in SETS:
        for row, html in pages(name):
            if half_of(row["host"]) != "tuning":
                continue
            blocks, sound, measures = article_measures(Page(row["url"], html, fetched_at=FETCHED_AT))
            if blocks:
                names = list(measures)
                rows.append(list(measures.values()))
                right.append(float(page_f1(name, row, plain_text(blocks)) >= RIGHT_F1))
                weight.append(SNIPPETS_WEIGHT if MAIN_METRIC[name] == "snippet_f1" else 1.0)
                plausible.append(sound)
                domain = registered_domain(row["host"]) or row["host"]
                fold.append(int(hashlib.sha256(domain.encode()).hexdigest(), 16) % FOLDS)
    return names, np.array(rows), np.array(right), np.array(weight), np.array(plausible), np.array(fold)


def _fit(measures: Matrix, right: Matrix, weight: Matrix) -> Matrix:
    """The weights of the measures, and the intercept."""
    mean, spread = measures.mean(0), measures.std(0) + 1e-6
    inputs = np.c_[(measures - mean) / spread, np.ones(len(measures))]
    penalty = np.eye(inputs.shape[1]) * PENALTY
    penalty[-1, -1] = 0
    found = np.zeros(inputs.shape[1])
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-inputs @ found))
        slope = inputs.T @ (weight * (probability - right)) + penalty @ found
        curvature = (inputs * (weight * probability * (1 - probability))[:, None]).T @ inputs + penalty
        found -= np.linalg.solve(curvature, slope)
    own = found[:-1] / spread
    return np.append(own, found[-1] - (own * mean).sum())


def _probability(weights: Matrix, measures: Matrix) -> Matrix:
    probability: Matrix = 1 / (1 + np.exp(-(measures @ weights[:-1] + weights[-1])))
    return probability


if __name__ == "__main__":
    sys.exit(main())
