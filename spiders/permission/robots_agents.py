"""The user-agent lines of a robots.txt: which groups are for this crawler, which for everyone, and which for others.

RFC 9309, 2.2.1: a group is for a crawler if it names its product token, whole and in any case. On the web such a line also has versions
(`crawlhouse/1.0`), several words (`crawlhouse bot`), several crawlers (`Googlebot, crawlhouse`), or the whole User-Agent header. A crawler
is named where its token stands as a word of the line. A part of a word (`crawl`, `crawlhouse-news`) is another crawler's token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

OURS, EVERYONE, ANOTHER = "ours", "*", "another"  # what the lines name after `name_groups`
AGENT_LINE = re.compile(r"\s*user[ _-]?agents?(?:\s*:|\s)(.*)", re.IGNORECASE | re.DOTALL)
DELAY_LINE = re.compile(
    r"\s*crawl[ _-]?delay\s*:\s*[\"'~<>=]{0,3}\s*(\d{1,9}(?:[.,]\d{0,9})?|[.,]\d{1,9})(?![\deE])\s*(ms|mil|m(?!s)|h)?", re.IGNORECASE
)
# a path without its slash, or a whole URL, which would forbid nothing
ODD_PATH_LINE = re.compile(r"\s*dis{1,2}al{1,2}ow\s*:\s*(?:https?://[^/\s#]{1,255}(?=/)|(?=[\w.~%-])(?!https?:))([^\s#].*)", re.IGNORECASE)
UNITS = {"ms": 0.001, "mil": 0.001, "m": 60.0, "h": 3600.0}
SEPARATORS = re.compile(r"[\s,;()\[\]{}\"'|]+")


def name_groups(text: str, product: str) -> str:
    """A robots.txt whose user-agent lines name `ours`, `*` or `another`, whatever they were, and whose other lines are as they were."""
    words = _words(product)
    return "\n".join(named for line in text.splitlines() for named in _named_line(line, words))


def line_agents(line: str, product: str) -> tuple[str, ...] | None:
    """Whom a user-agent line names: `ours`, `*`, or `another`; nobody where it has no value. None for another kind of line."""
    found = AGENT_LINE.match(line.partition("#")[0])
    return _agents(found[1], _words(product)) if found else None


def _named_line(line: str, words: list[str]) -> Iterator[str]:
    found = AGENT_LINE.match(line.partition("#")[0])
    if found is None:
        delay, path = DELAY_LINE.match(line), ODD_PATH_LINE.match(line)
        if delay is not None:
            line = f"Crawl-delay: {_seconds(delay[1], delay[2])}"
        yield line if path is None else f"Disallow: /{path[1].lstrip('/')}"
        return
    yield from [f"User-agent: {agent}" for agent in _agents(found[1], words)] or ["User-agent:"]


def _agents(value: str, words: list[str]) -> tuple[str, ...]:
    named = _words(value)
    if not named:
        return (EVERYONE,) if "*" in value else ()
    ours = (OURS,) if any(named[start : start + len(words)] == words for start in range(len(named))) else ()
    everyone = (EVERYONE,) if value.split(maxsplit=1)[0].strip(",") == "*" else ()
    return ours + everyone or (ANOTHER,)


def _seconds(number: str, unit: str | None) -> float:
    """A delay as people write it: `1,5`, `10s`, `500 ms`, `2 minutes`."""
    return float(number.replace(",", ".")) * UNITS.get((unit or "").lower(), 1.0)


def _words(text: str) -> list[str]:
    """The words of a line in lower case, without versions and without wildcards, which RFC 9309 does not have here."""
    words = (word.partition("/")[0].replace("*", "") for word in SEPARATORS.split(text.lower()))
    return [word for word in words if word]
