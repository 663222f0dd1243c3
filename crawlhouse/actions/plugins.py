"""What `crawlhouse plugins` does: list what installed packages add, and try each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass

from crawlhouse.actions.plugin_commands import load_command
from crawlhouse.output.console import say, show, table, write_json
from crawlhouse.output.row_formats import ReportFormat
from processing.datasets.definition_check import check_definition
from processing.datasets.functions import load_function
from schemas.datasets.dataset_file import read_plugin_dataset, ready_names
from schemas.datasets.plugins import (
    COMMANDS,
    DATASETS,
    GROUPS,
    STEPS,
    Plugin,
    broken_plugin,
    check_target,
    definition_file,
    find_plugin,
    find_plugins,
)
from schemas.errors import ConfigError, CrawlhouseError
from schemas.yaml_files.dataset_names import BUILT_IN

KINDS = {DATASETS: "dataset", STEPS: "step", COMMANDS: "command"}


@dataclass(frozen=True, slots=True)
class ListedPlugin:
    """An entry point of a package, and what is wrong with it, if anything is."""

    kind: str
    name: str
    package: str
    target: str
    problem: str | None


def list_plugins(form: ReportFormat, commands: Collection[str] = ()) -> None:
    """Print all plugins. `commands` are the names of crawlhouse's own commands. Raises ConfigError if one cannot be loaded."""
    listed = [ListedPlugin(KINDS[one.group], one.name, one.package, one.target, _problem(one, commands)) for one in _all_plugins()]
    if form is ReportFormat.JSON:
        write_json([asdict(one) for one in listed])
    elif not listed:
        say("No installed package adds anything to crawlhouse. docs/plugins.md says how one does.")
    else:
        rows = [(one.kind, one.name, one.package, one.target, "no: see below" if one.problem else "yes") for one in listed]
        show(table("", ("kind", "name", "package", "from", "works"), rows))
    problems = [one.problem for one in listed if one.problem]
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))


def _all_plugins() -> list[Plugin]:
    return [one for group in GROUPS for one in find_plugins(group)]


def _problem(plugin: Plugin, commands: Collection[str]) -> str | None:
    taken = {DATASETS: {*BUILT_IN, *ready_names()}, COMMANDS: set(commands), STEPS: set()}[plugin.group]
    if plugin.name in taken:
        return f"{plugin.package}: crawlhouse itself has a {KINDS[plugin.group]} {plugin.name!r}, so that of the package is never used."
    try:
        check_target(plugin)
        find_plugin(plugin.group, plugin.name)  # whether another package has the name too
        _load(plugin)
    except CrawlhouseError as error:
        text = str(error)
        return text if plugin.package in text else f"{plugin.package}: {text}"
    except (Exception, SystemExit) as error:  # whatever a package does when it is imported
        return str(broken_plugin(plugin, error))
    return None


def _load(plugin: Plugin) -> None:
    if plugin.group == DATASETS:
        check_definition(read_plugin_dataset(plugin), definition_file(plugin))
    elif plugin.group == STEPS:
        load_function(plugin.target, ())
    else:
        load_command(plugin.name, plugin.target)
