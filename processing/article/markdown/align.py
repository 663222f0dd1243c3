"""Find an article's blocks in the structure of their page, and write each as Markdown."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from processing.article.markdown.inline import image_markdown
from processing.article.markdown.leaf import leaf_markdown, plain_markdown
from processing.article.structure.structure import Structure, StructureBlock
from schemas.article import Block, BlockKind, BlockMarkup, Container

MAX_IMAGES = 500  # of a page
MAX_STEPS = 4  # elements around an image, up to its figure
MAX_BESIDE_IMAGE = 20  # blocks of a figure that may be its caption
_FIGURE = re.compile(
    r"(?:^|[\s_-])(?:wp-caption|gallery-?item|(?:swiper|carousel|slider?)-?(?:slide|item)|slide|figure)(?:$|[\s_-])", re.IGNORECASE
)
_CAPTION = re.compile(r"caption|bildunterschrift|legende", re.IGNORECASE)


def markup_of(blocks: Sequence[Block], structure: Structure) -> tuple[BlockMarkup, ...]:
    """Each block as Markdown, with the images before it. A block that the structure does not have is written as plain text."""
    places = _places(blocks, structure)
    markup = [
        _markup(block, structure.blocks[place] if place is not None else None, at)
        for at, (block, place) in enumerate(zip(blocks, places, strict=True))
    ]
    return tuple(_with_images(markup, places, structure))


def _places(blocks: Sequence[Block], structure: Structure) -> list[int | None]:
    """The index of each block in the structure: the next one with its text, otherwise the first with it."""
    by_text: dict[str, list[int]] = defaultdict(list)
    for index, found in enumerate(structure.blocks):
        if found.text:
            by_text[found.text].append(index)
    places: list[int | None] = []
    after = 0
    for block in blocks:
        candidates = by_text.get(block.text, [])
        next_one = bisect_left(candidates, after)
        place = candidates[next_one] if next_one < len(candidates) else candidates[0] if candidates else None
        places.append(place)
        after = place + 1 if place is not None else after
    return places


def _markup(block: Block, found: StructureBlock | None, at: int) -> BlockMarkup:
    if found is not None:
        return BlockMarkup(leaf_markdown(found), found.containers)
    containers: tuple[Container, ...] = ()
    if block.kind is BlockKind.LIST_ITEM:
        containers = tuple(Container("bullet", -depth - 1, -at - 1) for depth in range(1))
    elif block.kind is BlockKind.QUOTE:
        containers = (Container("quote", -1, -1),)
    return BlockMarkup(plain_markdown(block), containers)


def _with_images(markup: list[BlockMarkup], places: list[int | None], structure: Structure) -> list[BlockMarkup]:
    """The markup with the images that stand between the article's blocks, in elements that hold some of them."""
    found = [place for place in places if place is not None]
    if not found:
        return markup
    own = _elements_around(found, structure)
    start, end = _range(found, structure)
    images = [
        index for index in range(start, end) if structure.blocks[index].is_image and _belongs(structure.blocks[index], own, structure)
    ]
    by_place = {place: at for at, place in enumerate(places) if place is not None}
    order = sorted(by_place)
    for index in images[:MAX_IMAGES]:
        behind = bisect_left(order, index)
        found_at = _caption_at(structure.blocks[index], structure)
        caption = structure.blocks[found_at].text if found_at is not None else ""
        written = tuple(image_markdown(piece, caption) for piece in structure.blocks[index].pieces if piece.image)
        caption_at = by_place.get(found_at) if found_at is not None else None  # a gallery's captions are not in the text
        if caption_at is not None:
            markup[caption_at] = replace(markup[caption_at], markdown="")
        target = caption_at if caption_at is not None else by_place[order[behind]] if behind < len(order) else None
        if target is not None:
            markup[target] = replace(markup[target], images=markup[target].images + written)
    return markup


def _elements_around(places: list[int], structure: Structure) -> frozenset[int]:
    """The elements that hold blocks of the article."""
    around: set[int] = set()
    for place in places:
        element = structure.blocks[place].element
        while element >= 0 and element not in around:
            around.add(element)
            element = structure.elements[element].parent
    return frozenset(around)


def _range(places: list[int], structure: Structure) -> tuple[int, int]:
    """From the beginning of the smallest element around all of the article's blocks to its end."""
    first, last = min(places), max(places)
    element = structure.blocks[first].element
    while element > 0 and structure.elements[element].end <= last:
        element = structure.elements[element].parent
    return (structure.elements[element].start, last + 1) if element > 0 else (first, last + 1)


def _belongs(block: StructureBlock, own: frozenset[int], structure: Structure) -> bool:
    """Whether an image is the article's: in a figure, or directly in an element that holds blocks of the article, and not hidden."""
    element, steps = block.element, 0
    if structure.elements[element].is_hidden:
        return False
    while element > 0 and element not in own and steps < 3:
        if structure.elements[element].tag in {"aside", "footer", "form"}:
            return False
        element, steps = structure.elements[element].parent, steps + 1
    return element in own and element > 0


def _caption_at(block: StructureBlock, structure: Structure) -> int | None:
    """The index of the caption in the figure of an image, or in what is named like one."""
    element = block.element
    for _ in range(MAX_STEPS):
        if element <= 0:
            break
        figure = structure.elements[element]
        if figure.tag == "figure" or _FIGURE.search(figure.names):
            captions = range(figure.start, min(figure.end, figure.start + MAX_BESIDE_IMAGE))
            return next((place for place in captions if _is_caption(structure.blocks[place], structure)), None)
        element = figure.parent
    return None


def _is_caption(block: StructureBlock, structure: Structure) -> bool:
    if block.is_image or not block.text:
        return False
    own = structure.elements[block.element]
    around = structure.elements[own.parent].names if own.parent > 0 else ""
    return block.kind is BlockKind.CAPTION or _CAPTION.search(own.names) is not None or _CAPTION.search(around) is not None
