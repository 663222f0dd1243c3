"""Places where a block's Markdown may be cut: between sentences, and never inside a link, code or emphasis."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_OPEN = 50  # marks in one another
_OPENING = frozenset(("[", "!["))
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"”’')\]*_]*\s+|(?<=[。！？])(?=[^\s\"”’'）」』*_)\]])")
# An escaped character, the end of a link with its address, and what begins or ends a mark. `_` inside a word is none.
_SIGN = re.compile(
    r"\\.|\]\((?:<(?:[^<>\n\\]|\\.)*>|[^()\s]*)(?: \"(?:[^\"\\]|\\.)*\")?\)|`+|\*\*|\*|__|(?<![^\W_])_|_(?![^\W_])|!?\[|\]", re.DOTALL
)


def sentences(markdown: str, size: int) -> Iterator[str]:
    """The sentences of inline Markdown, each with the blanks behind it. Those that a mark holds together are one.

    One that is longer than `size` has no marks, so that it can be cut.
    """
    for text in _marked_sentences(markdown):
        if len(text) <= size:
            yield text
        else:
            yield from _split(_without_marks(text))


def _marked_sentences(markdown: str) -> Iterator[str]:
    pending: list[str] = []
    opened: list[str] = []
    for part in _split(markdown):
        pending.append(part)
        _follow(part, opened)
        if not opened:
            yield "".join(pending)
            pending = []
    yield "".join(pending)


def _without_marks(markdown: str) -> str:
    """Inline Markdown without its links, code and emphasis."""
    return _SIGN.sub(lambda sign: sign[0] if sign[0][0] == "\\" else "", markdown)


def _split(markdown: str) -> Iterator[str]:
    start = 0
    for end in _SENTENCE_END.finditer(markdown):
        yield markdown[start : end.end()]
        start = end.end()
    if start < len(markdown):
        yield markdown[start:]


def _follow(part: str, opened: list[str]) -> None:
    """The marks that are open behind a part, given those that are open before it."""
    for found in _SIGN.finditer(part):
        sign = found[0]
        if sign[0] == "\\" or (opened and opened[-1][0] == "`" and sign != opened[-1]):
            continue
        if sign[0] == "]":
            _close(opened, "[")
        elif sign in opened and sign not in _OPENING:
            _close(opened, sign)
        elif len(opened) < MAX_OPEN:
            opened.append("[" if sign in _OPENING else sign)


def _close(opened: list[str], sign: str) -> None:
    while opened and opened.pop() != sign:
        pass


def pieces(text: str, size: int) -> Iterator[str]:
    """A text cut at blanks, or anywhere, but not behind the sign that escapes the next one."""
    while len(text) > size:
        cut = text.rfind(" ", size // 2, size)
        cut = cut if cut > 0 else size - text.endswith("\\", 0, size)
        yield text[:cut]
        text = text[cut:].lstrip(" ")
    yield text
