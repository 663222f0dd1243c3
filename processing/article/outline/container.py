"""Find the container: the element that holds the article, because the page's prose is in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, islice

from processing.article.kinds import CAPTION, HEADING, PARAGRAPH, QUOTE
from processing.article.outline.names import says_only_layout
from processing.article.outline.outline import Element, Outline, TextBlock

DESCEND_SHARE = 0.8  # of the prose: a child that holds more is the container, or holds it
NAMED_SHARE = 0.3  # of the page's prose: an element named like a body must hold so much to count as one
NAMED_DESCEND_SHARE = 0.85
TAGGED_SHARE = 0.6
PART_LENGTH = 40  # characters of prose beside the container
PARTS_SHARE = 0.7  # of the prose beside the container

DESCRIPTION_LENGTH = 60  # characters that are compared to see whether the description repeats a standfirst
OPENING_LENGTH = 100  # characters: a shorter paragraph above the container is a label
LEAD_LENGTH = 250  # characters: less above the container is a standfirst
# characters: a shorter standfirst is a label. In English it is a second headline up to the longer limit. By the labelled pages: their texts
# begin with longer ones and not with shorter ones.
STANDFIRST_LENGTH = 80
ENGLISH_STANDFIRST = 150
STANDFIRST_DISTANCE = 5  # text blocks from the headline
MAX_STANDFIRSTS = 2
LONG_TITLE = 15  # letters: a heading that begins or ends with so long a title is that title with more
REPEATED_LENGTH = 150  # characters by which a text that the description repeats may be longer
DESCRIBED_DISTANCE = 3  # text blocks above the container in which a standfirst without a headline stands
_NO_LETTERS = re.compile(r"[\W_]+")

_STOPS = frozenset('.!?:”"’…)。！？')
_BODY_TAGS = frozenset(("article", "main"))
_LEAVES = frozenset(("p", "li", "blockquote", "td", "tr", "ul", "ol", "tbody"))


def find_container(outline: Outline) -> int:
    """The index of the article's element."""
    weights = [0 if block.boilerplate else block.prose for block in outline.text_blocks]
    return _with_parts(outline, _running(weights), _descend(outline, weights))


def find_lead(outline: Outline, container: int, description: str | None, language: str | None, title: str | None = None) -> list[TextBlock]:
    """The paragraphs between the headline and the container that are text of the article: its opening, or its standfirst."""
    text_blocks = outline.text_blocks[: outline.elements[container].start]
    known = (description or "")[:DESCRIPTION_LENGTH]
    head = headline_index(text_blocks, title)
    if head is None:  # a standfirst that the page declares as its description is one without a headline, too
        return [block for block in text_blocks[-DESCRIBED_DISTANCE:] if known and block.text.startswith(known) and not block.boilerplate]
    repeated = len(description or "") + REPEATED_LENGTH  # a longer text is more than the description: an abstract
    openings = [block for block in text_blocks[head + 1 :] if _is_opening(block)]
    lead = [block for block in openings if not (known and block.text.startswith(known) and len(block.text) <= repeated)]
    if sum(block.length for block in lead) >= LEAD_LENGTH:
        return openings if len(lead) > 1 else lead  # several paragraphs: what the description repeats is the first of them
    near = text_blocks[head + 1 : head + 1 + STANDFIRST_DISTANCE]
    length = ENGLISH_STANDFIRST if (language or "en").lower().startswith("en") else STANDFIRST_LENGTH
    return [block for block in near if is_standfirst(block, length)][:MAX_STANDFIRSTS]


def headline_index(text_blocks: list[TextBlock], title: str | None) -> int | None:
    """The index of the last main heading among text blocks; without one, of the last other heading that is the page's title."""
    headings = [index for index, block in enumerate(text_blocks) if block.kind is HEADING and not block.boilerplate]
    main = [index for index in headings if text_blocks[index].level == 1]
    if main or not title:
        return main[-1] if main else None
    wanted = _letters(title)
    return next((index for index in reversed(headings) if _is_title(_letters(text_blocks[index].text), wanted)), None)


def _is_title(heading: str, title: str) -> bool:
    """Whether a heading is the title, or the title with more behind or before it."""
    return heading == title or (len(title) >= LONG_TITLE and (heading.startswith(title) or heading.endswith(title)))


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text).casefold()


def is_standfirst(block: TextBlock, length: int) -> bool:
    """Whether a text block above the container is long enough for a standfirst, and neither a caption nor a link."""
    text = block.kind is not CAPTION and not block.boilerplate
    return text and block.length >= length and block.linked < 0.3 * len(block.text)


def _is_opening(block: TextBlock) -> bool:
    paragraph = block.kind in {PARAGRAPH, QUOTE} and not block.boilerplate
    return paragraph and block.length >= OPENING_LENGTH and block.linked < 0.3 * len(block.text) and block.text[-1] in _STOPS


def find_recipe_parts(outline: Outline, container: int) -> tuple[list[TextBlock], list[TextBlock]]:
    """The ingredients and steps of a recipe that are outside of the container: those before it and those after it."""
    inside = outline.elements[container]
    before: dict[int, TextBlock] = {}
    after: dict[int, TextBlock] = {}
    covered = 0
    for element in outline.elements:
        if not element.recipe_part or element.end <= covered:
            continue
        if element.end <= inside.start or element.start >= inside.end:
            covered = element.end
            parts = before if element.end <= inside.start else after
            parts.update((index, outline.text_blocks[index]) for index in range(element.start, element.end))
    return list(before.values()), list(after.values())


def _running(weights: list[int]) -> list[int]:
    return [0, *accumulate(weights)]


def _descend(outline: Outline, weights: list[int]) -> int:
    sums = _running(weights)
    tagged = [index for index, element in enumerate(outline.elements) if index and element.tag in _BODY_TAGS]
    start = _lowest(outline, sums, 0, TAGGED_SHARE, tagged)
    if any([element.body for element in outline.elements]):  # noqa: C419 a generator would cost more than it saves
        named = _running([weight if inside else 0 for weight, inside in zip(weights, _in_named(outline), strict=True)])
        first, last = outline.elements[start].start, outline.elements[start].end
        if named[last] - named[first] >= NAMED_SHARE * (sums[last] - sums[first]) > 0:
            return _lowest(outline, named, start, NAMED_DESCEND_SHARE)
    return _lowest(outline, sums, start, DESCEND_SHARE)


def _with_parts(outline: Outline, sums: list[int], index: int) -> int:
    """The element around the container where most prose beside it is in elements with the same names: they are the text's other parts."""
    element = outline.elements[index]
    if element.parent < 0 or says_only_layout(element.names):
        return index
    around = outline.elements[element.parent]
    beside = (sums[around.end] - sums[around.start]) - (sums[element.end] - sums[element.start])
    if beside < PART_LENGTH:
        return index
    parts = 0
    for other in islice(outline.elements, element.parent + 1, None):
        if other.start >= around.end:
            break
        if other.parent == element.parent and other is not element and (other.tag, other.names) == (element.tag, element.names):
            parts += sums[other.end] - sums[other.start] if _is_part(outline, other) else 0
    return element.parent if parts >= PARTS_SHARE * beside else index


def _is_part(outline: Outline, element: Element) -> bool:
    """Whether an element has neither a headline of its own nor a linked heading, as teasers and further articles have."""
    heads = (block for block in outline.text_blocks[element.start : element.end] if block.kind is HEADING)
    return all(block.level > 1 and not block.linked for block in heads)


def _in_named(outline: Outline) -> list[bool]:
    """For each text block, whether it is inside an element that is named like a body."""
    inside = [False] * len(outline.text_blocks)
    for element in outline.elements:
        if element.body:
            inside[element.start : element.end] = [True] * (element.end - element.start)
    return inside


def _lowest(outline: Outline, sums: list[int], start: int, share: float, among: Sequence[int] | None = None) -> int:
    """The lowest element in `start` that holds `share` of the prose of each element above it; `among` are the only ones, if given."""
    elements = outline.elements
    best, last = start, elements[start].end
    floor = share * (sums[last] - sums[elements[start].start])
    for index in range(start + 1, len(elements)) if among is None else among:
        element = elements[index]
        first, end = element.start, element.end
        if end > last:
            if first >= last:
                break
        elif end - first > 1 and (inside := sums[end] - sums[first]) >= floor > 0 and element.tag not in _LEAVES:
            best, last, floor = index, end, share * inside
    return best
