"""What installed packages add to crawlhouse, from their entry points. They are read as text: nothing of the packages is imported.

A package names what it adds in its `pyproject.toml`, in one of three groups: `docs/plugins.md` describes them.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path

from schemas.errors import ConfigError, CrawlhouseError, NotFoundError

DATASETS = "crawlhouse.datasets"  # NAME = "package": the file NAME.yaml in the folder of the package
STEPS = "crawlhouse.steps"  # NAME = "module:function"
COMMANDS = "crawlhouse.commands"  # NAME = "module:object", a typer.Typer or a function
GROUPS = (DATASETS, STEPS, COMMANDS)
NAMES_AT_MOST = 5  # of packages or files, in a message
_TARGET = re.compile(r"(?P<module>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)(:(?P<attribute>[A-Za-z_]\w*))?")


@dataclass(frozen=True, slots=True, order=True)
class Plugin:
    """One entry point: `package` is the name and version of the package that has it, `target` is `module` or `module:name`."""

    group: str
    name: str
    package: str
    target: str

    @property
    def module(self) -> str:
        """The module that it names."""
        return self.target.partition(":")[0]


def find_plugins(group: str) -> tuple[Plugin, ...]:
    """All entry points of a group, by name. Two packages may have the same name in it."""
    return tuple(one for one in _read(tuple(sys.path)) if one.group == group)


def find_plugin(group: str, name: str) -> Plugin | None:
    """The entry point of a name, or None. Raises ConfigError if two packages have it, or if it names nothing that can be imported."""
    found = [one for one in find_plugins(group) if one.name == name]
    if len(found) > 1:
        packages = " and ".join(one.package for one in found[:NAMES_AT_MOST])
        raise ConfigError(f"{name!r} is in the entry points {group!r} of {packages}. Uninstall one of them{_way_out(group, name)}.")
    for one in found:
        check_target(one)
    return found[0] if found else None


def check_target(plugin: Plugin) -> None:
    """Raises ConfigError, naming the package, unless the target has the form that its group needs."""
    match = _TARGET.fullmatch(plugin.target)
    wanted = "a package, like my_package" if plugin.group == DATASETS else "module:name, like my_package.steps:add_category"
    if match is None or (match["attribute"] is None) != (plugin.group == DATASETS):
        raise ConfigError(
            f"{plugin.package}: its entry point {plugin.name!r} in {plugin.group!r} is {plugin.target!r}. It must be {wanted}."
        )


def step_function(name: str) -> str:
    """The function behind a step's name, as module:function; a name with a colon is one already.

    Raises NotFoundError for a name that no installed package has, ConfigError as `find_plugin` does.
    """
    if ":" in name:
        return name
    plugin = find_plugin(STEPS, name)
    if plugin is None:
        there = sorted({one.name for one in find_plugins(STEPS)})
        known = f"There are: {', '.join(there)}." if there else "None of them has any."
        raise NotFoundError(f"No installed package has a step {name!r}. {known} Write module:function for a function of your own.")
    return plugin.target


def definition_file(plugin: Plugin) -> Path:
    """The YAML file of a dataset of a package. Raises NotFoundError, naming the package, for no such file."""
    folders = package_folders(plugin.module)
    for folder in folders:
        path = folder / f"{plugin.name}.yaml"
        if path.is_file():
            return path
    where = f"in {', '.join(map(str, folders[:NAMES_AT_MOST]))}" if folders else f"since there is no package {plugin.module!r}"
    raise NotFoundError(f"{plugin.package}: its dataset {plugin.name!r} has no file {plugin.name}.yaml {where}. Install it again.")


def package_folders(module: str) -> list[Path]:
    """The folders of a package, or the folder of a module's file, without importing it; none if there is no such module."""
    top, *rest = module.split(".")
    try:
        spec = find_spec(top)  # of a name without points: it imports nothing
        for place in range(len(rest)):
            if spec is None or spec.submodule_search_locations is None:
                return []
            spec = PathFinder.find_spec(".".join([top, *rest[: place + 1]]), list(spec.submodule_search_locations))
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations is not None:
        return [Path(folder) for folder in spec.submodule_search_locations]
    return [Path(spec.origin).parent] if spec.origin and spec.has_location else []


def broken_plugin(plugin: Plugin, error: BaseException) -> CrawlhouseError:
    """The error for a plugin that cannot be loaded: one line, with the name of its package."""
    problem = " ".join(f"{type(error).__name__}: {error}".split())
    return ConfigError(f"{plugin.package}: {plugin.name!r} ({plugin.target}) cannot be loaded: {problem}. Update or uninstall the package.")


def _way_out(group: str, name: str) -> str:
    if group == DATASETS:
        return f", or write datasets/{name}.yaml, which replaces both"
    return ", or write module:function" if group == STEPS else ""


@lru_cache(maxsize=4)
def _read(path: tuple[str, ...]) -> tuple[Plugin, ...]:
    """All entry points of crawlhouse's groups that packages in the folders of `path` have."""
    found: dict[str, list[Plugin]] = {}
    for distribution in distributions(path=list(path)):
        plugins = _plugins_of(distribution)
        if plugins:
            found.setdefault(_normal_name(distribution), plugins)  # the first one hides others, as for imports
    return tuple(sorted(one for plugins in found.values() for one in plugins))


def _plugins_of(distribution: Distribution) -> list[Plugin]:
    """The entry points of one package. One whose metadata is damaged has none: it does not cost the others theirs."""
    try:
        text = distribution.read_text("entry_points.txt") or ""
        if "crawlhouse." not in text:
            return []
        package = f"{distribution.metadata['Name']} {distribution.version}"
        return [Plugin(one.group, one.name, package, one.value) for one in distribution.entry_points if one.group in GROUPS]
    except Exception:  # whatever a damaged file makes of its readers
        return []


def _normal_name(distribution: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", str(distribution.metadata["Name"])).lower()
