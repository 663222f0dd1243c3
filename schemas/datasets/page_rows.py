"""The rows of one page for a dataset, as a page worker sends them: plain values, which JSON and MessagePack carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """A row in plain values: a value for each field, and the digest of its key.

    Of a row that is to be quarantined, `rule` names why (`type`, `key`, `undeclared`, `size`, `json_ld`), `detail` says it with field and
    value, and `row_json` is the row as the source gave it; the values that do fit are in `values`.
    """

    values: dict[str, Any]  # Any: a value of JSON
    row_id: str | None = None
    rule: str | None = None
    detail: str | None = None
    row_json: str | None = None


@dataclass(frozen=True, slots=True)
class PageRows:
    """The rows of a page for one dataset, in the order of the page, or an error for which the page is rejected for this dataset."""

    dataset: str
    rows: list[Row] = field(default_factory=list)
    error: str | None = None
