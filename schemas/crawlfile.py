"""Reading crawl files: YAML to `Crawl`, with errors that name the line, the key and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from schemas.crawl import IN_FILE, Crawl
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError
from schemas.settings import Settings

SUFFIXES = (".yaml", ".yml")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def read_crawl(path: Path) -> Crawl:
    """The crawl in one YAML file; its name is the file's.

    Raises NotFoundError for no such file and ConfigError for anything wrong in it, all of its mistakes at once.
    """
    if path.suffix == ".yml":
        raise ConfigError(f"{path}: a crawl file ends in .yaml; rename it to {path.stem}.yaml, or remove it if there is one.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no crawl file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error
    return parse_crawl(text, path.stem, str(path))


def is_path(reference: str) -> bool:
    """Whether a reference to a crawl is a file's path and no name."""
    return reference.endswith(SUFFIXES) or "/" in reference


def find_crawl(reference: str, folder: Path) -> Crawl:
    """The crawl that a user means by a name or by a path. Raises NotFoundError, naming what there is, and ConfigError."""
    if is_path(reference):
        return read_crawl(Path(reference))
    path = folder / f"{reference}.yaml"
    if path.is_file():
        return read_crawl(path)
    names = sorted(other.stem for other in folder.glob("*.yaml"))
    if not names:
        raise NotFoundError(f"There is no crawl {reference!r}: {folder} holds no crawl file. `crawlhouse init` makes a first one.")
    near = get_close_matches(reference, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise NotFoundError(f"There is no crawl {reference!r} in {folder}.{hint} There are: {', '.join(names)}.")


def beside_file(reference: str, settings: Settings) -> Settings:
    """The settings for a crawl: one that is given by its file's path has its spider beside that file."""
    return settings.model_copy(update={"crawls": Path(reference).absolute().parent}) if is_path(reference) else settings


def parse_crawl(text: str, name: str, source: str = "<text>") -> Crawl:
    """The crawl in a YAML text. Raises ConfigError."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date
        raise ConfigError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        found = "is empty" if data is None else f"is a {type(data).__name__}"
        raise ConfigError(f"{source} {found}, but must be a mapping with at least 'seeds:'.")
    _check_doubles(node, source)
    if not NAME.fullmatch(name):
        raise ConfigError(f"{source}: {name!r} names no crawl: a file's name is lower-case letters, digits and _, like 'my_news.yaml'.")
    if data.get("name", name) != name:
        raise ConfigError(f"{source}: line {_line(node, ('name',))}: a crawl is named by its file, {name!r}; remove 'name'.")
    try:
        return Crawl.model_validate({**data, "name": name}, context={IN_FILE: True})
    except ValidationError as error:
        problems = sorted((_line(node, item["loc"]), _problem(item)) for item in _first_causes(error))
        raise ConfigError("\n".join(f"{source}: line {line}: {problem}" for line, problem in problems)) from error


def read_crawls(folder: Path) -> tuple[dict[str, Crawl], dict[str, CrawlhouseError]]:
    """All crawls of a folder by name, and beside them the errors of the broken ones; no folder is no crawls."""
    crawls: dict[str, Crawl] = {}
    broken: dict[str, CrawlhouseError] = {}
    for path in sorted(path for path in folder.glob("*.y*ml") if path.suffix in SUFFIXES):
        try:
            crawls[path.stem] = read_crawl(path)
        except CrawlhouseError as error:
            broken[path.stem] = error
    return crawls, broken


def _check_doubles(node: yaml.Node | None, source: str) -> None:
    """YAML's readers keep the last of two equal keys in silence; here it is an error. Raises ConfigError."""
    pending, seen_nodes = [node], set[int]()
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen_nodes:
            continue
        seen_nodes.add(id(current))  # an alias may lead back
        if isinstance(current, yaml.SequenceNode):
            pending.extend(current.value)
        elif isinstance(current, yaml.MappingNode):
            seen: dict[str, int] = {}
            for key, value in current.value:
                line = key.start_mark.line + 1
                if seen.setdefault(str(key.value), line) != line:
                    raise ConfigError(f"{source}: line {line}: '{key.value}' stands in line {seen[key.value]} already; keep one of them.")
                pending.append(value)


def _first_causes(error: ValidationError) -> list[Any]:  # Any: pydantic's ErrorDetails
    """The errors without those that only follow: a list is too short when its one item is wrong."""
    items = error.errors()
    inner = {item["loc"][:depth] for item in items for depth in range(len(item["loc"]))}
    return [item for item in items if item["type"] != "too_short" or item["loc"] not in inner]


def _problem(item: Any) -> str:  # Any: pydantic's ErrorDetails
    location = item["loc"]
    where = ".".join(str(part) for part in location) or "the file"
    if item["type"] == "extra_forbidden":
        allowed = sorted(_allowed(location[:-1]))
        near = get_close_matches(str(location[-1]), allowed, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        return f"unknown key '{where}': {hint}allowed are {', '.join(allowed)}"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "string_type" and isinstance(item["input"], (bool, int, float)):
        message = f"YAML reads this as {item['input']}; put it in quotes"
    return f"{where}: {message}"


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


def line_of(path: Path, *location: str | int) -> int | None:
    """The line of a key in a crawl file, or of the nearest around it that is written there; None without its top-level key."""
    try:
        node = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    return _line(node, location) if _child(node, location[0]) else None
