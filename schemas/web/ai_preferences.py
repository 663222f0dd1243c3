"""AI preferences: what a site says about the use of its content, and whether that forbids a use.

Two statements are read. `Content-Usage: train-ai=n, search=y` is that of the IETF's working group AIPREF (draft-ietf-aipref-vocab and
draft-ietf-aipref-attach): a dictionary of structured fields (RFC 9651, 3.2), of which the last value of a key counts, and which says
nothing if it is broken. `Content-Signal: ai-train=no, search=yes` is that of contentsignals.org, read leniently. Both stand in headers of a
response and in robots.txt (`spiders.permission.ai_rules`). Where several statements differ, a use that one of them forbids is forbidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

USAGE_FIELD, SIGNAL_FIELD = "Content-Usage", "Content-Signal"
MAX_CHARACTERS = 1_000  # of a statement that is kept; the vocabularies have a handful of words
# The uses that a crawl may declare, with the words for them, the narrowest first. `bots`, `ai` and `genai` stand in earlier drafts for
# wider or equal uses: they count where no narrower word does.
USAGE_WORDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "train-ai": (("train-ai", "train-genai"), ("ai", "genai"), ("bots",)),
    "search": (("search",), ("bots",)),
    "ai-input": (("ai-input", "ai-use"), ("ai", "genai"), ("bots",)),
}
SIGNAL_WORDS: Mapping[str, str] = {"train-ai": "ai-train", "search": "search", "ai-input": "ai-input"}
USES = tuple(USAGE_WORDS)
_HEADER_LENGTHS = frozenset({len(USAGE_FIELD), len(SIGNAL_FIELD)})
_KEY = r"[a-z*][a-z0-9_\-.*]*"
_ITEM = r'(?:"(?:[^"\\]|\\.)*"|[A-Za-z*][^\s,;"()]*|\?[01]|:[^:,;]*:|@?-?[0-9.]+|\([^()]*\))'
_MEMBER = re.compile(rf"({_KEY})(?:=({_ITEM}))?((?:;\s*{_KEY}(?:={_ITEM})?)*)\s*(?:,\s*|\Z)")
_SIGNAL = re.compile(r"(?<![\w.*-])([\w.*-]+)\s*[=:]\s*[\"']?(yes|no|y|n|true|false|1|0|allow|disallow)\b", re.IGNORECASE)
_ALLOWED = frozenset(("yes", "y", "true", "1", "allow"))


@dataclass(frozen=True, slots=True)
class AiPreferences:
    """The statements that apply to one response, as text: those of its headers, of robots.txt, or of both."""

    usage: str | None = None
    signal: str | None = None

    def combined(self, other: AiPreferences) -> AiPreferences:
        """Both together, as one statement of each kind. Texts that are equal, or alone, stay as they are."""
        if other == NO_PREFERENCES:
            return self
        return AiPreferences(
            _combined(self.usage, other.usage, read_usage, ("y", "n")), _combined(self.signal, other.signal, read_signal, ("yes", "no"))
        )

    def forbidden(self, uses: Iterable[str]) -> str | None:
        """The statement that forbids one of these uses, such as `Content-Usage: train-ai=n`; None if none does."""
        usage, signal = read_usage(self.usage or ""), read_signal(self.signal or "")
        for use in uses:
            if _is_forbidden(usage, USAGE_WORDS[use]):
                return f"{USAGE_FIELD}: {self.usage}"
            if signal.get(SIGNAL_WORDS[use]) is False:
                return f"{SIGNAL_FIELD}: {self.signal}"
        return None


NO_PREFERENCES = AiPreferences()


def header_preferences(headers: Iterable[tuple[bytes, bytes]]) -> AiPreferences:
    """The statements in the headers of a response; several headers of one name are one list (RFC 9110, 5.3)."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        if len(name) not in _HEADER_LENGTHS:  # the length first: this runs for every header of every response
            continue
        lower = name.decode("latin-1").lower()
        if lower in {USAGE_FIELD.lower(), SIGNAL_FIELD.lower()}:
            found.setdefault(lower, []).append(value.decode("latin-1").strip())
    if not found:
        return NO_PREFERENCES
    return AiPreferences(*(statement(", ".join(filter(None, found.get(name.lower(), ())))) for name in (USAGE_FIELD, SIGNAL_FIELD)))


def statement(text: str) -> str | None:
    """A statement as it is kept: on one line, not endless; None for an empty one."""
    return " ".join(text.split())[:MAX_CHARACTERS] or None


def read_usage(text: str) -> dict[str, bool]:
    """The preferences of a Content-Usage statement: whether each named use is allowed. Empty if the statement is broken."""
    found: dict[str, bool] = {}
    position, text = 0, text.strip()
    while position < len(text):
        member = _MEMBER.match(text, position)
        if member is None or (member.end() == len(text) and text.endswith(",")):
            return {}
        found.pop(member[1], None)  # the last value counts, also if it says nothing
        if member[2] in {"y", "n"}:
            found[member[1]] = member[2] == "y"
        position = member.end()
    return found


def read_signal(text: str) -> dict[str, bool]:
    """The preferences of a Content-Signal statement: whether each named use is allowed. A use that it allows and forbids is forbidden."""
    found: dict[str, bool] = {}
    for signal in _SIGNAL.finditer(text):
        use = signal[1].lower().replace("_", "-")
        found[use] = found.get(use, True) and signal[2].lower() in _ALLOWED
    return found


def _is_forbidden(preferences: Mapping[str, bool], words: Iterable[tuple[str, ...]]) -> bool:
    """Whether the narrowest words that are there forbid a use."""
    for equal in words:
        values = [preferences[word] for word in equal if word in preferences]
        if values:
            return not all(values)
    return False


def _combined(one: str | None, other: str | None, read: object, values: tuple[str, str]) -> str | None:
    if one is None or other is None or one == other:
        return one or other
    assert callable(read)
    preferences: dict[str, bool] = read(one)
    for word, is_allowed in read(other).items():
        preferences[word] = preferences.get(word, True) and is_allowed
    if not preferences:
        return one
    return ", ".join(f"{word}={values[0] if is_allowed else values[1]}" for word, is_allowed in preferences.items())
