"""What is to become of rows of quarantine: each is to be published, to stay there, or to be removed.

A `Candidate` is made before the publish lock is taken. Under the lock, `settlement` decides on versions and duplicates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pyarrow as pa

from processing.datasets.identity import missing_key_columns, row_id
from processing.datasets.rows import JSON_LD_RULE, KEY_RULE, SIZE_RULE, TYPE_RULE, UNDECLARED_RULE, RowTyper, arrow_values
from processing.datasets.values import from_plain, short_text
from processing.quarantine.selection import ARTICLES, Place, place_of
from schemas.datasets.dataset import Dataset
from schemas.datasets.page_rows import Row
from schemas.datasets.tables import arrow_type
from schemas.outcomes import Reason

Values = Mapping[str, Any]  # Any: the values of a row of a table


class Fate(StrEnum):
    """What a candidate is to become."""

    PUBLISH = "publish"
    STAY = "stay"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row of quarantine, `old`, and what is to become of it.

    `new` are its values as a row of its dataset's table or, if it stays, of `quarantine`. `rule`, `reason` and `detail` say why it stays,
    or for which reason its record has no such row any more. `row_json` is a row that is to be published, as quarantine would keep it.
    """

    old: Values
    fate: Fate
    new: Values = field(default_factory=dict)
    rule: str = ""
    reason: str = ""
    detail: str | None = None
    row_json: str | None = None

    @property
    def dataset(self) -> str:
        """The dataset that the row was made for."""
        return self.old["dataset"] or ARTICLES

    @property
    def place(self) -> Place:
        """Where the row is from."""
        return place_of(self.old)

    @property
    def record_id(self) -> tuple[str, int]:
        """The record that the row is from."""
        return self.old["warc_filename"], self.old["warc_record_offset"]


def stays(old: Values, new: Values, rule: str, reason: str, detail: str | None) -> Candidate:
    """A row that breaks a rule today."""
    return Candidate(old, Fate.STAY, new, rule, reason, detail)


def dropped(old: Values) -> Candidate:
    """A row that is removed for good."""
    return Candidate(old, Fate.REMOVE, reason=str(Reason.DROPPED), detail="the row was dropped from quarantine")


def was_refused_by_source(old: Values) -> bool:
    """Whether the row never had values of the fields' types, so that it is stored as its source gave it."""
    return old["rule"] in {TYPE_RULE, UNDECLARED_RULE, SIZE_RULE, JSON_LD_RULE} or (old["rule"] == KEY_RULE and old["row_id"] is None)


def stored_row(dataset: Dataset, old: Values) -> Row:
    """The row that quarantine keeps as JSON, typed by today's definition. Never fails: what does not fit is its `rule` and `detail`."""
    raw = json.loads(old["row_json"])
    if was_refused_by_source(old):
        return RowTyper(dataset).row(raw, old["host"], old["url"])
    values = {name: raw.get(name) for name in dataset.fields}
    problem = next((detail for name in dataset.fields if (detail := _misfit(dataset, name, values[name]))), None)
    if problem is not None:
        return Row(values, old["row_id"], TYPE_RULE, problem, old["row_json"])
    typed = arrow_values(dataset, Row(values)) | {"host": old["host"], "url": old["url"]}
    if missing := missing_key_columns(dataset, typed):
        return Row(values, None, KEY_RULE, f"{', '.join(missing)}: a key cannot be empty", old["row_json"])
    return Row(values, row_id(dataset, typed))


def article_fields(dataset: Dataset, old: Values) -> dict[str, Any]:  # Any: as Arrow takes them
    """The fields that the user has added to articles, as quarantine keeps them for a row. Raises ValueError for what does not fit today."""
    if not dataset.fields:
        return {}
    values = json.loads(old["row_json"] or "{}")
    if problems := [problem for name in dataset.fields if (problem := _misfit(dataset, name, values.get(name)))]:
        raise ValueError(problems[0])
    return arrow_values(dataset, Row(values))


def table_values(dataset: Dataset, row: Row) -> dict[str, Any]:  # Any: as Arrow takes them
    """A row's own columns in the dataset's table."""
    return {"row_id": row.row_id, **arrow_values(dataset, row)}


def _misfit(dataset: Dataset, name: str, value: Any) -> str | None:  # Any: a plain value
    """Why a stored value does not fit its field's type today."""
    kind = dataset.fields[name].field_type
    try:
        pa.array([from_plain(value, kind)], arrow_type(kind))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, pa.ArrowException):
        return f"{name}: {short_text(value)} is no {kind}"
    return None
