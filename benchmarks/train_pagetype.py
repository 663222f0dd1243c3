"""Fit the page type's weights: `python -m benchmarks.train_pagetype` prints how they judge and writes pagetypeweights.py.

Softmax regression over `page_features`, L2-regularised, on the benchmark's articles and its 704 other pages. It is fitted on each half of
the hosts and judged on the other, then on both for the weights that are kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from processing.article.metadata import read_metadata
from processing.article.pagefeatures import page_features
from processing.article.parse import parse
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
REGULARISATION = 3.0
RECALL = 0.97
FETCHED_AT = datetime(2026, 6, 1, tzinfo=UTC)
OUTPUT = Path(__file__).parents[1] / "processing" / "article" / "pagetypeweights.py"

Matrix = np.ndarray


def pages(folder: Path) -> Iterator[tuple[str, str, dict[str, float]]]:
    """(type, host, features) of every labelled page."""
    for name in ("wcxb_dev", "pagetypes"):
        with zipfile.ZipFile(folder / f"{name}.zip") as archive:
            for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").strip("\n").split("\n"):
                row = json.loads(line)
                html = archive.read(row["member"]).decode("utf-8", "replace")
                page = Page(url=row["url"], html=html, fetched_at=FETCHED_AT)
                tree = parse(html)
                yield TYPES[row.get("page_type", "article")], row["host"], page_features(tree, page, read_metadata(tree, page))


def fit(features: Matrix, types: Matrix) -> Matrix:
    """Weights, features x types; the last feature is the constant and goes unregularised."""
    shape = (features.shape[1], len(NAMES))
    wanted = np.eye(len(NAMES))[types]

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(shape)
        found = shares(features, weights)
        penalised = weights.copy()
        penalised[-1] = 0
        value = -np.log((found * wanted).sum(1) + 1e-12).sum() + REGULARISATION * (penalised**2).sum() / 2
        return float(value), (features.T @ (found - wanted) + REGULARISATION * penalised).ravel()

    return minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x.reshape(shape)


def shares(features: Matrix, weights: Matrix) -> Matrix:
    """The share of each type, rows sum to 1."""
    scores = features @ weights
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def threshold(share: Matrix, is_article: Matrix) -> tuple[float, float]:
    """(precision, threshold) where the recall of articles first reaches RECALL."""
    order = np.argsort(-share)
    recall = np.cumsum(is_article[order]) / is_article.sum()
    precision = np.cumsum(is_article[order]) / np.arange(1, len(order) + 1)
    place = int(np.argmax(recall >= RECALL))
    return float(precision[place]), float(share[order][place])


def report(title: str, found: Matrix, types: Matrix) -> float:
    """Print precision at RECALL and the confusion table; the threshold."""
    precision, least = threshold(found[:, 0], types == 0)
    print(f"\n{title}: precision {precision:.4f} at recall {RECALL}, threshold {least:.3f}")
    guessed = np.where(found[:, 0] >= least, 0, found[:, 1:].argmax(1) + 1)
    print(f"{'true / guessed':>15}" + "".join(f"{name:>15}" for name in NAMES))
    for place, name in enumerate(NAMES):
        print(f"{name:>15}" + "".join(f"{int(((types == place) & (guessed == other)).sum()):>15}" for other in range(len(NAMES))))
    return least


def write(names: list[str], weights: Matrix, least: float) -> None:
    """The table as a Python module, one feature a line."""
    out = io.StringIO()
    out.write('"""Weights of the page type, fitted by benchmarks/train_pagetype.py. One line a feature, one column a type."""\n\n')
    out.write(f"TYPES = {tuple(NAMES)!r}\n".replace("'", '"'))
    out.write(f"ARTICLE_SHARE = {least:.3f}  # the share from which on a page counts as an article\n")
    out.write("WEIGHTS = {\n")
    for name, row in zip([*names, "constant"], weights, strict=True):
        out.write(f'    "{name}": ({", ".join(f"{value:.2f}" for value in row)}),\n')
    out.write("}\n")
    OUTPUT.write_text(out.getvalue(), encoding="utf-8")


def main() -> None:
    """Fit, judge, write."""
    folder = Path(os.environ.get("CRAWLHOUSE_BENCH_DIR", "../shared/bench"))
    if not (folder / "pagetypes.zip").exists():
        sys.exit(f"The benchmark sets are not in {folder}. Set CRAWLHOUSE_BENCH_DIR.")
    rows = list(pages(folder))
    names = sorted(rows[0][2])
    features = np.array([[row[2][name] for name in names] + [1.0] for row in rows])
    types = np.array([NAMES.index(row[0]) for row in rows])
    half = np.array([int(hashlib.sha256(row[1].encode()).hexdigest(), 16) % 2 for row in rows])
    crossed = np.zeros((len(rows), len(NAMES)))
    for side in (0, 1):
        weights = fit(features[half == side], types[half == side])
        crossed[half != side] = shares(features[half != side], weights)
        report(f"fitted on half {side}, judged on half {1 - side}", crossed[half != side], types[half != side])
    unseen = report("every page judged by the half it was not in", crossed, types)
    weights = fit(features, types).round(2)
    found = shares(features, weights)
    # Shares of unseen pages are less sharp: half way between what suits these pages and what suits others.
    least = round((unseen + report("fitted and judged on all", found, types)) / 2, 3)
    articles, passed = types == 0, found[:, 0] >= least
    print(f"\nkept: threshold {least}, precision {(articles & passed).sum() / passed.sum():.4f}, recall {passed[articles].mean():.4f}")
    write(names, weights, least)


if __name__ == "__main__":
    main()
