"""Measures of each block of a page: what it is, where it stands, what repeats around it, and what its tokens and those near it say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from processing.article.page_body.comments import Comment
from processing.article.structure.structure import Structure, StructureBlock
from schemas.article import BlockKind

Floats = npt.NDArray[np.float64]

_WORD = re.compile(r"\w+")
_PRICE = re.compile(r"[$£€¥₹]\s?\d|\d[\d.,]*\s?(?:€|£|kr|zł|usd|eur)\b", re.IGNORECASE)
_DATE = re.compile(r"\b(?:19|20)\d\d\b|\b(?:ago|today|yesterday)\b|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}", re.IGNORECASE)
_LEGAL = re.compile(r"©|\(c\)|copyright|all rights reserved|privacy|cookie|terms", re.IGNORECASE)
_STOPS = frozenset('.!?:”"’…)。！？')
_KINDS = tuple(BlockKind)
_AREAS = ("main", "article", "header", "footer", "aside", "form", "section", "li", "td", "figure", "address", "details")
_AREA_NAMES = {
    "in_main": re.compile(r"\bmain\b|content", re.IGNORECASE),
    "in_nav": re.compile(r"\bnav|menu|breadcrumb|toc\b", re.IGNORECASE),
    "in_footer": re.compile(r"foot", re.IGNORECASE),
    "in_side": re.compile(r"side|related|recommend|widget|promo", re.IGNORECASE),
    "in_comments": re.compile(r"comment|repl(?:y|ies)|review|answer|post", re.IGNORECASE),
    "in_product": re.compile(r"product|price|description|detail|spec", re.IGNORECASE),
    "in_card": re.compile(r"card|item|tile|teaser|grid|list", re.IGNORECASE),
    "in_dialog": re.compile(r"modal|popup|dialog|cookie|consent|drawer|overlay|tooltip", re.IGNORECASE),
}
MAX_ANCESTORS = 30
CARD_LEVELS = 5  # elements above a block among which the repeated one is looked for
TYPES = ("article", "collection", "documentation", "forum", "listing", "product", "service")


def word_counts(structure: Structure) -> Floats:
    """The number of words of each block."""
    return np.array([len(_WORD.findall(block.text)) for block in structure.blocks], dtype=np.float64)


def block_features(
    structure: Structure,
    scores: Floats,
    types: Mapping[str, float],
    words: Floats,
    article: Collection[str],
    comments: Sequence[Comment],
) -> Floats:
    """Blocks x features. `scores` is blocks x 3: what the tokens say. `types` are the probabilities of the page's types.

    `article` has the texts of the blocks that the article reader took, `comments` are the page's posts and comments.
    """
    columns = [
        *_own(structure.blocks, words),
        *_places(structure, words),
        *_areas(structure),
        *_surroundings(structure, scores, words),
        *_repetitions(structure, scores, words),
        *_tokens(scores),
        *(np.full(len(words), types.get(name, 0.0)) for name in TYPES),
        *_in_article(structure, article, words),
        *_in_comments(structure, comments, words),
    ]
    return np.array(columns, dtype=np.float64).T


def _own(blocks: Sequence[StructureBlock], words: Floats) -> list[Floats]:
    texts = [block.text for block in blocks]
    lengths = np.array([len(text) for text in texts], dtype=np.float64)
    counts = Counter(texts)
    seen: Counter[str] = Counter()
    earlier = []
    for text in texts:
        earlier.append(float(seen[text]))
        seen[text] += 1
    return [
        *(np.array([float(block.kind is kind) for block in blocks]) for kind in _KINDS),
        np.array([float(block.level) for block in blocks]),
        np.array([float(len(block.containers)) for block in blocks]),
        np.log1p(lengths),
        np.log1p(words),
        lengths / np.maximum(words, 1),
        np.array([min(block.linked / (len(block.text) or 1), 1.0) for block in blocks]),
        np.array([float(text[-1:] in _STOPS) for text in texts]),
        np.array([float(text[:1].isupper()) for text in texts]),
        np.array([sum(map(str.isdigit, text[:200])) / (len(text[:200]) or 1) for text in texts]),
        np.array([float(_PRICE.search(text[:200]) is not None) for text in texts]),
        np.array([float(bool(block.dates) or (len(block.text) < 120 and _DATE.search(block.text) is not None)) for block in blocks]),
        np.array([float(_LEGAL.search(text[:300]) is not None) for text in texts]),
        np.array([text.count(",") / (len(text) or 1) for text in texts]),
        np.log1p(np.array([float(counts[text]) for text in texts])),
        np.array(earlier),
    ]


def _places(structure: Structure, words: Floats) -> list[Floats]:
    count = len(words)
    total = words.sum() or 1.0
    before = np.cumsum(words) - words
    heads = [index for index, block in enumerate(structure.blocks) if block.kind is BlockKind.HEADING and block.level == 1]
    first, last = (heads[0], heads[-1]) if heads else (-1, -1)
    index = np.arange(count, dtype=np.float64)
    headings = np.zeros(count)
    level = np.zeros(count)
    since, current = 0.0, 7.0
    for place, block in enumerate(structure.blocks):
        since += 1
        if block.kind is BlockKind.HEADING:
            since, current = 0.0, float(block.level)
        headings[place], level[place] = since, current
    return [
        index / max(count, 1),
        before / total,
        np.log1p(before),
        np.log1p(total - before),
        np.full(count, float(len(heads))),
        np.clip(index - first, -50, 50) if heads else np.full(count, -99.0),
        np.clip(index - last, -50, 50) if heads else np.full(count, -99.0),
        np.minimum(headings, 50),
        level,
        np.full(count, np.log1p(count)),
        np.full(count, np.log1p(total)),
        np.full(count, sum(block.linked for block in structure.blocks) / (sum(len(block.text) for block in structure.blocks) + 1)),
    ]


def _areas(structure: Structure) -> list[Floats]:
    """In which areas of the page a block stands, by tags and names of the elements around it."""
    names = len(_AREAS) + len(_AREA_NAMES)
    by_element: list[list[float]] = []
    for element in structure.elements:
        around = by_element[element.parent] if element.parent >= 0 else [0.0] * names
        named = f"{element.names} {element.role}"
        own = [float(element.tag == tag) for tag in _AREAS]
        own += (
            [float(pattern.search(named) is not None) for pattern in _AREA_NAMES.values()]
            if element.parent >= 0
            else [0.0] * len(_AREA_NAMES)
        )
        by_element.append([max(one, other) for one, other in zip(own, around, strict=True)])
    rows = [by_element[block.element] for block in structure.blocks]
    table = np.array(rows, dtype=np.float64).T if rows else np.zeros((names, 0))
    hidden = np.array([float(structure.elements[block.element].is_hidden) for block in structure.blocks])
    depth = np.array([float(structure.elements[block.element].depth) for block in structure.blocks])
    return [*table, hidden, depth]


def _surroundings(structure: Structure, scores: Floats, words: Floats) -> list[Floats]:
    """Sums over the elements around a block: its nearest one, and those of at least 3, 20 and 60 % of the page's words."""
    total = words.sum() or 1.0
    linked = np.array([float(block.linked) for block in structure.blocks])
    lengths = np.array([float(len(block.text)) for block in structure.blocks])
    sums = [np.concatenate(([0.0], np.cumsum(values))) for values in (words, linked, lengths, scores.sum(1) * words, np.ones(len(words)))]
    levels = (0.0, 0.03, 0.2, 0.6)
    chosen = _elements_by_share(structure, sums[0], total, levels)
    columns: list[Floats] = []
    for place in range(len(levels)):
        elements = chosen[:, place]
        starts = np.array([structure.elements[element].start for element in elements], dtype=int)
        ends = np.array([structure.elements[element].end for element in elements], dtype=int)
        own_words, own_linked, own_lengths, own_scores, own_blocks = (values[ends] - values[starts] for values in sums)
        columns += [
            own_words / total,
            own_linked / (own_lengths + 1),
            own_scores / (own_words + 1),
            np.log1p(own_words / (own_blocks + 1)),
            np.log1p(own_blocks),
        ]
    return columns


def _elements_by_share(structure: Structure, sums: Floats, total: float, levels: Sequence[float]) -> npt.NDArray[np.int64]:
    """Blocks x levels: the nearest element around each block with at least that share of the page's words."""
    shares = [(sums[element.end] - sums[element.start]) / total for element in structure.elements]
    nearest: list[list[int]] = []
    for index, element in enumerate(structure.elements):
        around = nearest[element.parent] if element.parent >= 0 else [0] * len(levels)
        nearest.append([index if shares[index] >= level else other for level, other in zip(levels, around, strict=True)])
    return np.array([nearest[block.element] for block in structure.blocks], dtype=int).reshape(-1, len(levels))


def _repetitions(structure: Structure, scores: Floats, words: Floats) -> list[Floats]:
    """Cards, posts, products: the element around a block that repeats most often on the page, and what all of its kind have."""
    signatures = [(element.tag, element.names, element.depth) for element in structure.elements]
    counts = Counter(signatures)
    best: list[tuple[int, int]] = []
    for index, element in enumerate(structure.elements):
        own = counts[signatures[index]] if element.tag not in {"p", "br"} else 1
        around = best[element.parent] if element.parent >= 0 else (1, 0)
        best.append((own, index) if own > around[0] else around)
    blocks = structure.blocks
    repeated = np.array([float(best[block.element][0]) for block in blocks])
    size = np.array(
        [float(structure.elements[best[block.element][1]].end - structure.elements[best[block.element][1]].start) for block in blocks]
    )
    paths = [
        (
            structure.elements[block.element].tag,
            structure.elements[block.element].names,
            structure.elements[block.element].depth,
            block.kind,
        )
        for block in blocks
    ]
    numbers = {path: number for number, path in enumerate(dict.fromkeys(paths))}
    of = np.array([numbers[path] for path in paths], dtype=int)
    alike = np.bincount(of, minlength=len(numbers)) if len(of) else np.zeros(0)
    means = np.bincount(of, weights=scores.sum(1), minlength=len(numbers)) / np.maximum(alike, 1) if len(of) else alike
    mean_words = np.bincount(of, weights=words, minlength=len(numbers)) / np.maximum(alike, 1) if len(of) else alike
    return [np.log1p(repeated), np.log1p(size), np.log1p(alike[of]), means[of], np.log1p(mean_words[of])]


def _tokens(scores: Floats) -> list[Floats]:
    """What the tokens say, of the block and of those before and behind it."""
    total = scores.sum(1)
    columns = [*scores.T, total]
    for distance in (1, 2, 3):
        columns += [
            np.concatenate((np.zeros(distance), total[:-distance]))[: len(total)],
            np.concatenate((total[distance:], np.zeros(distance)))[: len(total)],
        ]
    kernel = np.ones(11) / 11
    columns.append(
        np.convolve(total, kernel, mode="same")[: len(total)]
        if len(total) >= 11
        else np.full(len(total), total.mean() if len(total) else 0.0)
    )
    columns.append(np.full(len(total), total.mean() if len(total) else 0.0))
    return columns


def _in_article(structure: Structure, article: Collection[str], words: Floats) -> list[Floats]:
    """What the article reader took, of the block, of the page, and near the block."""
    own = set(article)
    taken = np.array([float(block.text in own) for block in structure.blocks])
    share = (taken * words).sum() / (words.sum() or 1.0)
    return [taken, np.full(len(taken), share), _mean_of_seven(taken)]


def _in_comments(structure: Structure, comments: Sequence[Comment], words: Floats) -> list[Floats]:
    """Whether the block is a line of a post or comment, whether such lines are near, or both before and behind it, and what they are."""
    lines = {line for comment in comments for line in comment.text.split("\n")}
    taken = np.array([float(block.text in lines) for block in structure.blocks])
    count = len(taken)
    before = np.cumsum(taken) - taken
    behind = taken.sum() - np.cumsum(taken)
    dated = sum(comment.published_at is not None for comment in comments) / (len(comments) or 1)
    return [
        taken,
        np.full(count, (taken * words).sum() / (words.sum() or 1.0)),
        _mean_of_seven(taken),
        np.full(count, np.log1p(len(comments))),
        np.minimum(before, 1) * np.minimum(behind, 1),
        np.full(count, dated),
    ]


def _mean_of_seven(values: Floats) -> Floats:
    """The mean of each value and the three on both sides; the values themselves if there are fewer."""
    return np.convolve(values, np.ones(7) / 7, mode="same")[: len(values)] if len(values) >= 7 else values
