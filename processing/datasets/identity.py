"""Which row a row is over time, and whether it changed. Values are typed, as `convert` makes them and as Arrow gives them back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any

from processing.datasets.values import to_plain
from schemas.datasets.dataset import Dataset

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode  # made once: `json.dumps` makes one for each row

TEXTS = {str}

Values = Mapping[str, Any]  # Any: of the fields' types


def missing_key_columns(dataset: Dataset, values: Values) -> list[str]:
    """The columns of the key that have no value; `values` has those of the key's `host` and `url` as well. A row needs them all."""
    return [name for name in dataset.key if values.get(name) is None or values[name] == ""]


def row_id(dataset: Dataset, values: Values) -> str:
    """SHA-256 of the key's values, the first 32 hex digits: the same for every version of a row, in whichever crawl it is found."""
    return key_digest([to_plain(values[name]) for name in dataset.key])


def key_digest(key: list[Any]) -> str:
    """The row's id of its key's values, in plain form."""
    if set(map(type, key)) == TEXTS:  # the same text as below, in a quarter of the time
        return _sha256(f"[{','.join(map(encode_basestring_ascii, key))}]")
    return _digest(key)


def changed_fields(dataset: Dataset, old: Values, new: Values, only: Collection[str] | None = None) -> tuple[str, ...]:
    """The compared fields that differ between two rows of a key, in the order of the definition.

    A field that a row does not have is NULL, as in a table. `only` names the fields that are looked at, such as those that the older row's
    definition had.
    """
    fields = dataset.compared_fields()
    return tuple(name for name in fields if (only is None or name in only) and not _are_equal(old.get(name), new.get(name)))


def compared_digest(dataset: Dataset, values: Values) -> str:
    """SHA-256 of the compared fields' values, the first 32 hex digits: equal for rows between which nothing changed."""
    return _digest({name: to_plain(_folded(values.get(name))) for name in dataset.compared_fields()})


def have_equal_values(dataset: Dataset, one: Values, other: Values) -> bool:
    """Whether two rows are equal in all fields, those that are not compared included."""
    return all(_are_equal(one.get(name), other.get(name)) for name in dataset.fields)


def _are_equal(one: Any, other: Any) -> bool:
    return bool(_folded(one) == _folded(other))


def _folded(value: Any) -> Any:
    """A value without what tables do not keep apart: members of a struct that are NULL or not there, an empty list and NULL."""
    if isinstance(value, list) and not value:
        return None
    if isinstance(value, Mapping):
        return {name: _folded(one) for name, one in sorted(value.items()) if one is not None}
    return [_folded(one) for one in value] if isinstance(value, (list, tuple)) else value


def _digest(value: object) -> str:
    return _sha256(_encode(value))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
