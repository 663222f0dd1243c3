"""Derive the types of an item's fields from the annotations of its class."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import types
import typing
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import PurePath
from typing import Any
from uuid import UUID

from itemadapter import ItemAdapter

from schemas.items import Field, ItemFieldType, ItemType, TypeName

JSON = ItemFieldType(type="json")
SCALARS: tuple[tuple[type, TypeName], ...] = (  # subclasses before their classes
    (bool, "boolean"),
    (int, "integer"),
    (float, "float"),
    (Decimal, "decimal"),
    (dt.datetime, "timestamp"),
    (dt.date, "date"),
    (dt.time, "time"),
    (dt.timedelta, "string"),
    (str, "string"),
    (bytes, "string"),
    (UUID, "string"),
    (PurePath, "string"),
)
NUMBERS: tuple[TypeName, ...] = ("integer", "float", "decimal")  # a union of numbers has the widest one's type
MAX_DEPTH = 10  # of structs and lists in each other; a class that contains itself ends there


def item_type(item_class: type) -> ItemType | None:
    """The name of an item's class and the types of its fields; None for dicts, which have neither."""
    if issubclass(item_class, dict):
        return None
    return _item_type(item_class)  # type: ignore[arg-type]  # classes are hashable


@lru_cache(maxsize=1_000)
def _item_type(item_class: type) -> ItemType:
    return ItemType(name=item_class.__name__, module=item_class.__module__, fields=_fields(item_class, 0))


def _fields(item_class: type, depth: int) -> tuple[Field, ...]:
    annotations = _annotations(item_class)
    names = ItemAdapter.get_field_names_from_class(item_class) or ()
    return tuple(Field(name=name, type=_type(annotations.get(name, Any), depth)) for name in names)


def _annotations(item_class: type) -> Mapping[str, Any]:  # Any: annotations are objects of every kind
    """The annotations of a class; none if one of them names what is imported for type checkers only."""
    try:
        return typing.get_type_hints(item_class)
    except (NameError, TypeError, AttributeError):
        return {}


def _type(annotation: Any, depth: int) -> ItemFieldType:  # Any: see `_annotations`
    """The type of an annotation; json if it allows values of several types, or of an unknown type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if isinstance(annotation, typing.NewType):
        return _type(annotation.__supertype__, depth)
    if origin is typing.Annotated:
        return _type(arguments[0], depth)
    if origin in {typing.Union, types.UnionType}:
        return _union(arguments, depth)
    if origin is typing.Literal:
        return _union(tuple(type(value) for value in arguments), depth)
    return _class_type(origin or annotation, arguments, depth) if isinstance(origin or annotation, type) else JSON


def _union(members: tuple[Any, ...], depth: int) -> ItemFieldType:  # Any: see `_annotations`
    nullable = type(None) in members
    distinct = {_type(member, depth) for member in members if member is not type(None)}
    if len(distinct) > 1 and all(one.type in NUMBERS for one in distinct):
        distinct = {max(distinct, key=lambda one: NUMBERS.index(one.type))}
    only = distinct.pop() if len(distinct) == 1 else JSON
    return only.model_copy(update={"nullable": nullable or only.nullable})


def _class_type(value_class: type, arguments: tuple[Any, ...], depth: int) -> ItemFieldType:  # Any: see `_annotations`
    if issubclass(value_class, enum.Enum):
        return _union(tuple({type(member.value) for member in value_class}), depth)
    for scalar, name in SCALARS:
        if issubclass(value_class, scalar):
            return ItemFieldType(type=name)
    if depth >= MAX_DEPTH or issubclass(value_class, Mapping):
        return JSON
    if dataclasses.is_dataclass(value_class) or ItemAdapter.is_item_class(value_class):
        return ItemFieldType(type="struct", fields=_fields(value_class, depth + 1))
    if issubclass(value_class, Collection):
        return ItemFieldType(type="list", element=_element(arguments, depth + 1))
    return JSON


def _element(arguments: tuple[Any, ...], depth: int) -> ItemFieldType:  # Any: see `_annotations`
    """The type of a collection's elements; `tuple[int, ...]` has an ellipsis."""
    return _union(tuple(one for one in arguments if one is not ...), depth) if arguments else JSON
