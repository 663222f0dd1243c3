"""The element that holds the article: where the page's prose is."""

from __future__ import annotations

from processing.article.outline.outline import Outline, Piece
from processing.article.tree.scripts import reading_length
from schemas.article import BlockKind

DESCEND_SHARE = 0.8  # of the prose: the article is inside the child that holds more
NAMED_SHARE = 0.3  # of the page's prose: what an element must hold to be the body that its name promises
NAMED_DESCEND_SHARE = 0.85
TAGGED_SHARE = 0.6

DESCRIPTION_LENGTH = 60  # characters that tell a standfirst repeated in the description
OPENING_LENGTH = 100  # characters: a shorter paragraph above the container is a label
LEAD_LENGTH = 250  # characters: less above the container is a standfirst

_STOPS = frozenset('.!?:”"’…)。！？')
_BODY_TAGS = frozenset(("article", "main"))
_LEAVES = frozenset(("p", "li", "blockquote", "td", "tr", "ul", "ol", "tbody"))


def find_container(outline: Outline) -> int:
    """The index of the article's element."""
    return _descend(outline, [0 if piece.junk else piece.prose for piece in outline.pieces])


def find_lead(outline: Outline, container: int, description: str | None) -> list[Piece]:
    """Opening paragraphs that stand between the headline and the container; a standfirst that the description repeats is none."""
    pieces = outline.pieces[: outline.elements[container].start]
    heads = [place for place, piece in enumerate(pieces) if piece.kind is BlockKind.HEADING and piece.level == 1 and not piece.junk]
    if not heads:
        return []
    known = (description or "")[:DESCRIPTION_LENGTH]
    lead = [piece for piece in pieces[heads[-1] + 1 :] if _is_opening(piece) and not (known and piece.text.startswith(known))]
    return lead if sum(reading_length(piece.text) for piece in lead) >= LEAD_LENGTH else []


def _is_opening(piece: Piece) -> bool:
    paragraph = piece.kind in {BlockKind.PARAGRAPH, BlockKind.QUOTE} and not piece.junk
    return paragraph and reading_length(piece.text) >= OPENING_LENGTH and piece.linked < 0.3 * len(piece.text) and piece.text[-1] in _STOPS


def _running(weights: list[int]) -> list[int]:
    sums = [0]
    for weight in weights:
        sums.append(sums[-1] + weight)
    return sums


def _descend(outline: Outline, weights: list[int]) -> int:
    sums = _running(weights)
    start = _lowest(outline, sums, 0, TAGGED_SHARE, tagged_only=True)
    named = _running([weight if inside else 0 for weight, inside in zip(weights, _in_named(outline), strict=True)])
    first, last = outline.elements[start].start, outline.elements[start].end
    if named[last] - named[first] >= NAMED_SHARE * (sums[last] - sums[first]) > 0:
        return _lowest(outline, named, start, NAMED_DESCEND_SHARE)
    return _lowest(outline, sums, start, DESCEND_SHARE)


def _in_named(outline: Outline) -> list[bool]:
    """For each piece, whether it lies in an element whose names promise the body."""
    inside = [False] * len(outline.pieces)
    for element in outline.elements:
        if element.body:
            inside[element.start : element.end] = [True] * (element.end - element.start)
    return inside


def _lowest(outline: Outline, sums: list[int], start: int, share: float, *, tagged_only: bool = False) -> int:
    """The lowest element in `start` that holds `share` of the prose of each element above it."""
    elements = outline.elements
    best = start
    floor = share * (sums[elements[start].end] - sums[elements[start].start])
    for index in range(start + 1, len(elements)):
        element = elements[index]
        if element.start >= elements[best].end and element.end > elements[best].end:
            break
        if element.end - element.start < 2 or (tagged_only and element.tag not in _BODY_TAGS) or element.tag in _LEAVES:
            continue
        inside = sums[element.end] - sums[element.start]
        if inside >= floor > 0 and element.end <= elements[best].end:
            best, floor = index, share * inside
    return best
