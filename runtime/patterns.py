"""Regular expressions of users, searched in URLs in a time that is bounded, whatever the pattern and the URL are.

RE2 searches in a time that is linear in the URL's length. Patterns that RE2 does not support, such as look-around and back references, are
searched by the module `regex` with a time limit. If the time is over, the caller gets a PatternTimeoutError. Both find what Python's `re`
finds.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

LOG = logging.getLogger(__name__)
SEARCH_SECONDS = 0.01  # of CPU, for one search beyond RE2
SHORT_SEARCH_SECONDS = 0.0001  # when many were slow: twenty times what a usual search takes
SLOW_BUDGET_SECONDS = 0.1  # that slow searches may take together before there is little time for each
RECOVERY_SECONDS = 0.00001  # that each quick search gives back
_TOKEN = re.compile(r"\\N\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{,\d*\}|\{(?!\d+(?:,\d*)?\})", re.DOTALL)

Search = Callable[[str], Any]  # Any: a match, or None


class PatternTimeoutError(Exception):
    """A pattern was searched in a URL for as long as is allowed, without an answer."""


class UrlPattern:
    """One pattern, as Python's `re` has them."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._linear = _linear(_plain(pattern))
        self._bounded: Any = None  # made when it is needed
        self._slow_budget = SLOW_BUDGET_SECONDS

    def search(self, text: str) -> bool:
        """Whether the pattern is found in a text. Raises PatternTimeoutError."""
        return self._match(text) is not None

    def find(self, text: str) -> str | None:
        """What the pattern's first group finds in a text, or all that it finds if it has no group. Raises PatternTimeoutError."""
        match = self._match(text)
        found: str | None = None if match is None else match[1] if match.groups() else match[0]
        return found

    def search_or(self, text: str, default: bool) -> bool:
        """Whether the pattern is found in a text; `default` if that takes too long."""
        try:
            return self.search(text)
        except PatternTimeoutError:
            return default

    def _match(self, text: str) -> Any:  # Any: a match, or None
        if self._linear is not None and text.isascii() and "\n" not in text:  # only then RE2 and Python mean the same by \\w and $
            return self._linear(text)
        return self._search_bounded(text)

    def _search_bounded(self, text: str) -> Any:  # Any: a match, or None
        import regex  # few patterns need it

        self._bounded = self._bounded or regex.compile(_plain(self.pattern))
        seconds = SEARCH_SECONDS if self._slow_budget > 0 else SHORT_SEARCH_SECONDS
        try:
            found = self._bounded.search(text, timeout=seconds)
        except TimeoutError as error:
            self._slow_budget -= seconds
            _warn(self.pattern, text[:200])
            raise PatternTimeoutError(self.pattern) from error
        self._slow_budget = min(self._slow_budget + RECOVERY_SECONDS, SLOW_BUDGET_SECONDS)
        return found


def url_patterns(patterns: Iterable[str]) -> list[UrlPattern]:
    """Patterns that are ready to be searched."""
    return [UrlPattern(pattern) for pattern in patterns]


def regexp(pattern: str, text: str | None) -> bool | None:
    """SQLite's REGEXP for URLs: what takes too long to search is not selected, with a warning."""
    return None if text is None else _cached(pattern).search_or(text, default=False)


_cached = lru_cache(maxsize=20)(UrlPattern)


@lru_cache(maxsize=100)
def _warn(pattern: str, example: str) -> None:
    LOG.warning(
        "The pattern %r takes too long, for instance in %s. Write it without look-around, or without a repetition in another.",
        pattern,
        example,
    )


def _linear(pattern: str) -> Search | None:
    """RE2's search, or None for what it does not know."""
    try:
        import re2
    except ImportError:  # no wheel for this machine
        return None
    options = re2.Options()
    options.log_errors = False
    try:
        search: Search = re2.compile(pattern, options).search
    except (re2.error, UnicodeError):
        return None
    return search


def _plain(pattern: str) -> str:
    """The pattern in signs that all three engines read alike: `{` alone is a brace, `{,3}` a repetition, `[` in a set a bracket."""
    return _TOKEN.sub(_plain_token, pattern)


def _plain_token(found: re.Match[str]) -> str:
    token = found.group()
    if token.startswith("["):
        return "[" + re.sub(r"\\.|\[", lambda part: "\\[" if part.group() == "[" else part.group(), token[1:], flags=re.DOTALL)
    if token.startswith("{,"):
        return "{0" + token[1:]
    return "\\{" if token == "{" else token  # noqa: S105 a token of a pattern
