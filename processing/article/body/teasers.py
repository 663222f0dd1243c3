"""Remove teasers of other articles: cards, linked headlines with excerpts, short lists of headlines."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from urllib.parse import urlsplit

from processing.article.body.article_body import LINKED_SHARE, ArticleBody, is_related, mark
from processing.article.kinds import HEADING, LIST_ITEM, PARAGRAPH
from processing.article.outline.outline import Outline, TextBlock

HEADLINES_SHARE = 0.65  # of a list's characters: kickers beside the links are not linked
HEADLINE_LENGTH = 25  # characters, on average: links this long are headlines, shorter ones names
FEW_HEADLINES = 6  # a longer list of links is the article's own more often than not
CARD_SHARE = 0.3  # of the container's prose: a nested `article` with less is a teaser
LINKED_CARDS_SHARE = 0.5  # of the text
CARDS_SHARE = 0.6  # of the prose: `article`s that hold more together are the body's own parts
TEASERS_SHARE = 0.1  # of the prose: linked headings with excerpts that hold more are the list that the body is
INTRODUCTION_LENGTH = 40  # characters: so much, ending in a colon, announces a list
EXCERPT_LENGTH = 350  # characters of a teaser's excerpt
MAX_OUTER_LINKS = 200
SECOND_LEVEL = 3  # letters of a label that is a part of the domain of many sites
MAX_TEASER_BLOCKS = 4  # behind a linked heading: a kicker, a date, an excerpt


def site_name_of(url: str) -> str:
    """The label by which a site is known under several domains, with its dot: `bbc.` of bbc.com and www.bbc.co.uk; empty for an address."""
    labels = (urlsplit(url).hostname or "").removeprefix("www.").split(".")
    is_short = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= SECOND_LEVEL  # example.co.uk
    names = labels[: -2 if is_short else -1]
    return f"{names[-1]}." if names and not names[-1].isdecimal() else ""


def is_linked_item(block: TextBlock) -> bool:
    """Whether a list item has a linked headline, perhaps with an excerpt."""
    return block.kind is LIST_ITEM and block.linked >= HEADLINE_LENGTH


def drop_cards(body: ArticleBody) -> None:
    """Teasers: an `article` inside the article with little of its prose and a linked headline."""
    cards = list(body.elements("article"))
    total = (sum([block.prose for block in body.text_blocks()]) or 1) if cards else 1
    teasers = [inside for element in cards if _is_card(inside := body.inside(element), total)]
    announced = {id(after) for before, after in pairwise(body.text_blocks()) if is_related(before)} if teasers else set()
    related = any(id(inside[0]) in announced for inside in teasers)
    if related or sum(block.prose for inside in teasers for block in inside) <= CARDS_SHARE * total:
        for inside in teasers:
            mark(inside)


def _is_card(inside: list[TextBlock], total: int) -> bool:
    linked = any(block.linked >= HEADLINE_LENGTH and block.linked > LINKED_SHARE * len(block.text) for block in inside[:3])
    return linked and sum([block.prose for block in inside]) < CARD_SHARE * total


def drop_headline_lists(body: ArticleBody) -> None:
    """Short lists of linked headlines. Longer lists, lists of names, of pages elsewhere and announced lists may be the article's own."""
    text_blocks = body.text_blocks()
    announced: set[int] | None = None
    for element in body.elements("ul", "ol", "dl"):
        items = body.first_inside(element, FEW_HEADLINES + 1)
        letters = sum(len(item.text) for item in items)
        if not 0 < len(items) <= FEW_HEADLINES or sum(item.linked for item in items) < HEADLINES_SHARE * letters:
            continue
        if letters >= HEADLINE_LENGTH * len(items):
            if announced is None:
                announced = {id(after) for before, after in pairwise(text_blocks) if _announces(before)}
            if id(items[0]) not in announced and not _leads_away(body, items):
                mark(items)


def _announces(block: TextBlock) -> bool:
    return block.kind is PARAGRAPH and len(block.text) >= INTRODUCTION_LENGTH and block.text.endswith((":", "："))


def _leads_away(body: ArticleBody, items: list[TextBlock]) -> bool:
    """Whether all items of a list have links to other sites: sources, offers, books."""
    if body.outer_links is None:
        body.outer_links = _outer_links(body.outline, body.site)
    links = body.outer_links
    return bool(links) and all(item.text in links or item.text[: item.linked] in links for item in items)


def _outer_links(outline: Outline, site: str) -> frozenset[str]:
    """The texts of the links to other sites."""
    if not site:
        return frozenset()
    away = [node for node in outline.labels if _is_away(node.attributes.get("href"), site)]
    return frozenset(" ".join(node.text().split()) for node in away[:MAX_OUTER_LINKS])


def _is_away(address: str | None, site: str) -> bool:
    return address is not None and address.startswith(("http", "//")) and site not in address


def drop_card_headings(body: ArticleBody) -> None:
    """Teasers in a row: linked headlines, each with an excerpt at most."""
    text_blocks = body.text_blocks()
    heads = [
        index
        for index, p in enumerate(text_blocks)
        if p.kind is HEADING and p.linked > LINKED_SHARE * len(p.text) and p.linked >= HEADLINE_LENGTH
    ]
    stops = [index for index, p in enumerate(text_blocks) if p.kind is HEADING] + [len(text_blocks)]
    ends = [stops[bisect_right(stops, index)] for index in heads]
    small = [
        end - index - 1 <= MAX_TEASER_BLOCKS and sum(len(p.text) for p in text_blocks[index + 1 : end]) <= EXCERPT_LENGTH
        for index, end in zip(heads, ends, strict=True)
    ]
    teasers: list[TextBlock] = []
    for this in range(len(heads)):
        before = this > 0 and small[this - 1] and ends[this - 1] == heads[this]
        after = this + 1 < len(heads) and ends[this] == heads[this + 1]
        if small[this] and (before or after):
            teasers += text_blocks[heads[this] : ends[this]]
    if not teasers:
        return
    first = next(index for index, block in enumerate(text_blocks) if block is teasers[0])
    announced = any(map(is_related, text_blocks[max(0, first - 2) : first]))
    share = CARDS_SHARE if announced else TEASERS_SHARE
    if sum([block.prose for block in teasers]) <= share * sum([block.prose for block in text_blocks]):
        mark(teasers)


def drop_linked_cards(body: ArticleBody) -> None:
    """Cards that are one link around several texts. If they hold most of the text, a link was never closed."""
    text_blocks = body.text_blocks()
    cards = [block for block in text_blocks if block.card and block.linked > LINKED_SHARE * len(block.text)]
    if sum([block.length for block in cards]) <= LINKED_CARDS_SHARE * sum([block.length for block in text_blocks]):
        mark(cards)
