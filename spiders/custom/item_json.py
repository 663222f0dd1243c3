"""Items of users' spiders as JSON: dicts, `scrapy.Item`, dataclasses, attrs and pydantic classes. `schemas.items` describes the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from itemadapter import ItemAdapter
from pydantic import TypeAdapter
from scrapy.utils.serialize import ScrapyJSONEncoder

from schemas.errors import SpiderError
from schemas.items import dict_type

MAX_ITEM_BYTES = 8 * 1024 * 1024  # half of what DuckDB reads as one line by default

_SERIALIZER: TypeAdapter[Any] = TypeAdapter(Any)  # Any: values of every type
_ENCODER = ScrapyJSONEncoder()


def check_item(item: object) -> None:
    """Raises SpiderError for what is not an item."""
    if not ItemAdapter.is_item(item):
        raise SpiderError(f"{item!r:.200} is neither a request nor an item. Yield a dict, a dataclass or a scrapy.Item.")


def item_type_name(item: object) -> str | None:
    """The name of an item's class; of a dict the type that it names itself."""
    return dict_type(item) if isinstance(item, dict) else type(item).__name__


def item_json(item: object) -> bytes:
    """An item as a JSON object. Raises SpiderError if it cannot be stored, with the name of the field."""
    values = ItemAdapter(item).asdict()
    try:
        encoded = _dump(values)
    except (TypeError, ValueError) as error:
        raise SpiderError(f"An item{_unserializable_field(values)} cannot be stored as JSON: {error}.") from error
    if len(encoded) > MAX_ITEM_BYTES:
        raise SpiderError(f"An item has {len(encoded):,} bytes as JSON. At most {MAX_ITEM_BYTES:,} are stored.")
    return encoded


def _dump(value: object) -> bytes:
    return _SERIALIZER.dump_json(value, fallback=_ENCODER.default, warnings=False)


def _unserializable_field(values: Mapping[str, object]) -> str:
    for name, value in values.items():
        try:
            _dump(value)
        except (TypeError, ValueError):
            return f", its {name!r}"
    return ""
