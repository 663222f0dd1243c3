"""Items of users' spiders as they are stored: the contract between the spider that yields them and the datasets that read them.

A line of an items file is a `StoredItem` as JSON. The `ItemTypes` next to it name the classes of the items and the types of their fields,
so that a reader needs no module of the user's. A line of a segment's file of problems is an `ItemProblem`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

TypeName = Literal[
    "string", "integer", "decimal", "float", "boolean", "date", "time", "timestamp", "list", "struct", "json"
]  # json: any value, because the class does not say more


ProblemRule = Literal["callback", "unread", "pipeline", "unstorable", "size", "render"]


class ItemFieldType(BaseModel):
    """The type of a value: `element` is the type of a list's elements, `fields` are the fields of a struct."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: TypeName
    nullable: bool = False
    element: ItemFieldType | None = None
    fields: tuple[Field, ...] = ()


class Field(BaseModel):
    """A field of an item or a struct."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    type: ItemFieldType


class ItemType(BaseModel):
    """A class of items. A `scrapy.Item` without annotations has fields of the type json; dicts have no item type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    module: str
    fields: tuple[Field, ...]


class ItemTypes(BaseModel):
    """The classes of the items of a segment or a run. A name is there twice if two definitions of the class were used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    types: tuple[ItemType, ...] = ()


class StoredItem(BaseModel):
    """An item with its origin.

    `warc_filename`, `warc_record_offset` and `warc_record_length` point to the capture. `position` counts the items of a capture from 0, in
    the order in which they were yielded. `type` is the name of the item's class; of a dict the text under its key `type`, if there is one.

    `item` is the item as a JSON object, nested items in it as objects: decimals are texts with all their digits, dates and times ISO 8601
    (a time zone is kept, UTC is `Z`), enumerations their value, UUIDs, URLs and bytes text, sets and tuples lists, floats that are not
    finite null.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    fetched_at: datetime
    crawl_run: str
    warc_filename: str
    warc_record_offset: int
    warc_record_length: int | None = None
    position: int
    type: str | None = None
    item: dict[str, Any]


class ItemProblem(BaseModel):
    """What is missing of a capture's items, and why: one item as far as JSON can hold it, or without `item` an unknown number of them.

    `rule` is `callback` (the spider raised an error), `unread` (its callback was not called), `pipeline` (an item pipeline raised an
    error), `unstorable` (JSON cannot hold a value of the item) or `size`. `render` means that the page was not rendered, so that nothing of
    it is known to be complete.
    """

    model_config = ConfigDict(frozen=True)

    warc_record_offset: int
    rule: ProblemRule
    problem: str
    type: str | None = None
    item: dict[str, Any] | None = None


def dict_type(item: Mapping[str, object]) -> str | None:
    """The type that an item without a class names itself."""
    named = item.get("type")
    return named if isinstance(named, str) and named else None


def sorted_types(types: Iterable[ItemType]) -> tuple[ItemType, ...]:
    """Each definition once, by name."""
    return tuple(sorted(set(types), key=lambda one: (one.name, one.model_dump_json())))
