"""Rows at fault as people read them: the row's URL, and its values in the columns that an expectation names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.printable import printable_json

MAX_CHARACTERS = 60  # of a value
MAX_COLUMNS = 5  # of an example: a compound key may have many
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
    """What a row has in the first of these columns. A column that the row does not have is left out."""
    shown = [name for name in columns if name in row and name != _URL][:MAX_COLUMNS]
    return ", ".join(f"{name} {_short(row[name])}" for name in shown)


def _short(value: Any) -> str:
    """A value in one line. A text is quoted, so that an empty one is seen."""
    if isinstance(value, str):
        return printable_json(_cut(value))
    if value is None or isinstance(value, bool):
        return printable_json(value)
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, date):  # a time too
        return value.isoformat()
    return str(value) if isinstance(value, int | Decimal) else printable_json(_cut(str(value)))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"
