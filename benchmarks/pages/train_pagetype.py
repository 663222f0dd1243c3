"""Fit the page type's model: `python -m benchmarks.pages.train_pagetype` prints how it judges unseen hosts and writes pagetype.json.

Softmax regression and boosted trees (lightgbm) over `page_features`, half of the say each, on the benchmark's articles and its 704 other
pages. What it is worth is read off ten folds by host: each page is judged by models that saw no page of its host. The threshold comes
from there, too.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from scipy.optimize import minimize

from benchmarks.inputs.labelled_pages import html_of
from processing.article.body.forms import mark_other_articles
from processing.article.metadata.metadata import read_metadata
from processing.article.outline.container import find_container
from processing.article.outline.walk import read_outline
from processing.article.pagetype.features import page_features
from processing.article.pagetype.model import MODEL
from processing.article.pagetype.pagetype import sure_article
from processing.article.tree.parse import parse
from schemas.page import Page

TYPES = {
    "article": "article",
    "collection": "hub",
    "listing": "hub",
    "documentation": "documentation",
    "forum": "forum",
    "product": "product",
    "service": "service",
}
NAMES = ("article", "documentation", "forum", "hub", "product", "service")
REGULARISATION = 100.0  # of weights on features in units of their spread
LEAST_SPREAD = 0.02  # a rarer sign weighs no more than this one
RECALL = 0.97
FOLDS = 10
TREES = {
    "objective": "multiclass",
    "num_class": len(NAMES),
    "num_leaves": 6,
    "max_depth": 4,
    "learning_rate": 0.06,
    "feature_fraction_bynode": 0.1,
    "min_data_in_leaf": 10,
    "lambda_l2": 5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
ROUNDS = 100
FETCHED_AT = datetime(2026, 6, 1, tzinfo=UTC)

Matrix = np.ndarray


def pages(folder: Path) -> Iterator[tuple[str, str, dict[str, float], bool]]:
    """(type, host, features, whether it need not be judged) of every labelled page."""
    for name in ("wcxb_dev", "pagetypes"):
        with zipfile.ZipFile(folder / f"{name}.zip") as archive:
            for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").strip("\n").split("\n"):
                row = json.loads(line)
                html = html_of(archive.read(row["member"]))
                page = Page(url=row["url"], html=html, fetched_at=FETCHED_AT)
                yield TYPES[row.get("page_type", "article")], row["host"], *_features(page)


def _features(page: Page) -> tuple[dict[str, float], bool]:
    tree = parse(page.html)
    metadata = read_metadata(tree, page)
    outline = read_outline(tree.body)
    mark_other_articles(outline, metadata.title)
    container = find_container(outline)
    return page_features(tree, page, metadata, outline, container), sure_article(metadata, outline, container, page.url) is not None


def fit_weights(features: Matrix, types: Matrix) -> Matrix:
    """Weights, (features + 1) x types: the last row is the constant, which goes unregularised."""
    spread = features.std(0) + LEAST_SPREAD
    scaled = np.c_[features / spread, np.ones(len(features))]
    shape = (scaled.shape[1], len(NAMES))
    wanted = np.eye(len(NAMES))[types]

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(shape)
        found = probabilities(scaled @ weights)
        penalised = weights.copy()
        penalised[-1] = 0
        value = -np.log((found * wanted).sum(1) + 1e-12).sum() + REGULARISATION * (penalised**2).sum() / 2
        return float(value), (scaled.T @ (found - wanted) + REGULARISATION * penalised).ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x.reshape(shape)
    return found / np.r_[spread, 1.0][:, None]


def fit_trees(features: Matrix, types: Matrix) -> lightgbm.Booster:
    """The boosted trees."""
    return lightgbm.train(TREES, lightgbm.Dataset(features, types), ROUNDS)


def predict(weights: Matrix, trees: lightgbm.Booster, features: Matrix) -> Matrix:
    """The share of each type, as `Model.probabilities` has them."""
    line = np.log(probabilities(features @ weights[:-1] + weights[-1]))
    return probabilities((line + np.log(trees.predict(features))) / 2)


def probabilities(scores: Matrix) -> Matrix:
    """Scores as probabilities: rows sum to 1."""
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def cross_validate(features: Matrix, types: Matrix, hosts: list[str]) -> Matrix:
    """The probabilities of each page by models of the other folds; a host is in one fold."""
    fold = np.array([int(hashlib.sha256(host.encode()).hexdigest(), 16) % FOLDS for host in hosts])
    found = np.zeros((len(types), len(NAMES)))
    for here in range(FOLDS):
        seen = fold != here
        found[~seen] = predict(fit_weights(features[seen], types[seen]), fit_trees(features[seen], types[seen]), features[~seen])
    return found


def precision_at(recall: float, share: Matrix, is_article: Matrix) -> tuple[float, float]:
    """(precision, threshold) where the recall of articles first reaches `recall`."""
    order = np.argsort(-share, kind="stable")
    recalls = np.cumsum(is_article[order]) / is_article.sum()
    precision = np.cumsum(is_article[order]) / np.arange(1, len(order) + 1)
    place = int(np.argmax(recalls >= recall))
    return float(precision[place]), float(share[order][place])


def report(title: str, found: Matrix, types: Matrix, threshold: float) -> None:
    """Print precision at some recalls, and the confusion table with the threshold `threshold`."""
    articles, passed = types == 0, found[:, 0] >= threshold
    at = ", ".join(f"{precision_at(recall, found[:, 0], articles)[0]:.3f} at {recall}" for recall in (0.95, 0.96, 0.97, 0.98))
    print(f"\n{title}: precision {at}")
    print(f"with threshold {threshold}: {(articles & passed).sum() / passed.sum():.3f} at {passed[articles].mean():.3f}")
    guessed = np.where(passed, 0, found[:, 1:].argmax(1) + 1)
    print(f"{'true / guessed':>15}" + "".join(f"{name:>15}" for name in NAMES))
    for place, name in enumerate(NAMES):
        print(f"{name:>15}" + "".join(f"{int(((types == place) & (guessed == other)).sum()):>15}" for other in range(len(NAMES))))


def write(names: list[str], weights: Matrix, trees: lightgbm.Booster, means: dict[str, float], threshold: float) -> None:
    """The model as JSON, one feature and one tree a line."""
    grown = [json.dumps(_nested(tree["tree_structure"]), separators=(",", ":")) for tree in trees.dump_model()["tree_info"]]
    rows = [f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in zip(names, weights[:-1].round(4).tolist(), strict=True)]
    constant = json.dumps(weights[-1].round(4).tolist())
    head = [
        f'{{"types": {json.dumps(NAMES)},',
        f'"article_threshold": {threshold},',
        f'"intercept": {constant},',
        f'"means": {json.dumps(means)},',
        '"weights": {',
    ]
    text = "\n".join([*head, ",\n".join(rows), "},", '"trees": [', ",\n".join(grown), "]}\n"])
    MODEL.write_text(text, encoding="utf-8")


def _nested(node: dict[str, Any]) -> list[Any] | float:
    if "leaf_value" in node:
        return round(node["leaf_value"], 5)
    return [node["split_feature"], round(node["threshold"], 5), _nested(node["left_child"]), _nested(node["right_child"])]


def main() -> None:
    """Judge, fit, write."""
    folder = Path(os.environ.get("CRAWLHOUSE_BENCH_DIR", "../shared/bench"))
    if not (folder / "pagetypes.zip").exists():
        sys.exit(f"The benchmark sets are not in {folder}. Set CRAWLHOUSE_BENCH_DIR.")
    rows = list(pages(folder))
    names = sorted(rows[0][2])
    features = np.array([[row[2][name] for name in names] for row in rows])
    means = {name: round(float(np.nanmean(features[:, at])), 4) for at, name in enumerate(names) if np.isnan(features[:, at]).any()}
    features = np.where(np.isnan(features), [means.get(name, 0.0) for name in names], features)
    types = np.array([NAMES.index(row[0]) for row in rows])
    declared = np.array([row[3] for row in rows])
    unseen = cross_validate(features, types, [row[1] for row in rows])
    unseen[declared] = np.eye(len(NAMES))[0]
    threshold = round(precision_at(RECALL, unseen[:, 0], types == 0)[1], 3)
    report(f"each page judged by models of other hosts ({FOLDS} folds)", unseen, types, threshold)
    weights, trees = fit_weights(features, types), fit_trees(features, types)
    fitted = predict(weights, trees, features)
    fitted[declared] = np.eye(len(NAMES))[0]
    report("fitted and judged on all", fitted, types, threshold)
    write(names, weights, trees, means, threshold)


if __name__ == "__main__":
    main()
