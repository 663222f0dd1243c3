"""Reading crawl files: YAML to `Crawl`, with errors that name the line, the key and what is allowed."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from schemas.config.bounded_yaml import MAX_BYTES, check_size, message_text, read_nodes, read_yaml
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError

SUFFIXES = (".yaml", ".yml")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
MAX_PROBLEMS = 50
MAX_KEY_CHARACTERS = 100


def read_crawl(path: Path) -> Crawl:
    """The crawl in one YAML file; its name is the file's.

    Raises NotFoundError for no such file and ConfigError for anything wrong in it, all of its mistakes at once.
    """
    if path.suffix == ".yml":
        name = message_text(str(path))
        raise ConfigError(f"{name}: a crawl file ends in .yaml; rename it to {message_text(path.stem)}.yaml, or remove it if there is one.")
    return parse_crawl(_text(path), path.stem, message_text(str(path)))


def _text(path: Path) -> str:
    """The text of a crawl file, of which no more is read than may be in it. Raises NotFoundError, ConfigError."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise ConfigError(f"{message_text(str(path))} is no file. A crawl is a file of YAML.")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        check_size(content, message_text(str(path)))
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no crawl file {message_text(str(path))}.") from error
    except (OSError, ValueError) as error:  # ValueError: it is not UTF-8
        raise ConfigError(f"{message_text(str(path))} cannot be read: {message_text(str(error))}.") from error


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


def settings_for_crawl(reference: str, settings: Settings) -> Settings:
    """The settings for a crawl: one that is given by its file's path has its spider beside that file."""
    return settings.model_copy(update={"crawls": Path(reference).absolute().parent}) if is_path(reference) else settings


def parse_crawl(text: str, name: str, source: str = "<text>") -> Crawl:
    """The crawl in a YAML text. Raises ConfigError, whatever the text is."""
    try:
        return _parse(text, name, source)
    except CrawlhouseError:
        raise
    except Exception as error:  # whatever a text may do to those who read and check it
        raise ConfigError(f"{source} cannot be read: {type(error).__name__}: {message_text(str(error))}") from error


def _parse(text: str, name: str, source: str) -> Crawl:
    node, data = read_yaml(text, source)
    if not isinstance(data, dict):
        found = "is empty" if data is None else f"is a {type(data).__name__}"
        raise ConfigError(f"{source} {found}, but must be a mapping with at least 'seeds:'.")
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{source}: {message_text(name)!r} names no crawl: a file's name is lower-case letters, digits and _, like 'my_news.yaml'."
        )
    if data.get("name", name) != name:
        raise ConfigError(f"{source}: line {_line(node, ('name',))}: a crawl is named by its file, {name!r}; remove 'name'.")
    try:
        return Crawl.model_validate({**data, "name": name})
    except ValidationError as error:
        raise ConfigError(_problems(error, node, source)) from error


def _problems(error: ValidationError, node: yaml.Node | None, source: str) -> str:
    """Each mistake in a line with its place in the file; of very many the first."""
    causes = _first_causes(error)
    problems = sorted((_line(node, item["loc"]), message_text(_problem(item))) for item in causes[:MAX_PROBLEMS])
    more = [f"{source}: and {len(causes) - MAX_PROBLEMS:,} more mistakes"] if len(causes) > MAX_PROBLEMS else []
    return "\n".join([*(f"{source}: line {line}: {problem}" for line, problem in problems), *more])


def read_crawls(folder: Path) -> tuple[dict[str, Crawl], dict[str, CrawlhouseError]]:
    """All crawls of a folder by name, and beside them the errors of the broken ones; no folder is no crawls."""
    crawls: dict[str, Crawl] = {}
    broken: dict[str, CrawlhouseError] = {}
    for path in sorted(path for path in folder.glob("*.y*ml") if path.suffix in SUFFIXES):
        try:
            crawls[path.stem] = read_crawl(path)
        except CrawlhouseError as error:
            broken.setdefault(path.stem, error)  # of x.yaml and x.yml, what is wrong in the first
    return crawls, broken


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
        near = get_close_matches(str(location[-1])[:MAX_KEY_CHARACTERS], allowed, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        return f"unknown key '{where}': {hint}allowed are {', '.join(allowed)}"
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "string_type" and isinstance(item["input"], (bool, int, float)):
        message = f"YAML reads this as {_number(item['input'])}; put it in quotes"
    return f"{where}: {message}"


def _number(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # of more digits than Python writes
        return "a very large number"


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
        node = read_nodes(_text(path), str(path))
    except (CrawlhouseError, yaml.YAMLError):
        return None
    return _line(node, location) if _child(node, location[0]) else None
