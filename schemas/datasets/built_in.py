"""What a file may add to a built-in dataset: `datasets/articles.yaml` with `extends: articles`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from schemas import column_docs
from schemas.errors import ConfigError
from schemas.yaml_files.yaml_problems import line_at

ADDED = ("fields", "steps", "expectations", "drift")
FIXED = ("source", "match", "key", "history", "undeclared_fields")


def refuse_changes(data: Mapping[str, Any], name: str, node: yaml.Node | None, source: str) -> None:
    """Raises ConfigError, with the lines, for what a built-in dataset has already or cannot change. `data` is the file's."""
    found = [(line_at(node, location), f"{'.'.join(location)}: {problem}") for location, problem in _changes(data, name)]
    if found:
        raise ConfigError("\n".join(f"{source}: line {line}: {problem}" for line, problem in sorted(found)))


def _changes(data: Mapping[str, Any], name: str) -> Iterator[tuple[tuple[str, ...], str]]:
    if data.get("extends") != name:
        yield ("extends",), f"write `extends: {name}`: crawlhouse itself makes the table {name!r}, and this file adds to it"
    for key in FIXED:
        if key in data:
            yield (key,), f"the {key} of {name!r} is fixed; its file adds {', '.join(ADDED)}"
    columns = {column.lower() for column in column_docs.BUILT_IN[name]}
    fields = data.get("fields")
    for field in fields if isinstance(fields, dict) else ():
        if str(field).lower() in columns:
            yield ("fields", str(field)), f"{name!r} has this column already; choose another name"
