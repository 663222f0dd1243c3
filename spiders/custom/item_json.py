"""Items of users' spiders as JSON: dicts, `scrapy.Item`, dataclasses, attrs and pydantic classes. `schemas.items` describes the form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from itemadapter import ItemAdapter
from pydantic import TypeAdapter
from scrapy.utils.serialize import ScrapyJSONEncoder

from schemas.errors import SpiderError
from schemas.items import dict_type

MAX_ITEM_BYTES = 8 * 1024 * 1024  # half of what DuckDB reads as one line by default

MAX_DESCRIBED_BYTES = 10_000  # of a field of an item that cannot be stored: enough to recognise it
MAX_DESCRIBED_FIELDS = 1_000
MAX_SHOWN_CHARACTERS = 200

_SERIALIZER: TypeAdapter[Any] = TypeAdapter(Any)  # Any: values of every type
_ENCODER = ScrapyJSONEncoder()


class UnstorableItemError(Exception):
    """An item that cannot be stored. `described` is a JSON object that says as much of it as JSON can hold."""

    def __init__(self, rule: Literal["unstorable", "size"], message: str, described: bytes) -> None:
        super().__init__(message)
        self.rule = rule
        self.described = described


def check_item(item: object) -> None:
    """Raises SpiderError for what is not an item."""
    if not ItemAdapter.is_item(item):
        raise SpiderError(f"{item!r:.200} is neither a request nor an item. Yield a dict, a dataclass or a scrapy.Item.")


def item_type_name(item: object) -> str | None:
    """The name of an item's class; of a dict the type that it names itself."""
    return dict_type(item) if isinstance(item, dict) else type(item).__name__


def item_json(item: object) -> bytes:
    """An item as a JSON object. Raises UnstorableItemError, with the name of the field."""
    values: Mapping[str, object] = {}
    try:
        values = ItemAdapter(item).asdict()
        encoded = _dump(values)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"An item{_unserializable_field(values)} cannot be stored as JSON: {error}."
        raise UnstorableItemError("unstorable", message, described_item(item)) from error
    if len(encoded) > MAX_ITEM_BYTES:
        message = f"An item has {len(encoded):,} bytes as JSON. At most {MAX_ITEM_BYTES:,} are stored."
        raise UnstorableItemError("size", message, described_item(item))
    return encoded


def described_item(item: object) -> bytes:
    """A JSON object that says as much of an item as JSON can hold. Never fails."""
    try:
        fields = list(ItemAdapter(item).items())[:MAX_DESCRIBED_FIELDS]
        return json.dumps({str(name): _described_value(value) for name, value in fields}, ensure_ascii=False).encode("utf-8", "replace")
    except Exception:  # of a user's class
        return b"{}"


def _described_value(value: object) -> object:
    try:
        encoded = _dump(value)
        if len(encoded) <= MAX_DESCRIBED_BYTES:
            return json.loads(encoded)
        return f"{encoded[:MAX_SHOWN_CHARACTERS].decode(errors='replace')}..."
    except (TypeError, ValueError, RecursionError):
        return f"a {type(value).__name__} that JSON cannot hold"


def _dump(value: object) -> bytes:
    return _SERIALIZER.dump_json(value, fallback=_ENCODER.default, warnings=False)


def _unserializable_field(values: Mapping[str, object]) -> str:
    for name, value in values.items():
        try:
            _dump(value)
        except (TypeError, ValueError, RecursionError):
            return f", its {name!r}"
    return ""
