"""Readers' comments that no class name tells: what stands under a heading such as "3 comments".

A heading without a number, such as "Comments", may be one of the text's own. It counts only at the beginning of another element than
the text's, which is not one of several sections.
"""

from __future__ import annotations

import re

from processing.article.body.article_body import mark
from processing.article.kinds import HEADING
from processing.article.outline.outline import Element, Outline, TextBlock

ABOVE = 200  # characters of prose above the comments
HEADING_LENGTH = 160  # characters: it may have the article's title
MAX_ABOVE = 2  # text blocks between the beginning of the comments' element and a heading without a number
MAX_STEPS = 4  # from the heading up to the element that holds the comments
_COUNT = r"(?:\d[\d.,]*|no|one|ein|une?|uno|una|um|een)\s"
_NOUN = (
    r"(?:comments?|kommentare?|leserkommentare|commentaires?|comentarios?|comentários?|commenti?|reacties?|kommentarer|kommentit"
    r"|komentarz[ey]?|komentarzy|komentáře?|komentářů|комментари(?:й|и|я|ев)|коментар(?:і|ів)|yorum(?:lar)?|komentar|comentarii|hozzászólás(?:ok)?)"
)
_ANSWER = (
    r"(?:responses?|repl(?:y|ies)|thoughts?|antwort(?:en)?|réponses?|respuestas?|respostas?|risposte|antwoorden|svar|odpowiedzi"
    r"|ответ(?:а|ов)?)"
)
_TITLE = r"\s(?:to|on|zu|auf|für|sur|à|en|a|em|su|op|till|på|do|к|на)\b[^\n]*"
_END = r"\W*"
_COUNTED = re.compile(_COUNT)
_COMMENTS = re.compile(
    rf"(?:{_COUNT}{_NOUN}(?:{_TITLE})?|{_NOUN}(?:\W{{0,3}}\d[\d.,]*)?|{_COUNT}{_ANSWER}{_TITLE}[“„«»\"”]"
    rf"|(?:コメント|评论|評論|留言|댓글|意见)\W*\d*){_END}"
)
_SIGNS = re.compile(r"om+ent|ommenti|reacti|оммент|омент|yorum|hozz|“|„|«|»|\"|”|コ|论|論|言|댓")


def mark_comment_sections(outline: Outline) -> None:
    """Mark from such a heading on to the end of the element around it, or to the next heading that is not below it."""
    above = end = 0
    for index, block in enumerate(outline.text_blocks):
        if index < end:  # one look at each text block, however many such headings there are
            continue
        above += 0 if block.boilerplate else block.prose
        if block.kind is HEADING and above >= ABOVE and _is_about_comments(block.text):
            around = _around(outline, index)
            if _has_number(block.text) or (around.start >= index - MAX_ABOVE and not _is_one_of_sections(outline, around, block)):
                end = _end(outline, index, around)
                mark(outline.text_blocks[index:end])


def _is_about_comments(text: str) -> bool:
    return len(text) <= HEADING_LENGTH and _SIGNS.search(text) is not None and _COMMENTS.fullmatch(text.lower()) is not None


def _has_number(text: str) -> bool:
    return any(map(str.isdigit, text)) or _COUNTED.match(text.lower()) is not None


def _around(outline: Outline, index: int) -> Element:
    """The element that holds the section under a heading."""
    around = outline.elements[outline.text_blocks[index].element]
    for _ in range(MAX_STEPS):
        if around.end > index + 1 or around.parent < 0:
            break
        around = outline.elements[around.parent]
    return around


def _is_one_of_sections(outline: Outline, around: Element, heading: TextBlock) -> bool:
    """Whether an element like the heading's stands directly before or behind it and begins with a heading of the same level."""
    for place in (around.start - 1, around.end):
        other = outline.elements[outline.text_blocks[place].element] if 0 <= place < len(outline.text_blocks) else around
        for _ in range(MAX_STEPS):
            if other.parent in {around.parent, -1}:
                break
            other = outline.elements[other.parent]
        first = outline.text_blocks[other.start]
        is_alike = other is not around and (other.parent, other.tag, other.names) == (around.parent, around.tag, around.names)
        if is_alike and first.kind is HEADING and first.level == heading.level:
            return True
    return False


def _end(outline: Outline, index: int, around: Element) -> int:
    """The end of the section under a heading."""
    text_blocks, heading = outline.text_blocks, outline.text_blocks[index]
    for place in range(index + 1, around.end):
        block = text_blocks[place]
        if block.kind is HEADING and block.level <= heading.level and not _is_about_comments(block.text):
            return place
    return around.end
