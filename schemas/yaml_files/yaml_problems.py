"""The mistakes that pydantic finds in a YAML file, each in a line with the line number, the key and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from schemas.yaml_files.bounded_yaml import message_text
from schemas.yaml_files.model import PlacedError, SetByPlan

MAX_PROBLEMS = 50
MAX_KEY_CHARACTERS = 100
A_LIST, A_MAPPING = "this must be a list, like [a, b]", "this must be a mapping, like {a: b}"
PLAIN_WORDS = {"tuple_type": A_LIST, "dict_type": A_MAPPING, "model_type": A_MAPPING}  # YAML's words, not Python's


def describe_problems(
    error: ValidationError,
    node: yaml.Node | None,
    source: str,
    model: type[BaseModel],
    own_place: Callable[[tuple[Any, ...]], tuple[Any, ...]] = lambda location: location,
) -> str:
    """Each mistake in a line with its place in the file; of very many the first. `own_place` makes a place of the model one of the file."""
    causes = [{**placed, "loc": own_place(placed["loc"])} for item in _first_causes(error) for placed in _placed(item)]
    problems = sorted((line_at(node, item["loc"]), message_text(_problem(item, model))) for item in causes[:MAX_PROBLEMS])
    more = [f"{source}: and {len(causes) - MAX_PROBLEMS:,} more mistakes"] if len(causes) > MAX_PROBLEMS else []
    return "\n".join([*(f"{source}: line {line}: {problem}" for line, problem in problems), *more])


def _first_causes(error: ValidationError) -> list[Any]:  # Any: pydantic's ErrorDetails
    """The errors without those that only follow: a list is too short when its one item is wrong."""
    items = error.errors()
    inner = {item["loc"][:depth] for item in items for depth in range(len(item["loc"]))}
    return [item for item in items if item["type"] != "too_short" or item["loc"] not in inner]


def _placed(item: Any) -> Iterator[Any]:  # Any: as above
    """The mistakes in one error of pydantic: a check of a whole model may find several, each at a place of its own."""
    error = item.get("ctx", {}).get("error")
    if not isinstance(error, PlacedError):
        yield item
        return
    for location, message in error.mistakes:
        yield {**item, "loc": (*item["loc"], *location), "msg": message}


def _problem(item: Any, model: type[BaseModel]) -> str:  # Any: pydantic's ErrorDetails
    location = item["loc"]
    where = ".".join(str(part) for part in location) or "the file"
    if item["type"] == "extra_forbidden":
        allowed = sorted(_allowed(location[:-1], model))
        near = get_close_matches(str(location[-1])[:MAX_KEY_CHARACTERS], allowed, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        return f"unknown key '{where}': {hint}allowed are {', '.join(allowed)}"
    message = item["msg"].removeprefix("Value error, ")
    message = PLAIN_WORDS.get(item["type"], message)
    if item["type"] in {"string_type", "tuple_type"} and isinstance(item["input"], (bool, int, float)):
        message = f"YAML reads this as {_number(item['input'])}; put it in quotes"
    return f"{where}: {message}"


def _number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # of more digits than Python writes
        return "a very large number"


def _allowed(location: tuple[Any, ...], model: type[BaseModel]) -> set[str]:
    for part in location:
        for candidate in _models(model, part):
            model = candidate
    return {name for name, field in model.model_fields.items() if not any(isinstance(mark, SetByPlan) for mark in field.metadata)}


def _models(model: type[BaseModel], part: Any) -> Iterator[type[BaseModel]]:
    field = model.model_fields.get(str(part))
    if field is None:
        return
    pending: list[Any] = [field.annotation]
    while pending:
        kind = pending.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind
        pending.extend(getattr(kind, "__args__", ()))


def line_at(node: yaml.Node | None, location: tuple[Any, ...]) -> int:
    """The line of a key in a file's nodes, or of the nearest around it that is written there."""
    line = 1
    for part in location:
        child = _child(node, part)
        if child is None:
            break
        line, node = child
    return line


def _child(node: yaml.Node | None, part: Any) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None


def has_key(node: yaml.Node | None, key: str | int) -> bool:
    """Whether a file has a key at its top."""
    return _child(node, key) is not None
