"""The text blocks of an article's container while rules mark what is boilerplate among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from processing.article.body.phrases import RELATED
from processing.article.outline.outline import Element, Outline, TextBlock

LINKED_SHARE = 0.8  # of a text block's or list's characters: it counts as a link
CALL_LENGTH = 250  # characters of a call to action
LABEL_LENGTH = 60  # characters: a label or a button is not longer
SECTION_LENGTH = 80  # characters of a related section's heading


@dataclass(slots=True)
class ArticleBody:
    """The container's text blocks and elements, what belongs to it from above (`lead`) and below (`rest`), title, authors, the site's name.

    `outer_links` are the texts of links to other sites, where a rule asked for them.
    """

    outline: Outline
    container: int
    title: str | None = None
    authors: tuple[str, ...] = ()
    lead: list[TextBlock] = field(default_factory=list)
    rest: list[TextBlock] = field(default_factory=list)
    site: str = ""
    outer_links: frozenset[str] | None = None
    all: list[TextBlock] = field(init=False)

    def __post_init__(self) -> None:
        element = self.outline.elements[self.container]
        self.all = self.lead + self.outline.text_blocks[element.start : element.end] + self.rest

    def text_blocks(self) -> list[TextBlock]:
        """The text blocks that are not marked, in order."""
        return [block for block in self.all if not block.boilerplate]

    def elements(self, *tags: str) -> Iterator[Element]:
        """The elements inside the container that have one of the tags."""
        end = self.outline.elements[self.container].end
        for element in islice(self.outline.elements, self.container + 1, None):
            if element.start >= end:
                return
            if element.tag in tags:
                yield element

    def inside(self, element: Element) -> list[TextBlock]:
        """An element's text blocks that are not marked."""
        return [block for block in self.outline.text_blocks[element.start : element.end] if not block.boilerplate]

    def first_inside(self, element: Element, most: int) -> list[TextBlock]:
        """The first `most` text blocks of an element that are not marked. Elements nest, so reading all of each would cost too much."""
        text_blocks = map(self.outline.text_blocks.__getitem__, range(element.start, element.end))
        return list(islice((block for block in text_blocks if not block.boilerplate), most))


def mark(text_blocks: list[TextBlock]) -> None:
    """Mark text blocks as boilerplate."""
    for block in text_blocks:
        block.boilerplate = True


def is_related(block: TextBlock) -> bool:
    """Whether a text block is the heading of a section of links."""
    return len(block.text) <= SECTION_LENGTH and RELATED.match(block.text.lower()) is not None
