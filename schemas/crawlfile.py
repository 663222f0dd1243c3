"""Reading crawl files: YAML to `Crawl`, with errors that name the line, the key and what is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from schemas.crawl import Crawl
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError


def read_crawl(path: Path) -> Crawl:
    """The crawl in one YAML file; its name is the file's.

    Raises NotFoundError for no such file and ConfigError for anything wrong in it, all of its mistakes at once.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no crawl file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error
    return parse_crawl(text, path.stem, str(path))


def parse_crawl(text: str, name: str, source: str = "<text>") -> Crawl:
    """The crawl in a YAML text. Raises ConfigError."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{source} must be a mapping that begins with 'seeds:', but is {type(data).__name__}.")
    if data.get("name", name) != name:
        raise ConfigError(f"{source}: line {_line(node, ('name',))}: a crawl is named by its file, {name!r}; remove 'name'.")
    try:
        return Crawl.model_validate({**data, "name": name})
    except ValidationError as error:
        problems = [_problem(item, node) for item in error.errors()]
        raise ConfigError("\n".join(f"{source}: {problem}" for problem in problems)) from error


def read_crawls(folder: Path) -> tuple[dict[str, Crawl], dict[str, CrawlhouseError]]:
    """All crawls of a folder by name, and beside them the errors of the broken ones."""
    crawls: dict[str, Crawl] = {}
    broken: dict[str, CrawlhouseError] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            crawls[path.stem] = read_crawl(path)
        except CrawlhouseError as error:
            broken[path.stem] = error
    return crawls, broken


def _problem(item: Any, node: yaml.Node | None) -> str:  # Any: pydantic's ErrorDetails
    location = item["loc"]
    where = ".".join(str(part) for part in location) or "the file"
    line = _line(node, location)
    if item["type"] == "extra_forbidden":
        allowed = sorted(_allowed(location[:-1]))
        near = get_close_matches(str(location[-1]), allowed, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        return f"line {line}: unknown key '{where}': {hint}allowed are {', '.join(allowed)}"
    message = item["msg"].removeprefix("Value error, ")
    return f"line {line}: {where}: {message}"


def _allowed(location: tuple[Any, ...]) -> set[str]:
    model: type[BaseModel] = Crawl
    for part in location:
        for candidate in _models(model, part):
            model = candidate
    return set(model.model_fields)


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


def _line(node: yaml.Node | None, location: tuple[Any, ...]) -> int:
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
