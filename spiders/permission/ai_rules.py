"""The rules of a robots.txt about the use of content: its `Content-Usage` and `Content-Signal` lines (draft-ietf-aipref-attach, 3).

A rule may name a path: `Content-Usage: /photos/ train-ai=n`. Of a group's rules those with the longest matching path count, as for Allow
and Disallow; several with one path count together. The group is the one that names this crawler, else the one for everyone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote, urlsplit

from schemas.web.ai_preferences import NO_PREFERENCES, SIGNAL_FIELD, USAGE_FIELD, AiPreferences, statement
from spiders.permission.robots_agents import EVERYONE, OURS, line_agents

MAX_RULES = 1_000  # of a file, the first: each is compared with each URL. Chosen far above what sites have
MENTIONED = re.compile(r"content-(?:usage|signal)", re.IGNORECASE)
_LINE = re.compile(r"\s*([\w -]*?)\s*:(.*)", re.DOTALL)
_FIELDS = {USAGE_FIELD.lower(): "usage", SIGNAL_FIELD.lower(): "signal"}
_NO_RULES = frozenset({"", "sitemap", "host"})  # lines that belong to no group
_SAFE = "%/?#[]@!$&'()*+,;=:~-._"  # characters of a path that are compared as they are

AiRule = tuple[str, str, str]  # field (`usage` or `signal`), path pattern, statement


def read_ai_rules(text: str, product: str) -> list[AiRule]:
    """The rules of a robots.txt that are for the crawler with this product token."""
    rules: dict[str, list[AiRule]] = {OURS: [], EVERYONE: []}
    has_own_group = False
    agents: set[str] = {EVERYONE}  # a line before the first group is for everyone
    begins_group, count = False, 0
    for line in re.split(r"\r\n|\r|\n", text):
        found = _LINE.match(line.partition("#")[0])
        field = found[1].lower() if found else ""
        named = line_agents(line, product) if field.startswith("user") or "agent" in line.lower() else None
        if named is not None:
            agents = {*agents, *named} if begins_group else set(named)
            begins_group, has_own_group = True, has_own_group or OURS in named
        elif found is not None and field not in _NO_RULES:
            begins_group = False
            if field in _FIELDS and count < MAX_RULES:
                count += 1
                rule = _rule(_FIELDS[field], found[2])
                for agent in agents & set(rules) if rule else ():
                    rules[agent].append(rule)  # type: ignore[arg-type]
    return rules[OURS if has_own_group else EVERYONE]


def preferences_of(rules: Sequence[AiRule], url: str) -> AiPreferences:
    """The statements that apply to a URL."""
    if not rules:
        return NO_PREFERENCES
    parts = urlsplit(url)
    path = _encoded(parts.path or "/") + (f"?{_encoded(parts.query)}" if parts.query else "")
    found = NO_PREFERENCES
    for field in ("usage", "signal"):
        for one in _longest([rule for rule in rules if rule[0] == field and _matches(rule[1], path)]):
            found = found.combined(AiPreferences(**{field: one}))
    return found


def _longest(rules: Sequence[AiRule]) -> Iterator[str]:
    length = max((len(pattern) for _, pattern, _ in rules), default=0)
    return (text for _, pattern, text in rules if len(pattern) == length)


def _rule(field: str, value: str) -> AiRule | None:
    value = value.strip()
    path, _, rest = value.partition(" ") if "\t" not in value else re.split(r"([ \t])", value, maxsplit=1)
    if not value.startswith("/"):
        path, rest = "", value
    text = statement(rest)
    return None if text is None else (field, _encoded(path), text)


def _encoded(path: str) -> str:
    """A path with its characters beyond ASCII percent-encoded, and the digits of such codes in upper case."""
    return re.sub(r"%[0-9a-fA-F]{2}", lambda code: code[0].upper(), quote(path, safe=_SAFE))


def _matches(pattern: str, path: str) -> bool:
    """Whether a path begins with a pattern, in which `*` is any text and `$` at its end the end of the path. Linear in both."""
    is_whole = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    position = len(first)
    for place, part in enumerate(others):
        if is_whole and place == len(others) - 1:
            return path.endswith(part) and len(path) - len(part) >= position
        position = path.find(part, position)
        if position < 0:
            return False
        position += len(part)
    return not is_whole or position == len(path)
