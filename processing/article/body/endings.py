"""Remove what stands behind an article's end: related pages, the author's section, calls to action."""

from __future__ import annotations

from processing.article.body.article_body import CALL_LENGTH, LABEL_LENGTH, LINKED_SHARE, ArticleBody, is_related, mark
from processing.article.body.phrases import AUTHOR_SECTION, CALL_TO_ACTION, OFFER
from processing.article.kinds import HEADING, LIST_ITEM, PARAGRAPH
from processing.article.outline.outline import TextBlock

TAIL_ABOVE = 0.75  # of the prose stands above a section of related pages that goes to the end
TAIL_LINKS = 0.3  # of its text blocks are links
MAX_TAILS = 5  # headings that are tried: each costs a look at all that follows
MIN_TAIL_LINKS = 2
BIOGRAPHY_LENGTH = 600  # characters of a text about the author that begins with the name


def drop_related_tail(body: ArticleBody) -> None:
    """Everything from a heading like "Read this next" on, where most of the prose is above it and links follow."""
    text_blocks = body.text_blocks()
    total = sum([block.prose for block in text_blocks])
    above = tries = 0
    for index, block in enumerate(text_blocks):
        if above >= TAIL_ABOVE * total > 0 and tries < MAX_TAILS and is_related(block):
            tries += 1
            links = [after.linked > 0.5 * len(after.text) for after in text_blocks[index + 1 :]]
            # every excerpt is near its link: prose that is not is the article's
            excerpts = all(any(links[max(0, at - 2) : at + 1]) for at, after in enumerate(text_blocks[index + 1 :]) if after.prose)
            if excerpts and sum(links) >= max(MIN_TAIL_LINKS, TAIL_LINKS * len(links)):
                mark(text_blocks[index:])
                return
        above += block.prose


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
            mark(text_blocks[index:])
            return


def drop_tail(body: ArticleBody) -> None:
    """Links, calls to action, the author's biography and headings without text after the last prose."""
    names = tuple(author for author in body.authors if " " in author)
    for block in reversed(body.text_blocks()):
        call = block.kind is PARAGRAPH and len(block.text) < CALL_LENGTH and _is_call(block)
        linked = block.kind is LIST_ITEM and block.linked > LINKED_SHARE * len(block.text)
        biography = bool(names) and len(block.text) < BIOGRAPHY_LENGTH and block.text.startswith(names)
        if not (call or linked or biography or block.kind is HEADING):
            return
        block.boilerplate = True


def _is_call(block: TextBlock) -> bool:
    text = block.text.lower()
    return CALL_TO_ACTION.match(text) is not None or (block.linked > 0 and OFFER.search(text) is not None)
