"""Robots directives of pages: what a robots meta element or an X-Robots-Tag header asks of a crawler.

The words are those that search engines document; what they mean here: `noindex` is not published, `nofollow` means that the links are
not followed, `noarchive` (or `nocache`) is not kept, and after the date of `unavailable_after` a page is neither.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

UNAVAILABLE = "unavailable_after"
WORDS = frozenset(
    {"all", "none", "index", "noindex", "follow", "nofollow", "archive", "noarchive", "nocache", "nosnippet", "noimageindex", "notranslate"}
)
KEYED = frozenset({UNAVAILABLE, "max-snippet", "max-image-preview", "max-video-preview"})
AGENT = re.compile(r"\s*([^\s:,]+)\s*:\s*([^\s:,]+)")
EVERYONE = frozenset({"robots", "*"})


@dataclass(frozen=True, slots=True)
class Directives:
    """The words asked for, and the date after which the page is unavailable (aware, UTC)."""

    words: frozenset[str] = frozenset()
    unavailable_after: datetime | None = None

    def combined(self, other: Directives) -> Directives:
        """Both together: the stricter holds."""
        dates = [moment for moment in (self.unavailable_after, other.unavailable_after) if moment is not None]
        return Directives(self.words | other.words, min(dates) if dates else None)

    def is_expired(self, now: datetime) -> bool:
        """Whether the page's time is over."""
        return self.unavailable_after is not None and now >= self.unavailable_after

    def forbids_indexing(self, now: datetime) -> bool:
        """Whether the page is not to be published."""
        return not self.words.isdisjoint({"noindex", "none"}) or self.is_expired(now)

    def forbids_following(self) -> bool:
        """Whether the page's links are not to be followed."""
        return not self.words.isdisjoint({"nofollow", "none"})

    def forbids_archiving(self, now: datetime) -> bool:
        """Whether the page is not to be kept."""
        return not self.words.isdisjoint({"noarchive", "nocache"}) or self.is_expired(now)


NO_DIRECTIVES = Directives()


def read_directives(text: str) -> Directives:
    """The directives of one list, such as a meta element's content: `noarchive, unavailable_after: 25 Jun 2010 15:00:00 GMT`."""
    words: set[str] = set()
    date: datetime | None = None
    tokens = [token.strip() for token in text.split(",")]
    for place, token in enumerate(tokens):
        name, colon, value = token.partition(":")
        if colon and name.strip().lower() == UNAVAILABLE:
            date = _parse_date(value, tokens[place + 1] if place + 1 < len(tokens) else "")
        elif token:
            words.add(token.lower())
    return Directives(frozenset(words), date)


def header_directives(values: Iterable[str], product: str) -> Directives:
    """The directives of X-Robots-Tag headers for one crawler, by its product token; those for other named crawlers are left out."""
    found = NO_DIRECTIVES
    for value in values:
        for agent, text in _by_agent(value):
            if agent in EVERYONE or agent == product.lower():
                found = found.combined(read_directives(text))
    return found


def is_addressed(name: str, product: str) -> bool:
    """Whether a meta element of this name speaks to the crawler."""
    return name.strip().lower() in {"robots", product.lower()}


def _by_agent(value: str) -> list[tuple[str, str]]:
    """The parts of a header by whom they address; a name holds until the next one."""
    parts: list[tuple[str, list[str]]] = [("*", [])]
    for token in value.split(","):
        match = AGENT.match(token)
        rest = token
        if match and match[1].lower() not in KEYED and match[2].lower() in WORDS | KEYED:
            parts.append((match[1].lower(), []))
            rest = token.partition(":")[2]
        parts[-1][1].append(rest)
    return [(agent, ",".join(tokens)) for agent, tokens in parts if tokens]


def _parse_date(text: str, following: str) -> datetime | None:
    """A date in ISO 8601, RFC 822 or RFC 850; its weekday's comma may have cut it in two. No zone is UTC."""
    text = text.strip()
    if text.isalpha() and following[:1].isdigit():
        text = f"{text}, {following}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        parsed = email.utils.parsedate_tz(text.replace("-", " ") if text[:1].isalpha() else text)
        if parsed is None:
            return None
        try:
            return datetime.fromtimestamp(email.utils.mktime_tz(parsed), UTC)
        except (ValueError, OverflowError, OSError):
            return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
