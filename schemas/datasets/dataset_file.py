"""Reading `datasets/NAME.yaml`: YAML to `Dataset`, with errors that name the line, the key and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from schemas.datasets.built_in import refuse_changes
from schemas.datasets.dataset import Dataset
from schemas.datasets.plugins import DATASETS, Plugin, definition_file, find_plugin, find_plugins
from schemas.datasets.sources import KINDS
from schemas.datasets.suite_file import read_suite, read_text
from schemas.errors import ConfigError, CrawlhouseError, NotFoundError
from schemas.yaml_files.bounded_yaml import MAX_BYTES, check_size, message_text, read_yaml
from schemas.yaml_files.dataset_names import BUILT_IN, check_dataset_name
from schemas.yaml_files.yaml_problems import describe_problems, has_key, line_at

SUFFIXES = (".yaml", ".yml")
MAX_BASES = 5  # definitions that extend one another
APPENDED = ("steps", "expectations", "drift")  # in an extending file these lists add to those of the extended file
Definition = dict[str, Any]  # Any: whatever the YAML says
Location = tuple[str | int, ...]


def ready_names() -> list[str]:
    """The names of the definitions that come with the package, sorted."""
    return sorted(entry.name.removesuffix(".yaml") for entry in _ready_folder().iterdir() if entry.name.endswith(".yaml"))


def read_datasets(folder: Path | None) -> tuple[dict[str, Dataset], dict[str, CrawlhouseError]]:
    """All datasets by name (built in, ready-made, of installed packages, from the folder), and the errors of broken files, also by name.

    A file in the folder replaces any other definition of the same name. Without a folder there are no datasets of the user.
    """
    datasets: dict[str, Dataset] = {}
    broken: dict[str, CrawlhouseError] = {}
    own = {path.stem: path for path in sorted(folder.glob("*.y*ml")) if path.suffix in SUFFIXES} if folder else {}
    for name in sorted({*_known_names(), *own}):
        try:
            datasets[name] = read_dataset(own[name]) if name in own else find_dataset(name, None)
        except CrawlhouseError as error:
            broken[name] = error
    return datasets, broken


def find_dataset(name: str, folder: Path | None) -> Dataset:
    """The dataset of a name: from the folder, otherwise ready-made, otherwise of an installed package.

    Raises NotFoundError, naming what there is, and ConfigError.
    """
    path = folder / f"{name}.yaml" if folder else None
    if path is not None and path.is_file():
        return read_dataset(path)
    if name in BUILT_IN:
        return Dataset(name=name)
    if name in ready_names():
        return parse_dataset(_ready_text(name), name, f"the ready-made dataset {name!r}")
    plugin = find_plugin(DATASETS, name)
    if plugin is not None:
        return read_plugin_dataset(plugin)
    there = sorted({*_known_names(), *(other.stem for other in folder.glob("*.yaml"))} if folder else _known_names())
    near = get_close_matches(name, there, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    where = f" in {folder}, nor a ready-made one or one of an installed package" if folder else ""
    raise NotFoundError(f"There is no dataset {name!r}{where}.{hint} There are: {', '.join(there)}.")


def find_definition_file(name: str, folder: Path) -> Path | None:
    """The YAML file from which `find_dataset` reads a dataset: in the folder or in an installed package. None for all others."""
    path = folder / f"{name}.yaml"
    if path.is_file():
        return path
    plugin = None if name in BUILT_IN or name in ready_names() else find_plugin(DATASETS, name)
    return None if plugin is None else definition_file(plugin)


def read_plugin_dataset(plugin: Plugin) -> Dataset:
    """The dataset of an installed package, which is not imported. Raises ConfigError, NotFoundError, naming the package."""
    path = definition_file(plugin)
    try:
        return read_dataset(path)
    except CrawlhouseError as error:
        raise ConfigError(f"{plugin.package}: {error}") from error


def read_dataset(path: Path) -> Dataset:
    """The dataset in one YAML file; its name is the file's.

    Raises NotFoundError for no such file and ConfigError for anything wrong in it, all of its mistakes at once.
    """
    if path.suffix == ".yml":
        raise ConfigError(f"{message_text(str(path))}: a dataset's file ends in .yaml; rename it to {message_text(path.stem)}.yaml.")
    text = read_text(path, MAX_BYTES)
    check_size(text, message_text(str(path)))
    return parse_dataset(text, path.stem, message_text(str(path)), path.parent)


def parse_dataset(text: str, name: str, source: str = "<text>", folder: Path | None = None) -> Dataset:
    """The dataset in a YAML text; `folder` is where the suite file and the dataset that it extends are. Raises ConfigError."""
    try:
        return _parse(text, name, source, folder)
    except CrawlhouseError:
        raise
    except Exception as error:  # whatever a text may do to those who read and check it
        raise ConfigError(f"{source} cannot be read: {type(error).__name__}: {message_text(str(error))}") from error


def line_of(path: Path, *location: str | int) -> int | None:
    """The line of a key in a dataset's file, or of the nearest around it that is written there; None without its top-level key.

    In a file that extends another, steps, expectations and drift count from the first of the other; theirs have the line of `extends`.
    """
    try:
        node, data = read_yaml(read_text(path, MAX_BYTES), str(path))
        base = _appended(data, path.stem, node, str(path), path.parent) if isinstance(data, dict) else {}
    except (CrawlhouseError, yaml.YAMLError):
        return None
    location = _own_place(location, base)
    return line_at(node, location) if has_key(node, location[0]) else None


def _appended(data: Definition, name: str, node: yaml.Node | None, source: str, folder: Path | None) -> dict[str, int]:
    """How many steps, expectations and drifts the definition has that a file extends."""
    if data.get("extends") is None:
        return {}
    base = _base(str(data["extends"]), name, source, folder, 0)
    return {key: len(base[key]) for key in APPENDED if isinstance(base.get(key), list)}


def _own_place(location: Location, base: Mapping[str, int]) -> Location:
    """A place in the whole definition as the place in the file itself."""
    count = base.get(str(location[0]), 0) if location else 0
    if not count or len(location) < 2 or not isinstance(location[1], int):
        return location
    return (location[0], location[1] - count, *location[2:]) if location[1] >= count else ("extends",)


def _parse(text: str, name: str, source: str, folder: Path | None) -> Dataset:
    node, data = _load(text, name, source)
    if "code" in data:
        raise ConfigError(f"{source}: line {line_at(node, ('code',))}: unknown key 'code'.")
    if name in BUILT_IN:
        refuse_changes(data, name, node, source)
    definition = _whole(data, name, node, source, folder)
    try:
        return Dataset.model_validate({**definition, "name": name})
    except ValidationError as error:
        base = _appended(data, name, node, source, folder)
        raise ConfigError(describe_problems(error, node, source, Dataset, lambda location: _own_place(location, base))) from error


def _load(text: str, name: str, source: str) -> tuple[yaml.Node | None, Definition]:
    node, data = read_yaml(text, source)
    if not isinstance(data, dict):
        found = "is empty" if data is None else f"is a {type(data).__name__}"
        raise ConfigError(f"{source} {found}, but must be a mapping with at least 'source:', 'key:' and 'fields:'.")
    try:
        check_dataset_name(name)
    except ValueError as error:
        raise ConfigError(f"{source}: {message_text(str(error))}.") from error
    if data.get("name", name) != name:
        raise ConfigError(f"{source}: line {line_at(node, ('name',))}: a dataset is named by its file, {name!r}; remove 'name'.")
    return node, data


def _whole(data: Definition, name: str, node: yaml.Node | None, source: str, folder: Path | None, depth: int = 0) -> Definition:
    """A definition with its suite file's expectations, and with what it extends."""
    data = _with_suite(data, node, source, folder)
    base_name = data.get("extends")
    if base_name is None:
        return data
    line = line_at(node, ("extends",))
    if depth == MAX_BASES:
        raise ConfigError(f"{source}: line {line}: extends: more than {MAX_BASES} datasets extend one another; put them together.")
    base = _base(str(base_name), name, f"{source}: line {line}: extends", folder, depth)
    return merged(base, data)


def _base(base_name: str, name: str, where: str, folder: Path | None, depth: int) -> Definition:
    """The definition that is extended: another file of the folder, otherwise a file of the package."""
    if base_name in BUILT_IN:
        if base_name != name:
            raise ConfigError(f"{where}: only {base_name}.yaml can extend {base_name!r}, because crawlhouse itself makes that table.")
        return {}
    path = folder / f"{base_name}.yaml" if folder else None
    if path is not None and path.is_file() and base_name != name:
        text, source = read_text(path, MAX_BYTES), message_text(str(path))
    elif base_name in ready_names():
        text, source, folder = _ready_text(base_name), f"the ready-made dataset {base_name!r}", None
    elif (plugin := find_plugin(DATASETS, base_name)) is not None:
        path = definition_file(plugin)
        text, source, folder = read_text(path, MAX_BYTES), f"{plugin.package}: {message_text(str(path))}", path.parent
    else:
        raise ConfigError(
            f"{where}: there is no dataset {message_text(base_name)!r}. Ready-made are {', '.join(ready_names())}, built in is articles."
        )
    node, data = _load(text, base_name, source)
    return _whole(data, base_name, node, source, folder, depth + 1)


def merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> Definition:
    """A definition on top of another: fields are added or replaced, steps and expectations are added, all else is replaced.

    A source of the same kind keeps the paths and selectors that it does not replace.
    """
    result = {**base, **own}
    if isinstance(base.get("source"), dict) and isinstance(own.get("source"), dict):
        result["source"] = _merged_source(base["source"], own["source"])
    if isinstance(base.get("fields"), dict) and isinstance(own.get("fields"), dict):
        result["fields"] = {**base["fields"], **own["fields"]}
    for name in APPENDED:
        if isinstance(base.get(name), list) and isinstance(own.get(name), list):
            result[name] = [*base[name], *own[name]]
    return result


def _merged_source(base: Mapping[str, Any], own: Mapping[str, Any]) -> Definition:
    if any(kind in own and kind not in base for kind in KINDS):
        return dict(own)
    inner = {
        name: {**base[name], **own[name]}
        for name in ("map", "selectors")
        if isinstance(base.get(name), dict) and isinstance(own.get(name), dict)
    }
    return {**base, **own, **inner}


def _with_suite(data: Definition, node: yaml.Node | None, source: str, folder: Path | None) -> Definition:
    """The expectations in a suite file next to the definition."""
    reference = data.get("expectations")
    if not isinstance(reference, str):
        return data
    where = f"{source}: line {line_at(node, ('expectations',))}: expectations"
    return {**data, "expectations": read_suite(reference, folder, where)}


def _known_names() -> set[str]:
    """The names of all datasets that are not the user's own."""
    return {*BUILT_IN, *ready_names(), *(one.name for one in find_plugins(DATASETS))}


def _ready_folder() -> Any:  # Any: importlib's Traversable
    return files("schemas.datasets") / "ready"


def _ready_text(name: str) -> str:
    return str((_ready_folder() / f"{name}.yaml").read_text(encoding="utf-8"))
