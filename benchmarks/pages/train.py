"""Fit the models of the dataset `pages`, for page types and main text: `python -m benchmarks.pages.train`.

Types: a softmax regression over words, then boosted trees (lightgbm) over measures and what the words say. Main text: weights of words
around and in a block, then trees over measures of the block. All is fitted on the pages of `wcxb_dev` and `pagetypes`.

What the models are worth on sites that they have not seen is told by folds of registered domains. `--folds` prints that of types and texts,
and `--half tuning` (default: both) fits on the tuning half only and scores the other half; neither writes anything.
"""

from __future__ import annotations

import argparse
import difflib
import gzip
import hashlib
import json
import pickle
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from benchmarks.inputs.labelled_pages import half_of, pages
from benchmarks.peers.extractors import FETCHED_AT
from processing.article.article import analyze_page, read_article
from processing.article.page_body import kinds, model
from processing.article.page_body.features import block_features, word_counts
from processing.article.page_body.kinds import KINDS, LEAST_PROBABILITY, KindWords, kind_words, shape_of, softmax
from processing.article.page_body.page_body import best_blocks, smoothed
from processing.article.page_body.tokens import Tokens, block_tokens
from processing.article.pagetype.features import page_features
from processing.article.structure.structure import Structure
from processing.article.structure.walk import read_structure
from processing.article.tree.parse import parse
from schemas.article import Article
from schemas.page import Page
from storage.urls.surt import registered_domain

Matrix = np.ndarray
FOLDS, INNER_FOLDS = 5, 3
MIN_SITES = {"kinds": 7, "body": 5}  # that have a word, for it to count
KINDS_PENALTY, BODY_PENALTY = 0.02, 0.0015
LEAST_WEIGHT = 0.05  # of a stored word: less does not change a page's type
MAX_LABEL_WORDS = 25_000  # of a page and of its reference; the alignment takes time that grows with their product
COMMON = {"min_data_in_leaf": 40, "lambda_l2": 5, "bagging_fraction": 0.7, "bagging_freq": 1, "seed": 1, "num_threads": 1, "verbose": -1}
KIND_TREES = COMMON | {
    "objective": "multiclass", "num_class": len(KINDS), "num_leaves": 8, "learning_rate": 0.03, "feature_fraction_bynode": 0.1,
    "min_data_in_leaf": 8,
}  # fmt: skip
KIND_ROUNDS = 280
BODY_TREES = COMMON | {"objective": "cross_entropy", "num_leaves": 20, "learning_rate": 0.05, "feature_fraction": 0.3}
BODY_ROUNDS = 240
_WORD = re.compile(r"\w+")


@dataclass
class Sample:
    """A labelled page as the models see it. `labels` is the share of each block's words that the reference text has."""

    kind: int
    site: str
    half: str
    reference: Counter[str]
    structure: Structure
    article: list[str]
    words_of_kinds: KindWords
    measures: dict[str, float]
    shape: list[float]
    labels: Matrix

    @property
    def words(self) -> Matrix:
        """The number of words of each block."""
        return word_counts(self.structure)


def main(arguments: list[str] | None = None) -> int:
    """Judge by folds, fit, write or score the other half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("both", "tuning"), default="both", help="which half of the sites is fitted on")
    parser.add_argument(
        "--folds", action="store_true", help="print types and texts of all pages, each by models of other sites; write nothing"
    )
    parser.add_argument("--cache", type=Path, help="a file for the pages as they were read, which takes most of the time")
    chosen = parser.parse_args(arguments)
    samples = _samples(chosen.cache)
    if chosen.folds:
        report_folds(samples)
        return 0
    fitted = [sample for sample in samples if chosen.half in {"both", sample.half}]
    found, fit_kinds = cross_validated_kinds(fitted)
    report_kinds(f"types of {chosen.half} pages, each judged by models of other sites", fitted, found)
    body = fit_body([sample for sample in fitted if sample.kind], [row for sample, row in zip(fitted, found, strict=True) if sample.kind])
    if chosen.half == "both":
        write_kinds(fit_kinds)
        write_body(body)
        return 0
    unseen = [sample for sample in samples if sample.half != "tuning"]
    found = fit_kinds.probabilities(unseen)
    report_kinds("types of unseen pages", unseen, found)
    report_texts("texts of unseen pages", unseen, found, body)
    return 0


def _samples(cache: Path | None) -> list[Sample]:
    if cache is not None and cache.exists():
        samples: list[Sample] = pickle.loads(cache.read_bytes())
        return samples
    samples = [sample for name in ("wcxb_dev", "pagetypes") for sample in _read(name)]
    if cache is not None:
        cache.write_bytes(pickle.dumps(samples))
    return samples


def _read(name: str) -> Iterator[Sample]:
    for count, (row, html) in enumerate(pages(name)):
        page = Page(row["url"], html, fetched_at=FETCHED_AT)
        tree = parse(html)
        found = read_article(page, tree=tree)
        analysis = analyze_page(page, None, tree)
        structure = read_structure(tree, page.url)
        kind = KINDS.index(row.get("page_type", "article"))
        reference = _WORD.findall((row["body"] or [""])[0].lower())
        yield Sample(
            kind=kind,
            site=registered_domain(row["host"]) or row["host"],
            half=half_of(row["host"]),
            reference=Counter(reference),
            structure=structure,
            article=[block.text for block in found.blocks] if isinstance(found, Article) else [],
            words_of_kinds=kind_words(page.url, analysis.metadata, structure, tree),
            measures=page_features(tree, page, analysis.metadata, analysis.outline, analysis.container),
            shape=shape_of(structure),
            labels=_labels(structure, reference) if kind else np.zeros(len(structure.blocks)),
        )
        if count % 100 == 0:
            print(name, count, file=sys.stderr)


def _labels(structure: Structure, reference: list[str]) -> Matrix:
    """The share of each block's words that stand in the reference, in its order."""
    wanted = set(reference)
    words: list[str] = []
    owners: list[int] = []
    counts = np.zeros(len(structure.blocks))
    for place, block in enumerate(structure.blocks):
        for word in _WORD.findall(block.text.lower()):
            counts[place] += 1
            if word in wanted:
                words.append(word)
                owners.append(place)
    hits = np.zeros(len(structure.blocks))
    if max(len(words), len(reference)) < MAX_LABEL_WORDS:
        for match in difflib.SequenceMatcher(None, words, reference, autojunk=False).get_matching_blocks():
            for owner in owners[match.a : match.a + match.size]:
                hits[owner] += 1
    labels: Matrix = hits / np.maximum(counts, 1)
    return labels


def _fold(site: str, salt: str, folds: int) -> int:
    return hashlib.sha256(f"{salt}{site}".encode()).digest()[0] % folds


def _vocabulary(bags: Sequence[tuple[str, set[str]]], least: int) -> dict[str, int]:
    """The words that at least so many sites have, numbered."""
    sites: dict[str, set[str]] = defaultdict(set)
    for site, bag in bags:
        for word in bag:
            sites[word].add(site)
    return {word: place for place, word in enumerate(sorted(word for word, found in sites.items() if len(found) >= least))}


def _bags(groups: Sequence[Sequence[str]], vocabulary: dict[str, int], *, scaled: bool) -> Any:
    """A sparse matrix: rows x words. `scaled`: each row by the root of its number of words."""
    places: list[int] = []
    values: list[float] = []
    ends = [0]
    for group in groups:
        known = [vocabulary[word] for word in group if word in vocabulary]
        places += known
        values += [1 / np.sqrt(len(known) + 1) if scaled else 1.0] * len(known)
        ends.append(len(places))
    return sparse.csr_matrix((values, places, ends), shape=(len(groups), len(vocabulary)))


# ---- page types


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


def cross_validated_kinds(samples: Sequence[Sample]) -> tuple[Matrix, KindsFit]:
    """The probabilities of each page by models of other sites, and the model of all."""
    folds = np.array([_fold(sample.site, "f", FOLDS) for sample in samples])
    found = np.zeros((len(samples), len(KINDS)))
    for fold in range(FOLDS):
        seen = [sample for sample, own in zip(samples, folds, strict=True) if own != fold]
        found[folds == fold] = fit_kinds_model(seen).probabilities(
            [sample for sample, own in zip(samples, folds, strict=True) if own == fold]
        )
    return found, fit_kinds_model(samples)


def fit_kinds_model(samples: Sequence[Sample]) -> KindsFit:
    """Fit words, then trees, which see what words say of sites that they were not fitted on."""
    features = sorted(samples[0].measures)
    measures = np.array([[sample.measures[name] for name in features] for sample in samples])
    means = np.nan_to_num(np.nanmean(measures, 0))
    words, outside = zip(*(_fit_words(samples, group) for group in range(len(samples[0].words_of_kinds))), strict=True)
    kinds_of = np.array([sample.kind for sample in samples])
    trees = lightgbm.train(KIND_TREES, lightgbm.Dataset(_rows(samples, features, means, outside), kinds_of), KIND_ROUNDS)
    return KindsFit(list(words), features, means, trees)


def _rows(samples: Sequence[Sample], features: list[str], means: Matrix, said: Sequence[Matrix]) -> Matrix:
    measures = np.array([[sample.measures[name] for name in features] for sample in samples])
    measures = np.where(np.isnan(measures), means, measures)
    return np.hstack([measures, np.array([sample.shape for sample in samples]), *said])


def _fit_words(samples: Sequence[Sample], group: int) -> tuple[WordsFit, Matrix]:
    """The weights by all samples, and what the words say of each sample by weights of other sites."""
    bags_of = [(sample.site, set(sample.words_of_kinds[group])) for sample in samples]
    vocabulary = _vocabulary(bags_of, MIN_SITES["kinds"])
    inner = np.array([_fold(sample.site, "i", INNER_FOLDS) for sample in samples])
    outside = np.zeros((len(samples), len(KINDS)))
    for fold in range(INNER_FOLDS):
        seen = [sample for sample, own in zip(samples, inner, strict=True) if own != fold]
        here = [sample for sample, own in zip(samples, inner, strict=True) if own == fold]
        outside[inner == fold] = WordsFit(group, vocabulary, _word_weights(seen, vocabulary, group)).logarithms(here)
    return WordsFit(group, vocabulary, _word_weights(samples, vocabulary, group)), outside


def _word_bags(samples: Sequence[Sample], vocabulary: dict[str, int], group: int) -> Any:
    return _bags([sorted(sample.words_of_kinds[group]) for sample in samples], vocabulary, scaled=True)


def _word_weights(samples: Sequence[Sample], vocabulary: dict[str, int], group: int) -> Matrix:
    bags = _word_bags(samples, vocabulary, group)
    wanted = np.eye(len(KINDS))[[sample.kind for sample in samples]]

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        weights = flat.reshape(-1, len(KINDS))
        found = softmax(bags @ weights[:-1] + weights[-1])
        value = -np.log((found * wanted).sum(1) + 1e-12).sum() + KINDS_PENALTY * (weights[:-1] ** 2).sum() / 2
        slope = found - wanted
        return float(value), np.vstack([bags.T @ slope + KINDS_PENALTY * weights[:-1], slope.sum(0)]).ravel()

    start = np.zeros((len(vocabulary) + 1) * len(KINDS))
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 60}).x).reshape(-1, len(KINDS))


# ---- main text


@dataclass
class BodyFit:
    """The fitted model of main text."""

    vocabulary: dict[str, int]
    weights: Matrix
    trees: lightgbm.Booster

    def chosen(self, sample: Sample, types: Matrix) -> list[int]:
        """The blocks that are chosen of a page."""
        if not sample.structure.blocks:
            return []
        rows = _block_rows(sample, types, _token_scores(block_tokens(sample.structure), self.vocabulary, self.weights))
        return best_blocks(smoothed(np.asarray(self.trees.predict(rows)), dict(zip(KINDS, map(float, types), strict=True))), sample.words)


def fit_body(samples: Sequence[Sample], types: Sequence[Matrix]) -> BodyFit:
    """Fit weights of words, then trees, which see what words say on sites that they were not fitted on."""
    pairs = [(sample, row) for sample, row in zip(samples, types, strict=True) if sample.structure.blocks]
    tokens = [block_tokens(sample.structure) for sample, _ in pairs]
    bags = [
        (sample.site, {word for groups in own for group in groups for word in group})
        for (sample, _), own in zip(pairs, tokens, strict=True)
    ]
    vocabulary = _vocabulary(bags, MIN_SITES["body"])
    inner = [_fold(sample.site, "b", INNER_FOLDS) for sample, _ in pairs]
    rows: list[Matrix | None] = [None] * len(pairs)
    for fold in range(INNER_FOLDS):
        seen = [place for place, own in enumerate(inner) if own != fold]
        weights = _fit_blocks([pairs[place][0] for place in seen], [tokens[place] for place in seen], vocabulary)
        for place, own in enumerate(inner):
            if own == fold:
                rows[place] = _block_rows(*pairs[place], _token_scores(tokens[place], vocabulary, weights))
    data = np.concatenate([row for row in rows if row is not None])
    labels = np.concatenate([sample.labels for sample, _ in pairs])
    weight = np.concatenate([_weight(sample) for sample, _ in pairs])
    trees = lightgbm.train(BODY_TREES, lightgbm.Dataset(data, labels, weight=weight / weight.mean()), BODY_ROUNDS)
    return BodyFit(vocabulary, _fit_blocks([sample for sample, _ in pairs], tokens, vocabulary), trees)


def _block_rows(sample: Sample, types: Matrix, scores: Matrix) -> Matrix:
    named = dict(zip(KINDS, map(float, types), strict=True))
    return block_features(sample.structure, scores, named, sample.words, sample.article)


def _weight(sample: Sample) -> Matrix:
    """Every page weighs the same, a block by the root of its words."""
    roots = np.sqrt(sample.words)
    return roots / (roots.sum() or 1.0)


def _token_scores(tokens: Sequence[tuple[Tokens, Tokens, Tokens]], vocabulary: dict[str, int], weights: Matrix) -> Matrix:
    groups = [_bags([groups[place] for groups in tokens], vocabulary, scaled=False) @ weights[:-1] for place in range(3)]
    groups[0] = groups[0] + weights[-1]
    return np.stack(groups, 1)


def _fit_blocks(samples: Sequence[Sample], tokens: Sequence[Sequence[tuple[Tokens, Tokens, Tokens]]], vocabulary: dict[str, int]) -> Matrix:
    bags = _bags([[*groups[0], *groups[1], *groups[2]] for own in tokens for groups in own], vocabulary, scaled=False)
    labels = np.concatenate([sample.labels for sample in samples])
    weight = np.concatenate([_weight(sample) for sample in samples])
    weight = weight / weight.sum()

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        found = 1 / (1 + np.exp(-(bags @ weights[:-1] + weights[-1])))
        value = -(weight * (labels * np.log(found + 1e-9) + (1 - labels) * np.log(1 - found + 1e-9))).sum()
        slope = weight * (found - labels)
        return float(value + BODY_PENALTY * (weights[:-1] ** 2).sum() / 2), np.r_[bags.T @ slope + BODY_PENALTY * weights[:-1], slope.sum()]

    return np.asarray(minimize(loss, np.zeros(len(vocabulary) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 60}).x)


# ---- reports and files


def report_kinds(title: str, samples: Sequence[Sample], found: Matrix) -> None:
    """Print the accuracy and who is taken for whom."""
    wanted, guessed = np.array([sample.kind for sample in samples]), found.argmax(1)
    print(f"\n{title}: {len(samples)} pages, accuracy {(wanted == guessed).mean():.4f}")
    print(f"{'true / guessed':>15}" + "".join(f"{name[:13]:>15}" for name in KINDS))
    for place, name in enumerate(KINDS):
        print(f"{name:>15}" + "".join(f"{int(((wanted == place) & (guessed == other)).sum()):>15}" for other in range(len(KINDS))))


def report_folds(samples: Sequence[Sample]) -> None:
    """Print types and texts of all pages, each by models that were fitted on other sites."""
    found, _ = cross_validated_kinds(samples)
    report_kinds("types, each page by models of other sites", samples, found)
    folds = [_fold(sample.site, "f", FOLDS) for sample in samples]
    scores: list[tuple[str, float]] = []
    for fold in range(FOLDS):
        pairs = list(zip(samples, found, folds, strict=True))
        seen = [(sample, types) for sample, types, own in pairs if own != fold and sample.kind]
        body = fit_body([sample for sample, _ in seen], [types for _, types in seen])
        here = [(sample, types) for sample, types, own in pairs if own == fold]
        scores += _text_scores([sample for sample, _ in here], np.array([types for _, types in here]), body)
    _print_texts("texts, each page by models of other sites", scores)


def report_texts(title: str, samples: Sequence[Sample], found: Matrix, body: BodyFit) -> None:
    """Print the mean word F1 by type."""
    _print_texts(title, _text_scores(samples, found, body))


def _text_scores(samples: Sequence[Sample], found: Matrix, body: BodyFit) -> list[tuple[str, float]]:
    """The type and the word F1 of each page. A page that is taken for an article has the article reader's text."""
    scores = []
    for sample, types in zip(samples, found, strict=True):
        texts = sample.article if types.argmax() == 0 else [sample.structure.blocks[place].text for place in body.chosen(sample, types)]
        scores.append((KINDS[sample.kind], _word_f1(texts, sample.reference)))
    return scores


def _print_texts(title: str, scores: Sequence[tuple[str, float]]) -> None:
    by_kind: dict[str, list[float]] = defaultdict(list)
    for kind, score in scores:
        by_kind[kind].append(score)
    print(f"\n{title}: {len(scores)} pages, mean word F1 {np.mean([score for _, score in scores]):.4f}")
    for kind, values in by_kind.items():
        print(f"{kind:>15}{len(values):>6}{np.mean(values):>8.4f}")


def _word_f1(texts: Sequence[str], reference: Counter[str]) -> float:
    found = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    shared = (found & reference).total()
    if not shared:
        return float(not found and not reference)
    return 2 * shared / (found.total() + reference.total())


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
    tokens = {word: round(float(fit.weights[place]), 4) for word, place in fit.vocabulary.items()}
    kept = {word: value for word, value in tokens.items() if abs(value) > 0.003}
    _write(model.MODEL, {"tokens": kept, "constant": round(float(fit.weights[-1]), 4), "trees": _nested(fit.trees)})


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
