"""Fit the models of the dataset `pages`, for page types and main text: `python -m benchmarks.pages.train`.

Types: a softmax regression over words, then boosted trees (lightgbm) over measures and what the words say. Main text: weights of words
around and in a block, then trees over measures of the block. All is fitted on the pages of `wcxb_dev` and `pagetypes`.

What the models are worth on sites that they have not seen is told by folds of registered domains. `--folds` prints that of types and texts,
and `--half tuning` (default: both) fits on the tuning half only and scores the other half; neither writes anything.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from benchmarks.pages.fit_body import BodyFit, TokenTable, fit_body, read_tokens
from benchmarks.pages.fit_kinds import FOLDS, KindsFit, WordsFit, cross_validated_kinds, fit_kinds_model
from benchmarks.pages.samples import Matrix, Sample, fold_of, read_samples, word_f1
from processing.article.page_body import kinds, model
from processing.article.page_body.kinds import KINDS

LEAST_WEIGHT = 0.05  # of a stored word: less does not change a page's type
LEAST_TOKEN_WEIGHT = 0.003


def main(arguments: list[str] | None = None) -> int:
    """Judge by folds, fit, write or score the other half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("both", "tuning"), default="both", help="which half of the sites is fitted on")
    parser.add_argument(
        "--folds", action="store_true", help="print types and texts of all pages, each by models of other sites; write nothing"
    )
    parser.add_argument("--cache", type=Path, help="a file for the pages as they were read, which takes half of the time")
    chosen = parser.parse_args(arguments)
    samples = read_samples(chosen.cache)
    if chosen.folds:
        report_folds(samples)
    elif chosen.half == "both":
        fit_and_write(samples)
    else:
        report_unseen(samples)
    return 0


def fit_and_write(samples: Sequence[Sample]) -> None:
    """Fit both models on all pages, and write them."""
    found = cross_validated_kinds(samples)
    report_kinds("types, each page by models of other sites", samples, found)
    write_kinds(fit_kinds_model(samples))
    write_body(fit_body(samples, found, read_tokens(samples), [page for page, sample in enumerate(samples) if sample.kind]))


def report_unseen(samples: Sequence[Sample]) -> None:
    """Print types and texts of the unseen half, by models that were fitted on the tuning half."""
    tuning = [page for page, sample in enumerate(samples) if sample.half == "tuning"]
    unseen = [page for page, sample in enumerate(samples) if sample.half != "tuning"]
    fitted, left = [samples[page] for page in tuning], [samples[page] for page in unseen]
    types = np.zeros((len(samples), len(KINDS)))
    types[tuning] = cross_validated_kinds(fitted)
    report_kinds("types of tuning pages, each by models of other sites", fitted, types[tuning])
    types[unseen] = fit_kinds_model(fitted).probabilities(left)
    report_kinds("types of unseen pages", left, types[unseen])
    table = read_tokens(samples)
    body = fit_body(samples, types, table, [page for page in tuning if samples[page].kind])
    _print_texts("texts of unseen pages", _text_scores(samples, types, body, unseen))


def report_folds(samples: Sequence[Sample]) -> None:
    """Print types and texts of all pages, each by models that were fitted on other sites."""
    types = cross_validated_kinds(samples)
    report_kinds("types, each page by models of other sites", samples, types)
    _print_texts("texts, each page by models of other sites", cross_validated_texts(samples, types, read_tokens(samples)))


def cross_validated_texts(samples: Sequence[Sample], types: Matrix, table: TokenTable) -> list[tuple[str, float]]:
    """The type and the word F1 of each page, by models of other sites."""
    folds = [fold_of(sample.site, "f", FOLDS) for sample in samples]
    scores: list[tuple[str, float]] = []
    for fold in range(FOLDS):
        body = fit_body(samples, types, table, [page for page, sample in enumerate(samples) if folds[page] != fold and sample.kind])
        scores += _text_scores(samples, types, body, [page for page, own in enumerate(folds) if own == fold])
        print(f"texts: fold {fold + 1} of {FOLDS}", file=sys.stderr)
    return scores


def report_kinds(title: str, samples: Sequence[Sample], found: Matrix) -> None:
    """Print the accuracy and who is taken for whom."""
    wanted, guessed = np.array([sample.kind for sample in samples]), found.argmax(1)
    print(f"\n{title}: {len(samples)} pages, accuracy {(wanted == guessed).mean():.4f}")
    print(f"{'true / guessed':>15}" + "".join(f"{name[:13]:>15}" for name in KINDS))
    for place, name in enumerate(KINDS):
        print(f"{name:>15}" + "".join(f"{int(((wanted == place) & (guessed == other)).sum()):>15}" for other in range(len(KINDS))))


def _text_scores(samples: Sequence[Sample], types: Matrix, body: BodyFit, pages: Sequence[int]) -> list[tuple[str, float]]:
    """The type and the word F1 of some pages. A page that is taken for an article has the article reader's text."""
    scores = []
    for page in pages:
        sample, found = samples[page], types[page]
        blocks = sample.structure.blocks
        texts = sample.article if found.argmax() == 0 else [blocks[place].text for place in body.chosen(sample, page, found)]
        scores.append((KINDS[sample.kind], word_f1(texts, sample.reference)))
    return scores


def _print_texts(title: str, scores: Sequence[tuple[str, float]]) -> None:
    by_kind: dict[str, list[float]] = defaultdict(list)
    for kind, score in scores:
        by_kind[kind].append(score)
    print(f"\n{title}: {len(scores)} pages, mean word F1 {np.mean([score for _, score in scores]):.4f}")
    others = [score for kind, score in scores if kind != KINDS[0]]
    print(f"{'no articles':>15}{len(others):>6}{np.mean(others):>8.4f}")
    for kind, values in sorted(by_kind.items()):
        print(f"{kind:>15}{len(values):>6}{np.mean(values):>8.4f}")


def write_kinds(fit: KindsFit) -> None:
    """The model of page types as its file."""
    data = {"words": [_stored(part) for part in fit.words], "features": fit.features, "means": fit.means.round(4).tolist()}
    _write(kinds.MODEL, data | {"trees": _nested(fit.trees)})


def _stored(part: WordsFit) -> dict[str, object]:
    tokens = {word: [round(float(value), 2) for value in part.weights[place]] for word, place in part.vocabulary.items()}
    kept = {word: values for word, values in tokens.items() if max(map(abs, values)) > LEAST_WEIGHT}
    return {"tokens": kept, "constant": part.weights[-1].round(4).tolist()}


def write_body(fit: BodyFit) -> None:
    """The model of main text as its file."""
    weights = fit.weights.sum(1)
    kept = {fit.table.names[place]: round(float(weights[place]), 4) for place in np.flatnonzero(abs(weights) > LEAST_TOKEN_WEIGHT)}
    data = {"tokens": dict(sorted(kept.items())), "constant": round(fit.constant, 4), "trees": _nested(fit.trees)}
    _write(model.MODEL, data)


def _write(path: Path, data: dict[str, object]) -> None:
    path.write_bytes(gzip.compress(json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode(), 9, mtime=0))
    print(f"{path.name}: {path.stat().st_size:,} bytes", file=sys.stderr)


def _nested(trees: lightgbm.Booster) -> list[Any]:
    def nest(node: dict[str, Any]) -> Any:
        if "leaf_value" in node:
            return round(node["leaf_value"], 4)
        return [node["split_feature"], float(f"{node['threshold']:.6g}"), nest(node["left_child"]), nest(node["right_child"])]

    return [nest(tree["tree_structure"]) for tree in trees.dump_model()["tree_info"]]


if __name__ == "__main__":
    sys.exit(main())
