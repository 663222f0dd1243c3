"""The type of a page, one of seven: articles, documentation, forums, products, services, collections of goods and lists of texts.

Walls, errors and galleries are decided as for the table `articles`, all else by a model of its own, which also reads the words of the
page's address, headings, labels and class names, and those that readers do not see (`declared`). It tells more apart and takes more time.
`python -m benchmarks.pages.train` fits it.
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from processing.article.article import PageAnalysis
from processing.article.metadata.metadata import Metadata
from processing.article.page_body.boosting import Floats, Trees, read_trees
from processing.article.page_body.declared import declared_tokens
from processing.article.pagetype.features import page_features
from processing.article.structure.structure import Structure
from processing.article.tree.parse import Tree
from schemas.article import BlockKind, PageType
from schemas.page import Page

KindWords = tuple[frozenset[str], ...]  # in the order of `kind_words`
MODEL = Path(__file__).with_name("page_kinds.json.gz")
KINDS = ("article", "collection", "documentation", "forum", "listing", "product", "service")
MAX_BLOCKS = 1_500  # whose words are read
MAX_LABEL_CHARACTERS = 40
MAX_TEXTS, MAX_TEXT_CHARACTERS, MAX_TEXT_WORDS = 400, 600, 80  # blocks whose words are read, and how much of each
MAX_NAMES = 12  # words of one element's class and id
LONG_TEXT = 150  # characters of a block that is prose
LEAST_PROBABILITY = 1e-4
_WORD = re.compile(r"[^\W\d_]{2,20}|[$£€]|\d+")
_NAME = re.compile(r"[a-z]{2,20}|[A-Z]?[a-z]{2,20}")
_PRICE = re.compile(r"[$£€¥₹]\s?\d|\d[\d.,]*\s?(?:€|£|kr|zł|usd|eur)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WordWeights:
    """A softmax regression over words: `weights` has words x kinds."""

    weights: dict[str, tuple[float, ...]]
    constant: tuple[float, ...]

    def logarithms(self, tokens: frozenset[str]) -> Floats:
        """The logarithm of the probability of each of KINDS."""
        found = [weights for token in tokens if (weights := self.weights.get(token)) is not None]
        scores = np.array(found).sum(0) / math.sqrt(len(found) + 1) + self.constant if found else np.array(self.constant)
        logarithms: Floats = np.log(softmax(scores) + LEAST_PROBABILITY)
        return logarithms


@dataclass(frozen=True, slots=True)
class KindsModel:
    """What the groups of `kind_words` say, and the trees over that and the page's measures.

    `features` names those of `page_features`, `means` replaces what cannot be measured.
    """

    words: tuple[WordWeights, ...]
    features: tuple[str, ...]
    means: Floats
    trees: Trees

    def probabilities(self, groups: KindWords, features: dict[str, float], shape: list[float]) -> Floats:
        """The probability of each of KINDS."""
        measured = np.array([features[name] for name in self.features])
        measured = np.where(np.isnan(measured), self.means, measured)
        said = [weights.logarithms(group) for weights, group in zip(self.words, groups, strict=True)]
        row = np.concatenate((measured, shape, *said))
        return softmax(self.trees.scores(row[None, :], len(KINDS))[0])


def softmax(scores: Floats) -> Floats:
    """Scores as probabilities along the last axis."""
    powers: Floats = np.exp(scores - scores.max(-1, keepdims=True))
    shares: Floats = powers / powers.sum(-1, keepdims=True)
    return shares


@cache
def load_model() -> KindsModel:
    """The model of this installation."""
    with gzip.open(MODEL, "rt", encoding="utf-8") as file:
        data = json.load(file)
    words = tuple(
        WordWeights({word: tuple(values) for word, values in part["tokens"].items()}, tuple(part["constant"])) for part in data["words"]
    )
    return KindsModel(words, tuple(data["features"]), np.array(data["means"]), read_trees(data["trees"]))


def page_kinds(page: Page, analysis: PageAnalysis, structure: Structure) -> tuple[PageType, dict[str, float]]:
    """The page's type, and the probabilities of KINDS by name."""
    page_type, _ = analysis.classification
    if page_type in {PageType.GALLERY, PageType.SOFT_404, PageType.WALL, PageType.OTHER}:
        return page_type, {}
    if not any(block.text for block in structure.blocks):
        return PageType.OTHER, {}
    features = page_features(analysis.tree, page, analysis.metadata, analysis.outline, analysis.container)
    groups = kind_words(page.url, analysis.metadata, structure, analysis.tree)
    found = load_model().probabilities(groups, features, shape_of(structure))
    kinds = dict(zip(KINDS, map(float, found), strict=True))
    return PageType(max(kinds, key=kinds.__getitem__)), kinds


def kind_words(url: str, metadata: Metadata, structure: Structure, tree: Tree) -> KindWords:
    """The words by which a page's type is known, in three groups.

    They are those of its address, headings, labels and class names, those that readers do not see, and those of its longer texts.
    """
    return frozenset(_tokens(url, metadata, structure)), declared_tokens(tree, urlsplit(url).netloc), _text_words(structure)


def _text_words(structure: Structure) -> frozenset[str]:
    """The first words of the blocks that are no labels."""
    texts = (block.text[:MAX_TEXT_CHARACTERS] for block in structure.blocks[:MAX_TEXTS] if len(block.text) > MAX_LABEL_CHARACTERS)
    return frozenset(word for text in texts for word in _words(text, MAX_TEXT_WORDS))


def _tokens(url: str, metadata: Metadata, structure: Structure) -> Iterator[str]:
    parts = urlsplit(url)
    yield from (f"u:{word}" for word in _words(f"{parts.path} {parts.query[:100]}", 20))
    yield from (f"o:{word}" for word in _words(parts.netloc, 6))
    yield from (f"t:{word}" for word in _words(metadata.title or "", 20))
    yield from (f"k:{kind}" for kind in metadata.json_ld_types)
    for names in {element.names for element in structure.elements}:
        yield from (f"c:{word.lower()}" for word in _NAME.findall(names)[:MAX_NAMES])
    for block in structure.blocks[:MAX_BLOCKS]:
        if block.kind is BlockKind.HEADING:
            yield from (f"h:{word}" for word in _words(block.text, 10))
        if len(block.text) <= MAX_LABEL_CHARACTERS:
            yield f"s:{'_'.join(_words(block.text, 4)[:3])}"


def _words(text: str, most: int) -> list[str]:
    return ["0" if word.isdigit() else word for word in _WORD.findall(text[:1_000].lower())[:most]]


def shape_of(structure: Structure) -> list[float]:
    """Measures of the page's blocks: prices, dates, linked headings, long texts, and what repeats."""
    blocks = structure.blocks
    count = len(blocks) or 1
    lengths = [len(block.text) for block in blocks] or [0]
    total = sum(lengths) or 1
    prices = sum(len(block.text) < 60 and _PRICE.search(block.text) is not None for block in blocks)
    dates = sum(bool(block.dates) for block in blocks)
    headings = [block for block in blocks if block.kind is BlockKind.HEADING]
    long = [length for length in lengths if length > LONG_TEXT]
    repeated = Counter((element.tag, element.names, element.depth) for element in structure.elements if element.names)
    return [
        math.log1p(prices),
        prices / count,
        math.log1p(dates),
        dates / count,
        math.log1p(len(headings)),
        sum(block.linked > 0.5 * len(block.text) for block in headings) / (len(headings) + 1),
        math.log1p(len(long)),
        sum(long) / total,
        math.log1p(total),
        math.log1p(max(repeated.values(), default=0)),
        math.log1p(count),
        float(sum(block.kind is BlockKind.CODE for block in blocks)),
        sum(block.linked for block in blocks) / total,
        max(lengths) / total,
        sum("?" in block.text for block in blocks) / count,
        sum(block.linked > 0.8 * len(block.text) and len(block.text) > 30 for block in blocks) / count,
    ]
