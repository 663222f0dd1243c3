"""Match a long list of phrases by the first letter of a text: most texts begin like none or few of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPTIONAL = frozenset("?*{")
_SPECIAL = frozenset(("", *r"\.[](){}?*+|^$"))


class Phrases:
    """Alternatives of a regular expression that stand for a whole text, or for its beginning, in lower case.

    An alternative is tried only on texts that begin with one of its first letters. Python's `re` tries them one after the other, so this
    takes a fraction of the time of one pattern.
    """

    def __init__(self, alternatives: str, behind: str = "") -> None:
        self._alternatives = [(alternative, _first_letters(alternative)) for alternative in _split(alternatives)]
        self._behind = behind
        self._letters = frozenset[str]().union(*(letters for _, letters in self._alternatives if letters is not None))
        self._patterns: dict[str, re.Pattern[str]] = {}  # by the first letter of a text; all that begin no phrase have the one under ""

    def match(self, text: str) -> bool:
        """Whether a text begins with one of the phrases."""
        return self._of(text).match(text) is not None

    def fullmatch(self, text: str) -> bool:
        """Whether a text is one of the phrases."""
        return self._of(text).fullmatch(text) is not None

    def _of(self, text: str) -> re.Pattern[str]:
        first = text[:1]
        pattern = self._patterns.get(first)
        if pattern is None:
            pattern = self._patterns[first] = self._compiled(first) if first in self._letters or not first else self._of("")
        return pattern

    def _compiled(self, letter: str) -> re.Pattern[str]:
        fitting = [alternative for alternative, letters in self._alternatives if letters is None or letter in letters]
        return re.compile(f"(?:{'|'.join(fitting)}){self._behind}" if fitting else r"(?!)")


def _split(pattern: str) -> Iterator[str]:
    """The alternatives of a pattern, without those of its groups."""
    start = 0
    for position, depth in _bars_and_brackets(pattern):
        if depth == 0 and pattern[position] == "|":
            yield pattern[start:position]
            start = position + 1
    yield pattern[start:]


def _bars_and_brackets(pattern: str) -> Iterator[tuple[int, int]]:
    """Where a bar stands or a group ends, and how many groups are open there."""
    depth = position = 0
    while position < len(pattern):
        match pattern[position]:
            case "\\":
                position += 1
            case "[":
                position = pattern.index("]", position + 2)
            case "(":
                depth += 1
            case ")":
                depth -= 1
                yield position, depth
            case "|":
                yield position, depth
        position += 1


def _first_letters(alternative: str) -> frozenset[str] | None:
    """The letters that a text of an alternative may begin with; None if it may begin with anything."""
    if not alternative.startswith("(?:"):
        is_plain = alternative[:1] not in _SPECIAL and alternative[1:2] not in _OPTIONAL
        return frozenset(alternative[0]) if is_plain else None
    end = next(position for position, depth in _bars_and_brackets(alternative) if depth == 0 and alternative[position] == ")")
    ways = list(_split(alternative[3:end]))
    match alternative[end + 1 : end + 2]:
        case "?":
            ways.append(alternative[end + 2 :])
        case "*" | "{":
            return None
    letters = [_first_letters(way) for way in ways]
    known = [some for some in letters if some is not None]
    return frozenset[str]().union(*known) if len(known) == len(letters) else None
