"""The shape of a page, read off its outline: where its prose is, how it is broken up, what comes again, how it speaks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import log1p, nan

from processing.article.outline.outline import Outline, Piece
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
_NEAR_HEADLINE = 7  # pieces: so near stand date and byline
_STOPS = frozenset('.!?:”"’…)。！？')
_BYLINE = re.compile(r"20[12]\d|min read|\bby\b")
_COUNTED = (
    BlockKind.PARAGRAPH,
    BlockKind.HEADING,
    BlockKind.LIST_ITEM,
    BlockKind.QUOTE,
    BlockKind.TABLE,
    BlockKind.CAPTION,
    BlockKind.CODE,
)


def shape(outline: Outline, container: int, linked: int) -> dict[str, float]:
    """The measures by name, each about 0 to 1; `linked` is how many characters the page's links have."""
    weights = [piece.prose for piece in outline.pieces]
    element = outline.elements[container]
    inside = slice(element.start, element.end)
    pieces, own = outline.pieces[inside], weights[inside]
    return {
        **dict(_of_page(outline, weights, linked)),
        **dict(_of_headline(outline, weights)),
        **dict(_of_container(outline, container, weights)),
        **dict(_of_kinds(pieces)),
        **dict(_of_paragraphs(pieces, own)),
        **dict(_of_repetition(outline, container, weights)),
        **dict(_of_voice(" ".join([piece.text for piece, weight in zip(pieces, own, strict=True) if weight]))),
    }


def _words(text: str) -> int:
    """How many words a text has, at least; where no blanks part them by its length."""
    return max(len(text.split()), len(text.encode("utf-8", "replace")) // LETTERS_PER_WORD)


def _log(value: float, most: float) -> float:
    return min(log1p(value) / log1p(most), 1.0)


def _of_page(outline: Outline, weights: list[int], linked: int) -> Iterator[tuple[str, float]]:
    pieces, total = outline.pieces, sum(weights)
    text = sum([reading_length(piece.text) for piece in pieces]) + 1
    by_parent: Counter[int] = Counter()
    for piece, weight in zip(pieces, weights, strict=True):
        if weight >= LONG_PARAGRAPH:
            element = outline.elements[piece.element]
            by_parent[element.parent if element.tag == "p" else piece.element] += weight
    densest = max(by_parent.values(), default=0)
    yield "prose", _log(total, 20_000)
    yield "prose_of_text", total / text
    yield "prose_of_links", total / (total + linked + 1)
    yield "text", _log(text, 40_000)
    yield "text_linked", sum([piece.linked for piece in pieces]) / text
    yield "pieces", _log(len(pieces), 500)
    yield "parents", _log(len(by_parent), 30)
    yield "densest", _log(densest, 20_000)
    yield "densest_share", densest / (total + 1)
    yield "no_prose", float(total < 500)
    yield "body_promised", float(any(element.body for element in outline.elements))


def _of_headline(outline: Outline, weights: list[int]) -> Iterator[tuple[str, float]]:
    """Where the `h1` stands, and what comes after it."""
    pieces = outline.pieces
    heads = [place for place, piece in enumerate(pieces) if piece.kind is BlockKind.HEADING and piece.level == 1]
    yield "one_h1", float(len(heads) == 1)
    yield "h1s", _log(len(heads), 5)
    first = heads[0] if heads else len(pieces)
    following = weights[first:]
    gap = next((place for place, weight in enumerate(following) if weight >= OPENING), 30)
    near = [piece.text.lower() for piece in pieces[first + 1 : first + 1 + _NEAR_HEADLINE] if len(piece.text) < LONG_PARAGRAPH]
    yield "h1_place", first / (len(pieces) + 1)
    yield "h1_above", _log(first, 50)
    yield "h1_words", min(_words(pieces[first].text), 15) / 15 if heads else 0.0
    yield "h1_prose_above", sum(weights[:first]) / (sum(weights) + 1)
    yield "h1_gap", _log(gap, 30)
    yield "h1_byline", float(any(_BYLINE.search(text) is not None for text in near))


def _of_container(outline: Outline, container: int, weights: list[int]) -> Iterator[tuple[str, float]]:
    element = outline.elements[container]
    pieces, own = outline.pieces[element.start : element.end], sum(weights[element.start : element.end])
    text = sum([reading_length(piece.text) for piece in pieces]) + 1
    yield "container_prose", _log(own, 20_000)
    yield "container_share", own / (sum(weights) + 1)
    yield "container_linked", sum([piece.linked for piece in pieces]) / text
    yield "container_pieces", len(pieces) / (len(outline.pieces) + 1)
    yield "container_density", own / text
    yield "container_article", float(element.tag == "article")
    yield "container_main", float(element.tag == "main")
    yield "container_root", float(container == 0)
    yield "container_named", float(element.body)


def _of_kinds(pieces: list[Piece]) -> Iterator[tuple[str, float]]:
    counts: Counter[BlockKind] = Counter()
    letters: Counter[BlockKind] = Counter()
    for piece in pieces:
        counts[piece.kind] += 1
        letters[piece.kind] += reading_length(piece.text)
    total = letters.total() + 1
    for kind in _COUNTED:
        yield f"{kind}s", _log(counts[kind], 100)
        yield f"{kind}_share", letters[kind] / total
    heads = [piece for piece in pieces if piece.kind is BlockKind.HEADING]
    yield "headings_of_prose", min(len(heads) * 500 / (letters[BlockKind.PARAGRAPH] + 500), 3) / 3
    yield "headings_linked", sum([piece.linked > 0.5 * len(piece.text) for piece in heads]) / (len(heads) + 1)
    yield "heading_length", _log(letters[BlockKind.HEADING] / (len(heads) or 1), 120)
    yield "headings_asking", _log(sum([piece.text.endswith("?") for piece in heads]), 10)


def _of_paragraphs(pieces: list[Piece], weights: list[int]) -> Iterator[tuple[str, float]]:
    paragraphs = [piece.text for piece in pieces if piece.kind is BlockKind.PARAGRAPH]
    long = sorted([length for text in paragraphs if (length := reading_length(text)) >= LONG_PARAGRAPH])
    yield "long_paragraphs", _log(len(long), 60)
    yield "longer_paragraphs", _log(sum([length >= 200 for length in long]), 60)
    yield "paragraph_median", _log(long[len(long) // 2] if long else 0, 800)
    yield "paragraph_longest", _log(long[-1] if long else 0, 2_000)
    yield "short_paragraphs", (len(paragraphs) - len(long)) / (len(paragraphs) + 1)
    yield "whole_sentences", sum([text[-1] in _STOPS for text in paragraphs]) / (len(paragraphs) + 1)
    yield "prose_run", _log(_longest_run(weights), 30)


def _of_repetition(outline: Outline, container: int, weights: list[int]) -> Iterator[tuple[str, float]]:
    """Cards, products, posts: elements of the same names, again and again."""
    around = outline.elements[container]
    names = Counter([element.names for element in outline.elements if element.names])
    again = [e for e in outline.elements[container:] if e.names and e.end - e.start > 1 and e.end <= around.end]
    named = Counter([element.names for element in again]).most_common(1)
    covered = sum([sum(weights[e.start : e.end]) for e in again if e.names == named[0][0]]) if named and named[0][1] > 2 else 0
    short = Counter([piece.text for piece in outline.pieces if len(piece.text) < 60])
    yield "repeated", _log(max(names.values(), default=0), 60)
    yield "repeated_names", _log(sum([count > 4 for count in names.values()]), 20)
    yield "repeated_inside", _log(named[0][1] if named else 0, 40)
    yield "repeated_share", min(covered / (sum(weights[around.start : around.end]) + 1), 1.0)
    yield "repeated_texts", _log(short.total() - len(short), 60)


def _of_voice(text: str) -> Iterator[tuple[str, float]]:
    """How the prose speaks: who addresses whom, of the past, of prices. In another language than English that is not known: NaN."""
    opening = text[:MAX_PROSE_CHARACTERS].lower()
    said = Counter(opening.split())
    words = said.total() + 50
    foreign = len(opening) >= MIN_SPOKEN_CHARACTERS and sum([said[word] for word in _ENGLISH]) < ENGLISH_SHARE * said.total()
    for name, (spoken, most) in VOICES.items():
        yield name, nan if foreign else min(sum([said[word] for word in spoken]) / words / most, 1.0)
    past = min((opening.count("ed ") + said["was"] + said["were"] + said["had"]) / words / 0.08, 1.0)
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
