"""What the gate has taken out of a dataset's rows: single rows that go to quarantine, and whole crawl runs that are held back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

RowPlace = tuple[str, int, int]  # WARC file, offset, position on the page
ARTICLE_POSITION = 0  # a page has one article


@dataclass(frozen=True, slots=True)
class Excluded:
    """The rule and the detail of each excluded row, and why each held crawl run is held."""

    rows: Mapping[RowPlace, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    held: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def key(self, base: str) -> str:
        """The name of the rows that are resolved against a base with this taken out."""
        if not self.rows and not self.held:
            return base
        content = [sorted([*place, *why] for place, why in self.rows.items()), sorted(self.held.items())]
        return f"{base}-{hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]}"

    def with_more(self, rows: Mapping[RowPlace, tuple[str, str]], held: Mapping[str, str]) -> Excluded:
        """The same with more taken out."""
        return Excluded({**self.rows, **rows}, {**self.held, **held})


NOTHING = Excluded()


def place_of(row: Mapping[str, Any]) -> RowPlace:  # Any: the values of a staged row
    """Where a row is from."""
    return row["warc_filename"], row["warc_record_offset"], row["position"]
