"""Commands of installed packages: a package is imported when its command is used or when help is shown."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from typing import Any

import typer

from crawlhouse.output.console import say_error
from schemas.datasets.plugins import COMMANDS, broken_plugin, find_plugin, find_plugins
from schemas.errors import CrawlhouseError

PANEL = "From installed packages"
COMPLETION_OPTIONS = frozenset({"install_completion", "show_completion"})  # typer adds them to every app; the command itself has them


def names_of_commands(taken: Collection[str]) -> list[str]:
    """The names of commands of installed packages, without those that are taken."""
    return sorted({one.name for one in find_plugins(COMMANDS)} - set(taken))


def command_of(name: str) -> Any:  # Any: typer's own class of commands
    """The command of an installed package; None if no package has one of that name.

    If its package cannot be imported, the command raises the error when it is run, and the other commands are as they were.
    """
    if not any(one.name == name for one in find_plugins(COMMANDS)):
        return None
    try:
        return _loaded(name)
    except CrawlhouseError as error:
        say_error(str(error))
        return _made(name, _failing(error), f"Cannot be loaded: {error}")


def load_command(name: str, target: str) -> Any:  # Any: as above
    """The command that an entry point names as module:name. Raises what the module raises, and TypeError if it is no command."""
    module, _, attribute = target.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command = typer.main.get_command(found)
        command.params = [one for one in command.params if one.name not in COMPLETION_OPTIONS]
        command.name = name
    elif callable(found) and not isinstance(found, type):
        command = _made(name, found)
    else:
        raise TypeError(f"it is a {type(found).__name__}, not a typer.Typer or a function")
    command.rich_help_panel = PANEL  # type: ignore[attr-defined]
    return command


def _loaded(name: str) -> Any:
    plugin = find_plugin(COMMANDS, name)
    assert plugin is not None
    try:
        return load_command(name, plugin.target)
    except (Exception, SystemExit) as error:  # whatever a package does when it is imported
        raise broken_plugin(plugin, error) from error


def _made(name: str, function: Callable[..., object], text: str | None = None) -> Any:
    holder = typer.Typer(add_completion=False)
    holder.command(name, help=text, rich_help_panel=PANEL)(function)
    return typer.main.get_command(holder)


def _failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise typer.Exit(error.exit_code if hasattr(error, "exit_code") else 1)  # it is printed already

    return fail
