"""Remove boilerplate from the container: each rule marks text blocks that sites put between an article's own."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise

from processing.article.body.phrases import (
    AGENCIES,
    AUTHOR_SECTION,
    CALL_TO_ACTION,
    CREDIT,
    CREDIT_REACH,
    CREDIT_SIGNS,
    DATE,
    DATE_SIGN,
    LABEL,
    NOTICE,
    OFFER,
    PROMPT,
    RELATED,
    SUBSCRIBE,
    SUBSCRIPTION,
)
from processing.article.outline.outline import Element, Outline, TextBlock
from schemas.article import BlockKind

LINKED_SHARE = 0.8  # of a text block's or list's characters: it counts as a link
HEADLINES_SHARE = 0.65  # of a list's characters: kickers beside the links are not linked
HEADLINE_LENGTH = 25  # characters, on average: links this long are headlines, shorter ones names
FEW_HEADLINES = 6  # a longer list of links is the article's own more often than not
CARD_SHARE = 0.3  # of the container's prose: a nested `article` with less is a teaser
CARDS_SHARE = 0.6  # of the prose: `article`s that hold more together are the body's own parts
TEASERS_SHARE = 0.1  # of the prose: linked headings with excerpts that hold more are the list that the body is
INTRODUCTION_LENGTH = 40  # characters: so much, ending in a colon, announces a list
COPY_LENGTH = 80  # characters: text blocks of this length together that repeat are a copy for another screen size
SECTION_LENGTH = 80  # characters of a related section's heading
EXCERPT_LENGTH = 350  # characters of a teaser's excerpt
CALL_TO_ACTION_LENGTH = 250  # characters of a call to action
TAIL_ABOVE = 0.75  # of the prose stands above a section of related pages that goes to the end
TAIL_LINKS = 0.3  # of its text blocks are links
MAX_TAILS = 5  # headings that are tried: each costs a look at all that follows
MIN_TAIL_LINKS = 2
CREDIT_LENGTH = 250  # characters of a caption with its credit
NOTICE_LENGTH = 400  # characters of a site's notice
BIOGRAPHY_LENGTH = 600  # characters of a text about the author that begins with the name
LABEL_LENGTH = 60  # characters: a label or a button is not longer
_TEXTS = frozenset((BlockKind.PARAGRAPH, BlockKind.LIST_ITEM))
_NO_LETTERS = re.compile(r"[\W_]+")


@dataclass(slots=True)
class ArticleBody:
    """The container's text blocks and elements, what belongs to it from above (`lead`) and below (`rest`), title and authors."""

    outline: Outline
    container: int
    title: str | None = None
    authors: tuple[str, ...] = ()
    lead: list[TextBlock] = field(default_factory=list)
    rest: list[TextBlock] = field(default_factory=list)
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


def remove_boilerplate(body: ArticleBody) -> list[TextBlock]:
    """The text blocks that remain after all rules. The rules do not see captions."""
    captions = [block for block in body.text_blocks() if block.kind is BlockKind.CAPTION]
    _mark(captions)
    for rule in RULES:
        rule(body)
    for caption in captions:
        caption.boilerplate = False
    return body.text_blocks()


def drop_wordless(body: ArticleBody) -> None:
    """Rules of dashes, asterisks and arrows."""
    for block in body.text_blocks():
        block.boilerplate = not any(map(str.isalnum, block.text))


def drop_head(body: ArticleBody) -> None:
    """The headline and what is above it, if that is not prose."""
    text_blocks = body.text_blocks()
    start = body.outline.elements[body.container].start
    title = _letters(body.title or "")
    above = bool(title) and any(p.kind is BlockKind.HEADING and _letters(p.text) == title for p in body.outline.text_blocks[:start])
    for index, block in enumerate(text_blocks):
        if block.kind is not BlockKind.HEADING:
            continue
        titled = _letters(block.text) == title
        if titled or block.level == 1:
            above_it, below_it = (
                sum([block.prose for block in text_blocks[:index]]),
                sum([block.prose for block in text_blocks[index:]]),
            )
            if above_it <= (0.15 if titled and block.level == 1 and not above else 0.02) * (above_it + below_it):
                _mark(text_blocks[: index + 1])
            return


def drop_cards(body: ArticleBody) -> None:
    """Teasers: an `article` inside the article with little of its prose and a linked headline."""
    cards = list(body.elements("article"))
    total = (sum([block.prose for block in body.text_blocks()]) or 1) if cards else 1
    teasers = [inside for element in cards if _is_card(inside := body.inside(element), total)]
    announced = {id(after) for before, after in pairwise(body.text_blocks()) if _is_related(before)} if teasers else set()
    related = any(id(inside[0]) in announced for inside in teasers)
    if related or sum(block.prose for inside in teasers for block in inside) <= CARDS_SHARE * total:
        for inside in teasers:
            _mark(inside)


def _is_related(block: TextBlock) -> bool:
    return len(block.text) <= SECTION_LENGTH and RELATED.match(block.text.lower()) is not None


def _is_card(inside: list[TextBlock], total: int) -> bool:
    linked = any(block.linked >= HEADLINE_LENGTH and block.linked > LINKED_SHARE * len(block.text) for block in inside[:3])
    return linked and sum([block.prose for block in inside]) < CARD_SHARE * total


def drop_link_paragraphs(body: ArticleBody) -> None:
    """Paragraphs that are only a link, and text blocks with a link that begin like "Related:"."""
    for block in body.text_blocks():
        if not block.linked:
            continue
        linked = block.linked / len(block.text)
        paragraph = block.kind is BlockKind.PARAGRAPH or block.kind is BlockKind.QUOTE
        if (paragraph and linked > LINKED_SHARE) or (linked > 0.3 and PROMPT.match(block.text.lower())):
            block.boilerplate = True


def drop_headline_lists(body: ArticleBody) -> None:
    """Short lists of linked headlines. Longer lists, lists of names and announced lists may be the article's own."""
    lists = list(body.elements("ul", "ol", "dl"))
    announced = {id(after) for before, after in pairwise(body.text_blocks()) if _announces(before)} if lists else set()
    for element in lists:
        items = body.first_inside(element, FEW_HEADLINES + 1)
        letters = sum(len(item.text) for item in items)
        if not 0 < len(items) <= FEW_HEADLINES or sum(item.linked for item in items) < HEADLINES_SHARE * letters:
            continue
        if letters >= HEADLINE_LENGTH * len(items) and id(items[0]) not in announced:
            _mark(items)


def _announces(block: TextBlock) -> bool:
    return block.kind is BlockKind.PARAGRAPH and len(block.text) >= INTRODUCTION_LENGTH and block.text.endswith((":", "："))


def drop_related_sections(body: ArticleBody) -> None:
    """A heading like "More from ..." with the links under it."""
    text_blocks = body.text_blocks()
    linked = [block.linked > 0.5 * len(block.text) for block in text_blocks] + [False]
    for index, block in enumerate(text_blocks):
        if linked[index + 1] and not block.boilerplate and _is_related(block):
            end = linked.index(False, index + 1)
            _mark(text_blocks[index:end])


def drop_related_tail(body: ArticleBody) -> None:
    """Everything from a heading like "Read this next" on, where most of the prose is above it and links follow."""
    text_blocks = body.text_blocks()
    total = sum([block.prose for block in text_blocks])
    above = tries = 0
    for index, block in enumerate(text_blocks):
        if above >= TAIL_ABOVE * total > 0 and tries < MAX_TAILS and _is_related(block):
            tries += 1
            links = [after.linked > 0.5 * len(after.text) for after in text_blocks[index + 1 :]]
            # every excerpt is near its link: prose that is not is the article's
            excerpts = all(any(links[max(0, at - 2) : at + 1]) for at, after in enumerate(text_blocks[index + 1 :]) if after.prose)
            if excerpts and sum(links) >= max(MIN_TAIL_LINKS, TAIL_LINKS * len(links)):
                _mark(text_blocks[index:])
                return
        above += block.prose


def drop_credits(body: ArticleBody) -> None:
    """Captions of pictures that are marked up as paragraphs: short texts that end with a photographer or an agency."""
    for block in body.text_blocks():
        if len(block.text) <= CREDIT_LENGTH and block.kind is BlockKind.PARAGRAPH:
            text = block.text.lower()
            start = max(0, len(text) - CREDIT_REACH)
            if (text.rstrip(")] ").endswith(AGENCIES) or any([sign in text for sign in CREDIT_SIGNS])) and CREDIT.search(text, start):  # noqa: C419
                block.boilerplate = True


def drop_card_headings(body: ArticleBody) -> None:
    """Teasers in a row: linked headlines, each with an excerpt at most."""
    text_blocks = body.text_blocks()
    heads = [
        index
        for index, p in enumerate(text_blocks)
        if p.kind is BlockKind.HEADING and p.linked > LINKED_SHARE * len(p.text) and p.linked >= HEADLINE_LENGTH
    ]
    stops = [index for index, p in enumerate(text_blocks) if p.kind is BlockKind.HEADING] + [len(text_blocks)]
    ends = [stops[bisect_right(stops, index)] for index in heads]
    small = [sum(len(p.text) for p in text_blocks[index + 1 : end]) <= EXCERPT_LENGTH for index, end in zip(heads, ends, strict=True)]
    teasers: list[TextBlock] = []
    for this in range(len(heads)):
        before = this > 0 and small[this - 1] and ends[this - 1] == heads[this]
        after = this + 1 < len(heads) and ends[this] == heads[this + 1]
        if small[this] and (before or after):
            teasers += text_blocks[heads[this] : ends[this]]
    if not teasers:
        return
    first = next(index for index, block in enumerate(text_blocks) if block is teasers[0])
    announced = any(map(_is_related, text_blocks[max(0, first - 2) : first]))
    share = CARDS_SHARE if announced else TEASERS_SHARE
    if sum([block.prose for block in teasers]) <= share * sum([block.prose for block in text_blocks]):
        _mark(teasers)


def drop_dates(body: ArticleBody) -> None:
    """Lines with only date and time: datelines, update times, times of a live blog."""
    for block in body.text_blocks():
        if (
            block.kind is not BlockKind.LIST_ITEM
            and len(block.text) <= LABEL_LENGTH
            and DATE.fullmatch(block.text.lower())  # mostly fails at the first letter
            and DATE_SIGN.search(block.text.lower())
        ):
            block.boilerplate = True


def drop_labels(body: ArticleBody) -> None:
    """Buttons, prompts and labels that stand alone."""
    for block in body.text_blocks():
        if len(block.text) <= LABEL_LENGTH and block.kind is not BlockKind.CODE and LABEL.fullmatch(block.text.lower()):
            block.boilerplate = True


def drop_notices(body: ArticleBody) -> None:
    """The site's own notices: consent for embedded content, offers for subscribers, affiliate links."""
    for block in body.text_blocks():
        if len(block.text) <= NOTICE_LENGTH and block.kind is not BlockKind.CODE and NOTICE.match(block.text.lower()):
            block.boilerplate = True


def drop_offers(body: ArticleBody) -> None:
    """Short paragraphs and list items with a link that offer a newsletter, a channel or an app, anywhere in the text."""
    for block in body.text_blocks():
        short = block.kind in _TEXTS and block.linked > 0 and len(block.text) < CALL_TO_ACTION_LENGTH
        if short and SUBSCRIBE.search(text := block.text.lower()) and SUBSCRIPTION.search(text):
            block.boilerplate = True


def drop_author_section(body: ArticleBody) -> None:
    """From a heading such as "About the author" on, where most of the prose is above it and little follows."""
    text_blocks = body.text_blocks()
    total = above = sum([block.prose for block in text_blocks])
    for index in range(len(text_blocks) - 1, 0, -1):
        block = text_blocks[index]
        above -= block.prose
        if total - above > BIOGRAPHY_LENGTH or above < TAIL_ABOVE * total:
            return
        if len(block.text) <= LABEL_LENGTH and AUTHOR_SECTION.fullmatch(block.text.lower()):
            _mark(text_blocks[index:])
            return


def drop_copies(body: ArticleBody) -> None:
    """Copies for another screen size: a text block twice in a row, or a repeated sequence of text blocks."""
    text_blocks = body.text_blocks()
    first: dict[str, int] = {}
    index = 0
    while index < len(text_blocks):
        source = first.setdefault(text_blocks[index].text, index)
        length = 0
        if source < index:
            while (
                index + length < len(text_blocks)
                and source + length < index
                and text_blocks[source + length].text == text_blocks[index + length].text
            ):
                length += 1
            run = text_blocks[index : index + length]
            if length and (source + length == index or (length > 1 and sum(len(p.text) for p in run) >= COPY_LENGTH)):
                _mark(run)
        index += max(1, length)


def drop_tail(body: ArticleBody) -> None:
    """Links, calls to action, the author's biography and headings without text after the last prose."""
    names = tuple(author for author in body.authors if " " in author)
    for block in reversed(body.text_blocks()):
        call = block.kind is BlockKind.PARAGRAPH and len(block.text) < CALL_TO_ACTION_LENGTH and _is_call(block)
        linked = block.kind is BlockKind.LIST_ITEM and block.linked > LINKED_SHARE * len(block.text)
        biography = bool(names) and len(block.text) < BIOGRAPHY_LENGTH and block.text.startswith(names)
        if not (call or linked or biography or block.kind is BlockKind.HEADING):
            return
        block.boilerplate = True


def _is_call(block: TextBlock) -> bool:
    text = block.text.lower()
    return CALL_TO_ACTION.match(text) is not None or (block.linked > 0 and OFFER.search(text) is not None)


RULES: tuple[Callable[[ArticleBody], None], ...] = (
    drop_wordless,
    drop_head,
    drop_cards,
    drop_related_tail,
    drop_link_paragraphs,
    drop_headline_lists,
    drop_related_sections,
    drop_credits,
    drop_card_headings,
    drop_author_section,
    drop_labels,
    drop_notices,
    drop_offers,
    drop_dates,
    drop_copies,
    drop_tail,
)


def _mark(text_blocks: list[TextBlock]) -> None:
    for block in text_blocks:
        block.boilerplate = True


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text).casefold()
