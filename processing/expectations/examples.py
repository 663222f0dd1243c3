"""Rows at fault as people read them: the row's URL, and its values in the columns that an expectation names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

MAX_CHARACTERS = 60  # of a value
_URL = "url"  # the column stands before the values anyway


@dataclass(frozen=True, slots=True)
class Example:
    """A row at fault. `values` is a text such as `price -1, currency "EUR"`; it may be empty."""

    url: str
    values: str = ""

    def text(self) -> str:
        """The URL, and the values in brackets, as `processing.erase.scope` finds them."""
        return f"{self.url} ({self.values})" if self.values else self.url


def values_text(row: Mapping[str, Any], columns: Iterable[str]) -> str:  # Any: the values of a row
    """What a row has in these columns. A column that the row does not have is left out."""
    return ", ".join(f"{name} {_short(row[name])}" for name in columns if name in row and name != _URL)


def _short(value: Any) -> str:
    """A value in one line. A text is quoted, so that an empty one is seen."""
    if isinstance(value, str):
        return json.dumps(_cut(value), ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, date):  # a time too
        return value.isoformat()
    return str(value) if isinstance(value, int | Decimal) else json.dumps(_cut(str(value)), ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"
