"""Remove boilerplate from the container: each rule marks text blocks that sites put between an article's own."""

from __future__ import annotations

import re
from collections.abc import Callable

from processing.article.body.article_body import CALL_LENGTH, LABEL_LENGTH, LINKED_SHARE, ArticleBody, is_related, mark
from processing.article.body.endings import drop_author_section, drop_related_tail, drop_tail
from processing.article.body.phrases import (
    AGENCIES,
    BYLINE_WORDS,
    CREDIT,
    CREDIT_REACH,
    CREDIT_SIGNS,
    DATE,
    DATE_SIGN,
    DATE_WORDS,
    LABEL,
    NOTICE,
    PROMPT,
    SUBSCRIBE,
    SUBSCRIPTION,
    SUBSCRIPTION_SIGNS,
)
from processing.article.body.teasers import drop_card_headings, drop_cards, drop_headline_lists, drop_linked_cards, is_linked_item
from processing.article.body.wall import drop_wall
from processing.article.dates.dates import read_date
from processing.article.dates.months import joined_months, month_number
from processing.article.kinds import CAPTION, CODE, HEADING, LIST_ITEM, PARAGRAPH, QUOTE
from processing.article.outline.outline import TextBlock

COPY_LENGTH = 80  # characters: text blocks of this length together that repeat are a copy for another screen size
CREDIT_LENGTH = 250  # characters of a caption with its credit
NOTICE_LENGTH = 400  # characters of a site's notice
_TEXTS = frozenset((PARAGRAPH, LIST_ITEM))
OPENING_BLOCKS = 3  # among which a line with the date stands
BYLINE_LENGTH = 120  # characters
_LETTER_WORD = re.compile(r"[^\W\d_]+")
_MONTH_NAME = re.compile(r"[^\W\d_]{3}.*\d")  # in the heading of a part of a chronicle; the time of a live blog's entry has none
_BETWEEN_WORDS = re.compile(r"[\s\d,.:;|()（）/–—-]+")
_NO_LETTERS = re.compile(r"[\W_]+")


def remove_boilerplate(body: ArticleBody) -> list[TextBlock]:
    """The text blocks that remain after all rules. The rules do not see captions."""
    captions = [block for block in body.text_blocks() if block.kind is CAPTION]
    mark(captions)
    for rule in RULES:
        rule(body)
    for caption in captions:
        caption.boilerplate = False
    return body.text_blocks()


def drop_wordless(body: ArticleBody) -> None:
    """Rules of dashes, asterisks and arrows."""
    for block in body.text_blocks():
        block.boilerplate = not (block.text[0].isalnum() or any(map(str.isalnum, block.text)))  # mostly the first is a letter


LONG_TITLE = 30  # letters: a heading that ends with them is the page's


def drop_head(body: ArticleBody) -> None:
    """The headline and what is above it, if that is not prose."""
    text_blocks = body.text_blocks()
    start = body.outline.elements[body.container].start
    title = _letters(body.title or "")
    above = bool(title) and any(p.kind is HEADING and _letters(p.text) == title for p in body.outline.text_blocks[:start])
    for index, block in enumerate(text_blocks):
        if block.kind is not HEADING:
            continue
        letters = _letters(block.text)
        titled = letters == title or (len(title) >= LONG_TITLE and letters.endswith(title))  # with a kicker
        if titled or block.level == 1:
            above_it, below_it = (
                sum([block.prose for block in text_blocks[:index] if not is_linked_item(block)]),
                sum([block.prose for block in text_blocks[index:]]),
            )
            if above_it <= (0.15 if titled and block.level == 1 and not above else 0.02) * (above_it + below_it):
                mark(text_blocks[: index + 1])
            return


def drop_link_paragraphs(body: ArticleBody) -> None:
    """Paragraphs that are only a link, and text blocks with a link that begin like "Related:"."""
    for block in body.text_blocks():
        if not block.linked:
            continue
        linked = block.linked / len(block.text)
        paragraph = block.kind is PARAGRAPH or block.kind is QUOTE
        if (paragraph and linked > LINKED_SHARE) or (linked > 0.3 and PROMPT.match(block.text.lower())):
            block.boilerplate = True


def drop_related_sections(body: ArticleBody) -> None:
    """A heading like "More from ..." with the links under it."""
    text_blocks = body.text_blocks()
    linked = [block.linked > 0.5 * len(block.text) for block in text_blocks] + [False]
    for index, block in enumerate(text_blocks):
        if linked[index + 1] and not block.boilerplate and is_related(block):
            end = linked.index(False, index + 1)
            mark(text_blocks[index:end])


def drop_credits(body: ArticleBody) -> None:
    """Captions of pictures that are marked up as paragraphs: short texts that end with a photographer or an agency."""
    for block in body.text_blocks():
        if len(block.text) <= CREDIT_LENGTH and block.kind is PARAGRAPH:
            end = block.text[-CREDIT_REACH:].lower()
            if any(map(end.__contains__, CREDIT_SIGNS)) or end.rstrip(")] ").endswith(AGENCIES):
                text = block.text.lower()
                block.boilerplate = CREDIT.search(text, max(0, len(text) - CREDIT_REACH)) is not None


def drop_bylines(body: ArticleBody) -> None:
    """Lines with only the authors' names, perhaps with date and time: bylines, and the stamps of a live blog's posts."""
    names = [name.casefold() for name in body.authors]
    for block in body.text_blocks() if names else ():
        if len(block.text) > BYLINE_LENGTH or block.kind is HEADING or block.kind is CODE:
            continue
        text = rest = block.text.casefold()
        for name in names:
            rest = rest.replace(name, " ")
        if rest != text and all(word in BYLINE_WORDS or month_number(word, None) for word in _LETTER_WORD.findall(rest)):
            block.boilerplate = True


def drop_phrases(body: ArticleBody) -> None:
    """What is boilerplate by its words: labels, the site's notices, offers, dates."""
    for block in body.text_blocks():
        if len(block.text) <= NOTICE_LENGTH:
            text = block.text.lower()
            block.boilerplate = _is_label_or_notice(block, text) or _is_offer(block, text) or _is_date(block, text)


def _is_label_or_notice(block: TextBlock, text: str) -> bool:
    """Buttons, prompts and labels that stand alone; consent for embedded content, offers for subscribers, affiliate links."""
    if block.kind is CODE:
        return False
    return (len(text) <= LABEL_LENGTH and LABEL.fullmatch(text)) or NOTICE.match(text)


def _is_offer(block: TextBlock, text: str) -> bool:
    """Short paragraphs and list items with a link that offer a newsletter, a channel or an app, anywhere in the text."""
    if not block.linked or block.kind not in _TEXTS or len(text) >= CALL_LENGTH or not any(map(text.__contains__, SUBSCRIPTION_SIGNS)):
        return False
    return SUBSCRIBE.search(text) is not None and SUBSCRIPTION.search(text) is not None


def drop_foreign_dates(body: ArticleBody) -> None:
    """Lines with only a date in any language, perhaps with weekday, time and label, before the first prose."""
    for block in body.text_blocks()[:OPENING_BLOCKS]:
        if block.prose or block.kind is HEADING:
            return
        text = block.text
        if len(text) <= LABEL_LENGTH and block.kind is PARAGRAPH and any(map(str.isdigit, text)) and _is_only_date(text):
            block.boilerplate = True


def _is_only_date(text: str) -> bool:
    parts = _BETWEEN_WORDS.split(joined_months(text).lower())
    words = [word for word in parts if word and word not in DATE_WORDS and word not in BYLINE_WORDS]
    return all(month_number(word, None) for word in words) and read_date(text, month_first=False) is not None


def _is_date(block: TextBlock, text: str) -> bool:
    """Lines with only date and time: datelines, update times, times of a live blog."""
    if len(text) > LABEL_LENGTH or block.kind is LIST_ITEM or (block.kind is HEADING and _MONTH_NAME.search(text)):
        return False
    return DATE.fullmatch(text) is not None and DATE_SIGN.search(text) is not None  # the first mostly fails at the first letter


def drop_copies(body: ArticleBody) -> None:
    """Copies for another screen size: a text block twice in a row, or a repeated sequence of text blocks."""
    text_blocks = body.text_blocks()
    if len({block.text for block in text_blocks}) == len(text_blocks):
        return
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
                mark(run)
        index += max(1, length)


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
    drop_linked_cards,
    drop_author_section,
    drop_phrases,
    drop_foreign_dates,
    drop_bylines,
    drop_copies,
    drop_wall,
    drop_tail,
)


def _letters(text: str) -> str:
    return _NO_LETTERS.sub("", text).casefold()
