"""Features of a page's shape, from its outline: where its prose is, how it is divided, what repeats, and its voice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import log1p, nan

from processing.article.kinds import CAPTION, CODE, HEADING, LIST_ITEM, PARAGRAPH, QUOTE, TABLE
from processing.article.outline.outline import Outline, TextBlock
from processing.article.pagetype.words import SIGNS, VOICES
from processing.article.tree.scripts import reading_length
from schemas.article import BlockKind

LONG_PARAGRAPH = 80  # characters
OPENING = 120  # characters of the paragraph with which a text begins
MAX_PROSE_CHARACTERS = 2_000
LETTERS_PER_WORD = 8  # bytes of UTF-8
MIN_SPOKEN_CHARACTERS = 150  # of prose: less does not tell its language
ENGLISH_SHARE = 0.05  # of an English text's words are at least these
_ENGLISH = ("the", "and", "of", "to")
_NEAR_HEADLINE = 7  # text blocks: so near stand date and byline
_STOPS = frozenset('.!?:”"’…)。！？')
_BYLINE = re.compile(r"20[12]\d|min read|\bby\b")
_COUNTED = (
    PARAGRAPH,
    HEADING,
    LIST_ITEM,
    QUOTE,
    TABLE,
    CAPTION,
    CODE,
)


def shape_features(outline: Outline, container: int, linked: int) -> dict[str, float]:
    """The features by name, each about 0 to 1; `linked` is the number of characters in the page's links."""
    weights = [block.prose for block in outline.text_blocks]
    element = outline.elements[container]
    inside = slice(element.start, element.end)
    text_blocks, own = outline.text_blocks[inside], weights[inside]
    return {
        **dict(_page_features(outline, weights, linked)),
        **dict(_headline_features(outline, weights)),
        **dict(_container_features(outline, container, weights)),
        **dict(_kind_features(text_blocks)),
        **dict(_paragraph_features(text_blocks, own)),
        **dict(_repetition_features(outline, container, weights)),
        **dict(_voice_features(" ".join([block.text for block, weight in zip(text_blocks, own, strict=True) if weight]))),
    }


def _words(text: str) -> int:
    """About how many words a text has; in scripts without blanks by its length."""
    return max(len(text.split()), len(text.encode("utf-8", "replace")) // LETTERS_PER_WORD)


def _log(value: float, most: float) -> float:
    return min(log1p(value) / log1p(most), 1.0)


def _page_features(outline: Outline, weights: list[int], linked: int) -> Iterator[tuple[str, float]]:
    text_blocks, total = outline.text_blocks, sum(weights)
    text = sum([block.length for block in text_blocks]) + 1
    by_parent: Counter[int] = Counter()
    for block, weight in zip(text_blocks, weights, strict=True):
        if weight >= LONG_PARAGRAPH:
            element = outline.elements[block.element]
            by_parent[element.parent if element.tag == "p" else block.element] += weight
    densest = max(by_parent.values(), default=0)
    yield "prose", _log(total, 20_000)
    yield "prose_of_text", total / text
    yield "prose_of_links", total / (total + linked + 1)
    yield "text", _log(text, 40_000)
    yield "text_linked", sum([block.linked for block in text_blocks]) / text
    yield "text_blocks", _log(len(text_blocks), 500)
    yield "parents", _log(len(by_parent), 30)
    yield "densest", _log(densest, 20_000)
    yield "densest_share", densest / (total + 1)
    yield "no_prose", float(total < 500)
    yield "body_promised", float(any(element.body for element in outline.elements))


def _headline_features(outline: Outline, weights: list[int]) -> Iterator[tuple[str, float]]:
    """Where the `h1` is, and what follows it."""
    text_blocks = outline.text_blocks
    heads = [index for index, block in enumerate(text_blocks) if block.kind is HEADING and block.level == 1]
    yield "one_h1", float(len(heads) == 1)
    yield "h1s", _log(len(heads), 5)
    first = heads[0] if heads else len(text_blocks)
    following = weights[first:]
    gap = next((index for index, weight in enumerate(following) if weight >= OPENING), 30)
    near = [block.text.lower() for block in text_blocks[first + 1 : first + 1 + _NEAR_HEADLINE] if len(block.text) < LONG_PARAGRAPH]
    yield "h1_place", first / (len(text_blocks) + 1)
    yield "h1_above", _log(first, 50)
    yield "h1_words", min(_words(text_blocks[first].text), 15) / 15 if heads else 0.0
    yield "h1_prose_above", sum(weights[:first]) / (sum(weights) + 1)
    yield "h1_gap", _log(gap, 30)
    yield "h1_byline", float(any(_BYLINE.search(text) is not None for text in near))


def _container_features(outline: Outline, container: int, weights: list[int]) -> Iterator[tuple[str, float]]:
    element = outline.elements[container]
    text_blocks, own = outline.text_blocks[element.start : element.end], sum(weights[element.start : element.end])
    text = sum([block.length for block in text_blocks]) + 1
    yield "container_prose", _log(own, 20_000)
    yield "container_share", own / (sum(weights) + 1)
    yield "container_linked", sum([block.linked for block in text_blocks]) / text
    yield "container_text_blocks", len(text_blocks) / (len(outline.text_blocks) + 1)
    yield "container_density", own / text
    yield "container_article", float(element.tag == "article")
    yield "container_main", float(element.tag == "main")
    yield "container_root", float(container == 0)
    yield "container_named", float(element.body)


def _kind_features(text_blocks: list[TextBlock]) -> Iterator[tuple[str, float]]:
    counts: Counter[BlockKind] = Counter()
    letters: Counter[BlockKind] = Counter()
    for block in text_blocks:
        counts[block.kind] += 1
        letters[block.kind] += block.length
    total = letters.total() + 1
    for kind in _COUNTED:
        yield f"{kind}s", _log(counts[kind], 100)
        yield f"{kind}_share", letters[kind] / total
    heads = [block for block in text_blocks if block.kind is HEADING]
    yield "headings_of_prose", min(len(heads) * 500 / (letters[PARAGRAPH] + 500), 3) / 3
    yield "headings_linked", sum([block.linked > 0.5 * len(block.text) for block in heads]) / (len(heads) + 1)
    yield "heading_length", _log(letters[HEADING] / (len(heads) or 1), 120)
    yield "headings_asking", _log(sum([block.text.endswith("?") for block in heads]), 10)


def _paragraph_features(text_blocks: list[TextBlock], weights: list[int]) -> Iterator[tuple[str, float]]:
    paragraphs = [block.text for block in text_blocks if block.kind is PARAGRAPH]
    long = sorted([length for text in paragraphs if (length := reading_length(text)) >= LONG_PARAGRAPH])
    yield "long_paragraphs", _log(len(long), 60)
    yield "longer_paragraphs", _log(sum([length >= 200 for length in long]), 60)
    yield "paragraph_median", _log(long[len(long) // 2] if long else 0, 800)
    yield "paragraph_longest", _log(long[-1] if long else 0, 2_000)
    yield "short_paragraphs", (len(paragraphs) - len(long)) / (len(paragraphs) + 1)
    yield "whole_sentences", sum([text[-1] in _STOPS for text in paragraphs]) / (len(paragraphs) + 1)
    yield "prose_run", _log(_longest_run(weights), 30)


def _repetition_features(outline: Outline, container: int, weights: list[int]) -> Iterator[tuple[str, float]]:
    """Cards, products, posts: elements with the same names that repeat."""
    around = outline.elements[container]
    names = Counter([element.names for element in outline.elements if element.names])
    again = [e for e in outline.elements[container:] if e.names and e.end - e.start > 1 and e.end <= around.end]
    named = Counter([element.names for element in again]).most_common(1)
    covered = sum([sum(weights[e.start : e.end]) for e in again if e.names == named[0][0]]) if named and named[0][1] > 2 else 0
    short = Counter([block.text for block in outline.text_blocks if len(block.text) < 60])
    yield "repeated", _log(max(names.values(), default=0), 60)
    yield "repeated_names", _log(sum([count > 4 for count in names.values()]), 20)
    yield "repeated_inside", _log(named[0][1] if named else 0, 40)
    yield "repeated_share", min(covered / (sum(weights[around.start : around.end]) + 1), 1.0)
    yield "repeated_texts", _log(short.total() - len(short), 60)


def _voice_features(text: str) -> Iterator[tuple[str, float]]:
    """The voice of the prose: who speaks to whom, about the past, about prices. NaN in other languages than English."""
    opening = text[:MAX_PROSE_CHARACTERS].lower()
    counts = Counter(opening.split())
    words = counts.total() + 50
    foreign = len(opening) >= MIN_SPOKEN_CHARACTERS and sum([counts[word] for word in _ENGLISH]) < ENGLISH_SHARE * counts.total()
    for name, (spoken, most) in VOICES.items():
        yield name, nan if foreign else min(sum([counts[word] for word in spoken]) / words / most, 1.0)
    past = min((opening.count("ed ") + counts["was"] + counts["were"] + counts["had"]) / words / 0.08, 1.0)
    yield "past", nan if foreign else past
    for name, sign, most in SIGNS:
        yield name, nan if foreign else min(opening.count(sign) / words / most, 1.0)
    yield "prices", _log(sum([opening.count(sign) for sign in "$£€"]), 30)


def _longest_run(weights: list[int]) -> int:
    longest = run = 0
    for weight in weights:
        run = run + 1 if weight else 0
        longest = max(longest, run)
    return longest
