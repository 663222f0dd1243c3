"""Makes sentences from word banks. The same seed gives the same words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

DATA = Path(__file__).parent / "data"
LANGUAGES = ("en", "es", "de", "ja")
ROLES = {"chief": "f", "critic": "m", "expert": "f", "local": "m"}
_SLOT = re.compile(r"\{(\w+)(\.\w+|!)?(?::(\d+)-(\d+))?\}")
_CONTRACTION = re.compile(r"\b(a|de) el\b")
_THOUSANDS = {"en": ",", "es": ".", "de": ".", "ja": ","}

Bank = dict[str, Any]  # a word bank as YAML gives it


@cache
def read_bank(language: str) -> Bank:
    """The word bank of a language."""
    bank: Bank = yaml.safe_load((DATA / f"{language}.yaml").read_text(encoding="utf-8"))
    return bank


@dataclass
class Cast:
    """The people, places and words of one story. They are the same in all its sentences."""

    bank: Bank
    topic: str
    random: Random
    published_at: datetime
    fixed: dict[str, str] = field(default_factory=dict)
    _used: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        lasts = self.random.sample(self.bank["last"], len(ROLES))
        for (role, gender), last in zip(ROLES.items(), lasts, strict=True):
            first = self.random.choice(self.bank[f"first_{gender}"])
            full = f"{last}{first}" if self.bank["language"] == "ja" else f"{first} {last}"
            job = self.random.choice(self.bank["topics"][self.topic]["jobs"][role])
            self.fixed |= {role: full, f"{role}.last": last, f"{role}.job": job}
        self.fixed["today"] = self.bank["weekdays"][self.published_at.weekday()]

    def reseed(self, seed: str) -> None:
        """Draw from another seed from now on. Words that are fixed already stay the same."""
        self.random = Random(seed)

    def fill(self, template: str) -> str:
        """A template with its slots filled. The result begins with a capital letter."""
        self._used.clear()
        text = _SLOT.sub(self._slot, template)
        if self.bank["language"] == "es":
            text = _CONTRACTION.sub(lambda found: "al" if found[1] == "a" else "del", text)
        return text[:1].upper() + text[1:]

    def _slot(self, match: re.Match[str]) -> str:
        name, suffix, low, high = match.groups()
        if low:
            return self._number(int(low), int(high))
        if suffix == "!":
            others = [word for word in self._words(name) if word != self.fixed.get(name) and word not in self._used]
            self._used.append(self.random.choice(others))
            return self._used[-1]
        key = name + (suffix or "")
        if key not in self.fixed:
            self.fixed[key] = self.random.choice(self._words(name))
        return self.fixed[key]

    def _words(self, name: str) -> list[str]:
        if name == "weekday":
            return list(self.bank["weekdays"])
        topic_words = self.bank["topics"][self.topic]["words"]
        return list(topic_words.get(name) or self.bank["words"][name])

    def _number(self, low: int, high: int) -> str:
        number = self.random.randint(low, high)
        if low >= 1700 and high < 2100:
            return str(number)
        return f"{number:,}".replace(",", _THOUSANDS[self.bank["language"]])
