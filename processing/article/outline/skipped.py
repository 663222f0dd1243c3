"""Elements that the walk left out as boilerplate, and which of them hold too much of the page's text to be it."""

from __future__ import annotations

from msgspec import Struct

from processing.article.kinds import HEADING
from processing.article.outline.names import is_beside, is_hidden
from processing.article.outline.outline import Element, TextBlock
from processing.article.outline.tags import ACTIONS, BOILERPLATE_TAGS, IGNORED, TEXT
from processing.article.tree.parse import Node, tag_numbers
from processing.article.tree.scripts import IDEOGRAPH_LETTERS, reading_length

MIN_TEXT = 40  # characters: shorter text is a label
LITTLE_TEXT = 500  # characters: if less was read, the article must be in what was left out
NO_TEXT = 100  # characters
CONTENT_SHARE = 0.4  # of the page's text: an element that holds more is not boilerplate, whatever its name

_BESIDE_TAGS = frozenset(("aside", "footer"))
_UNCOUNTED = tag_numbers(["a", *(tag for tag, action in ACTIONS.items() if tag is not None and action == IGNORED)])


class SkippedElement(Struct, gc=False):
    """An element that a walk left out, with the walk's state there: how much was read, what was open, whether a link was open.

    `inside` is the innermost open element, `depth` how many were open, those too that were too deep to be elements of the outline.
    The rest is what was measured of it so far: its whole text, an upper bound of its text length, and its text length.
    """

    node: Node
    tag: str
    names: str
    body: bool
    recipe_part: bool
    elements: int
    text_blocks: int
    inside: int
    depth: int
    link: int
    text: str | None = None
    most: float | None = None
    length: int | None = None

    def opened(self, elements: list[Element]) -> list[int]:
        """The elements that were open, the root first."""
        around = self.inside
        opened = []
        while around >= 0:
            opened.append(around)
            around = elements[around].parent
        return opened[::-1] + [self.inside] * (self.depth - len(opened))


class Insertion:
    """The lists of a new walk: those of a finished one, copied piece by piece. What is read between two pieces moves all behind it."""

    def __init__(self, elements: list[Element], text_blocks: list[TextBlock], skipped: list[SkippedElement]) -> None:
        self._former = elements, text_blocks, skipped
        self.elements, self.text_blocks = elements[:1], list[TextBlock]()
        self.skipped: list[SkippedElement] = []
        self._places = [0]  # the new index of each element that is copied; the root stays the first
        self._blocks = self._gaps = 0  # how many are copied

    def copy_before(self, index: int) -> SkippedElement:
        """Copy what stands before the skipped element with this index, and return the element itself, which is not copied."""
        gap = self._former[2][index]
        self._copy(gap.elements, gap.text_blocks, index)
        self._gaps += 1
        gap.inside = self._places[gap.inside]
        return gap

    def copy_rest(self) -> None:
        """Copy what is left."""
        self._copy(None, None, None)

    def _copy(self, elements: int | None, text_blocks: int | None, skipped: int | None) -> None:
        places, former = self._places, self._former
        more, longer = len(self.elements) - len(places), len(self.text_blocks) - self._blocks
        for element in former[0][len(places) : elements]:
            element.parent, element.start, element.end = places[element.parent], element.start + longer, element.end + longer
            places.append(len(self.elements))
            self.elements.append(element)
        for block in former[1][self._blocks : text_blocks]:
            block.element = places[block.element]
            self.text_blocks.append(block)
        for gap in former[2][self._gaps : skipped]:
            gap.elements, gap.text_blocks, gap.inside = gap.elements + more, gap.text_blocks + longer, places[gap.inside]
            self.skipped.append(gap)
        self._blocks, self._gaps = len(self.text_blocks) - longer, len(former[2]) if skipped is None else skipped


def misnamed_elements(skipped: list[SkippedElement], text_blocks: list[TextBlock]) -> list[int]:
    """The indices of the skipped elements that hold too much of the page's text to be boilerplate."""
    seen = sum([own for block in text_blocks if (own := block.length - block.linked) >= MIN_TEXT])
    enough = CONTENT_SHARE / (1 - CONTENT_SHARE) * seen
    # For most skipped elements an upper bound is enough: it costs a tenth of the length.
    if not any([_may_hold(element, enough) and text_length(element) >= enough for element in skipped]):  # noqa: C419 see _descend
        return []
    missed = [text_length(element) for element in skipped]
    limit = CONTENT_SHARE * (seen + sum(missed))
    if seen >= NO_TEXT:  # the article may be shorter than what stands beside it
        missed = [0 if element.tag in _BESIDE_TAGS else length for element, length in zip(skipped, missed, strict=True)]
    longest = max(missed, default=0)
    if seen < LITTLE_TEXT <= longest:  # nothing read so far can be an article
        limit = min(limit, longest)
    found = [index for index, length in enumerate(missed) if length >= limit > 0]
    if seen >= LITTLE_TEXT:  # readers' comments and related pages may be longer than the article
        return [index for index in found if not is_beside(skipped[index].names)]
    if seen < NO_TEXT:  # elements with the same names are the other parts of the article
        parts = {(skipped[index].tag, skipped[index].names) for index in found}
        return [index for index, element in enumerate(skipped) if (element.tag, element.names) in parts]
    return found


def headline_element(skipped: list[SkippedElement], text_blocks: list[TextBlock]) -> list[int]:
    """The index of the only skipped element with a main heading, if none was read: boilerplate has no headline."""
    if any([block.level == 1 and block.kind is HEADING for block in text_blocks]):  # noqa: C419 a generator would cost more
        return []
    found = [index for index, element in enumerate(skipped) if element.tag not in BOILERPLATE_TAGS and _has_headline(element.node)]
    return found if len(found) == 1 else []


def _has_headline(node: Node) -> bool:
    headline = node.css_first("h1")
    return headline is not None and bool(headline.text(strip=True)) and not is_hidden(node.attributes)


def _may_hold(element: SkippedElement, enough: float) -> bool:
    """Whether an element's `text_length` may be so large, by its longer runs of text, links included."""
    if element.most is None:
        text = element.text = element.node.text_lexbor() if element.text is None else element.text
        if len(text) * IDEOGRAPH_LETTERS < enough or _longest(text) < enough:
            return False
        element.most = sum(map(_longest, _longer_texts(element.node)))
    return element.most >= enough


def _longer_texts(node: Node) -> list[str]:
    """An element's texts, links included, that are at least MIN_TEXT long, or may be."""
    texts = node.text(separator="\0", skip_empty=True)
    shortest = MIN_TEXT if texts.isascii() else MIN_TEXT / IDEOGRAPH_LETTERS
    return [text.strip() for text in texts.split("\0") if len(text) >= shortest]


def _longest(text: str) -> float:
    """The reading length of a text, or more: an ideograph has three bytes."""
    length = len(text)
    return length if text.isascii() else length + (IDEOGRAPH_LETTERS - 1) * (len(text.encode("utf-8", "replace")) - length) / 2


def text_length(element: SkippedElement) -> int:
    """Characters of an element's longer runs of text outside links."""
    if element.length is None:
        if element.most is None:
            element.most = sum(map(_longest, _longer_texts(element.node)))
        # Without long texts, as in most menus, it is 0: to visit every text costs several times as much.
        element.length = _visited_length(element.node) if element.most else 0
    return element.length


def _visited_length(node: Node) -> int:
    length = 0
    for child in node.traverse(include_text=True, skip_empty=True):
        if child.tag_id != TEXT:
            continue
        text = child.text_content or ""
        if len(text) * IDEOGRAPH_LETTERS >= MIN_TEXT and (own := reading_length(text)) >= MIN_TEXT:
            parent = child.parent
            if parent is not None and parent.tag_id not in _UNCOUNTED:
                length += own - len(text) + len(text.strip())
    return length
