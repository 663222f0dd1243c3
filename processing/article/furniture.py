"""What sites put between an article's own words, recognisable on one page: each rule marks pieces of the container as junk."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise

from processing.article.outline import Element, Outline, Piece
from processing.article.phrases import CALL, DATE, DATE_SIGN, LABEL, PROMPT, RELATED
from schemas.article import BlockKind

LINKED_SHARE = 0.8  # of a piece's or list's characters: it is a link, whatever else stands beside it
HEADLINE_LENGTH = 25  # characters, on average: links this long are headlines, shorter ones names
FEW_HEADLINES = 6  # a longer list of links is the article's own more often than not
CARD_SHARE = 0.3  # of the container's prose: a nested `article` with less is a teaser
CARDS_SHARE = 0.6  # of the prose: `article`s that hold more together are the story's own parts
TEASERS_SHARE = 0.1  # of the prose: linked headings with excerpts that hold more are the list that the story is
INTRODUCTION_LENGTH = 40  # characters: so much, ending in a colon, announces a list
COPY_LENGTH = 80  # characters: a run of pieces this long that comes again is a copy for another screen size
SECTION_LENGTH = 80  # characters of a related section's heading
EXCERPT_LENGTH = 350  # characters of a teaser's excerpt
CALL_LENGTH = 250  # characters of a call to action
LABEL_LENGTH = 60  # characters: a label or a button is not longer
_NO_LETTERS = re.compile(r"[\W_]+")


@dataclass(slots=True)
class Story:
    """The container's pieces and elements, the lead found above it, and the page's title."""

    outline: Outline
    container: int
    title: str | None = None
    lead: list[Piece] = field(default_factory=list)
    all: list[Piece] = field(init=False)

    def __post_init__(self) -> None:
        element = self.outline.elements[self.container]
        self.all = self.lead + self.outline.pieces[element.start : element.end]

    def pieces(self) -> list[Piece]:
        """The pieces not yet marked, in order."""
        return [piece for piece in self.all if not piece.junk]

    def elements(self, *tags: str) -> Iterator[Element]:
        """The elements inside the container that have one of the tags."""
        end = self.outline.elements[self.container].end
        for element in islice(self.outline.elements, self.container + 1, None):
            if element.start >= end:
                return
            if element.tag in tags:
                yield element

    def inside(self, element: Element) -> list[Piece]:
        """An element's pieces not yet marked."""
        return [piece for piece in self.outline.pieces[element.start : element.end] if not piece.junk]

    def first_inside(self, element: Element, most: int) -> list[Piece]:
        """The first of an element's pieces not yet marked. Elements nest: to look at all pieces of each would cost too much."""
        pieces = map(self.outline.pieces.__getitem__, range(element.start, element.end))
        return list(islice((piece for piece in pieces if not piece.junk), most))


def clean(story: Story) -> list[Piece]:
    """The pieces that remain after all rules. Captions stand aside meanwhile: no rule sees them."""
    captions = [piece for piece in story.pieces() if piece.kind is BlockKind.CAPTION]
    _mark(captions)
    for rule in RULES:
        rule(story)
    for caption in captions:
        caption.junk = False
    return story.pieces()


def drop_wordless(story: Story) -> None:
    """Rules of dashes, asterisks and arrows."""
    for piece in story.pieces():
        piece.junk = not any(map(str.isalnum, piece.text))


def drop_head(story: Story) -> None:
    """The headline and what stands above it, when that is no prose."""
    pieces = story.pieces()
    start = story.outline.elements[story.container].start
    title = _letters(story.title or "")
    above = bool(title) and any(p.kind is BlockKind.HEADING and _letters(p.text) == title for p in story.outline.pieces[:start])
    for place, piece in enumerate(pieces):
        if piece.kind is not BlockKind.HEADING:
            continue
        titled = _letters(piece.text) == title
        if titled or piece.level == 1:
            above_it, below_it = sum([piece.prose for piece in pieces[:place]]), sum([piece.prose for piece in pieces[place:]])
            if above_it <= (0.15 if titled and piece.level == 1 and not above else 0.02) * (above_it + below_it):
                _mark(pieces[: place + 1])
            return


def drop_cards(story: Story) -> None:
    """Teasers: an `article` inside the article with little of its prose and a linked headline."""
    cards = list(story.elements("article"))
    total = (sum([piece.prose for piece in story.pieces()]) or 1) if cards else 1
    teasers = [inside for element in cards if _is_card(inside := story.inside(element), total)]
    announced = {id(after) for before, after in pairwise(story.pieces()) if _is_related(before)} if teasers else set()
    related = any(id(inside[0]) in announced for inside in teasers)
    if related or sum(piece.prose for inside in teasers for piece in inside) <= CARDS_SHARE * total:
        for inside in teasers:
            _mark(inside)


def _is_related(piece: Piece) -> bool:
    return len(piece.text) <= SECTION_LENGTH and RELATED.match(piece.text) is not None


def _is_card(inside: list[Piece], total: int) -> bool:
    linked = any(piece.linked >= HEADLINE_LENGTH and piece.linked > LINKED_SHARE * len(piece.text) for piece in inside[:3])
    return linked and sum([piece.prose for piece in inside]) < CARD_SHARE * total


def drop_link_paragraphs(story: Story) -> None:
    """Paragraphs that are nothing but a link, and pieces with a link that begin like "Related:"."""
    for piece in story.pieces():
        if not piece.linked:
            continue
        linked = piece.linked / len(piece.text)
        paragraph = piece.kind is BlockKind.PARAGRAPH or piece.kind is BlockKind.QUOTE
        if (paragraph and linked > LINKED_SHARE) or (linked > 0.3 and PROMPT.match(piece.text)):
            piece.junk = True


def drop_headline_lists(story: Story) -> None:
    """Lists of a few headlines, each item a link; longer lists, lists of names and announced ones may be the article's own."""
    lists = list(story.elements("ul", "ol", "dl"))
    announced = {id(after) for before, after in pairwise(story.pieces()) if _announces(before)} if lists else set()
    for element in lists:
        items = story.first_inside(element, FEW_HEADLINES + 1)
        letters = sum(len(item.text) for item in items)
        if not 0 < len(items) <= FEW_HEADLINES or sum(item.linked for item in items) < LINKED_SHARE * letters:
            continue
        if letters >= HEADLINE_LENGTH * len(items) and id(items[0]) not in announced:
            _mark(items)


def _announces(piece: Piece) -> bool:
    return piece.kind is BlockKind.PARAGRAPH and len(piece.text) >= INTRODUCTION_LENGTH and piece.text.endswith((":", "："))


def drop_related_sections(story: Story) -> None:
    """A heading like "More from ..." with the links under it."""
    pieces = story.pieces()
    linked = [piece.linked > 0.5 * len(piece.text) for piece in pieces] + [False]
    for place, piece in enumerate(pieces):
        if linked[place + 1] and not piece.junk and _is_related(piece):
            end = linked.index(False, place + 1)
            _mark(pieces[place:end])


def drop_card_headings(story: Story) -> None:
    """Teasers in a row: linked headlines, each with an excerpt at most."""
    pieces = story.pieces()
    heads = [
        place
        for place, p in enumerate(pieces)
        if p.kind is BlockKind.HEADING and p.linked > LINKED_SHARE * len(p.text) and p.linked >= HEADLINE_LENGTH
    ]
    stops = [place for place, p in enumerate(pieces) if p.kind is BlockKind.HEADING] + [len(pieces)]
    ends = [stops[bisect_right(stops, place)] for place in heads]
    small = [sum(len(p.text) for p in pieces[place + 1 : end]) <= EXCERPT_LENGTH for place, end in zip(heads, ends, strict=True)]
    teasers: list[Piece] = []
    for this in range(len(heads)):
        before = this > 0 and small[this - 1] and ends[this - 1] == heads[this]
        after = this + 1 < len(heads) and ends[this] == heads[this + 1]
        if small[this] and (before or after):
            teasers += pieces[heads[this] : ends[this]]
    if teasers and sum([piece.prose for piece in teasers]) <= TEASERS_SHARE * sum([piece.prose for piece in pieces]):
        _mark(teasers)


def drop_dates(story: Story) -> None:
    """Lines that only say when: datelines, update times, a live blog's clock."""
    for piece in story.pieces():
        if (
            piece.kind is not BlockKind.LIST_ITEM
            and len(piece.text) <= LABEL_LENGTH
            and DATE.fullmatch(piece.text)  # mostly fails at the first letter
            and DATE_SIGN.search(piece.text)
        ):
            piece.junk = True


def drop_labels(story: Story) -> None:
    """Buttons, prompts and labels that stand alone."""
    for piece in story.pieces():
        if len(piece.text) <= LABEL_LENGTH and piece.kind is not BlockKind.CODE and LABEL.fullmatch(piece.text):
            piece.junk = True


def drop_copies(story: Story) -> None:
    """The same text again, for another screen size: a piece twice in a row, or a run of pieces that says what another run said."""
    pieces = story.pieces()
    first: dict[str, int] = {}
    place = 0
    while place < len(pieces):
        source = first.setdefault(pieces[place].text, place)
        length = 0
        if source < place:
            while place + length < len(pieces) and source + length < place and pieces[source + length].text == pieces[place + length].text:
                length += 1
            run = pieces[place : place + length]
            if length and (source + length == place or (length > 1 and sum(len(p.text) for p in run) >= COPY_LENGTH)):
                _mark(run)
        place += max(1, length)


def drop_tail(story: Story) -> None:
    """Links, calls to action and headings of nothing after the last prose."""
    for piece in reversed(story.pieces()):
        call = piece.kind is BlockKind.PARAGRAPH and len(piece.text) < CALL_LENGTH and CALL.match(piece.text)
        linked = piece.kind is BlockKind.LIST_ITEM and piece.linked > LINKED_SHARE * len(piece.text)
        if not (call or linked or piece.kind is BlockKind.HEADING):
            return
        piece.junk = True


RULES: tuple[Callable[[Story], None], ...] = (
    drop_wordless,
    drop_head,
    drop_cards,
    drop_link_paragraphs,
    drop_headline_lists,
    drop_related_sections,
    drop_card_headings,
    drop_labels,
    drop_dates,
    drop_copies,
    drop_tail,
)


def _mark(pieces: list[Piece]) -> None:
    for piece in pieces:
        piece.junk = True


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text).casefold()
