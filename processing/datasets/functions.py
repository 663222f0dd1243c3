"""Functions of the user's, as sources and as steps: found by `module:name` where the modules of spiders are, or installed."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from itemadapter import ItemAdapter

from schemas.config.plugins import step_function
from schemas.errors import ConfigError, NotFoundError, SpiderError
from schemas.page import Page

RawRow = dict[str, Any]  # Any: whatever the user's function makes
MAX_DETAIL_CHARACTERS = 500


def load_function(name: str, folders: Sequence[str]) -> Callable[..., Any]:
    """The function that a dataset names; its module is in one of the folders, or installed. A name without a colon is a package's step.

    Raises NotFoundError for no such module or function, SpiderError for a module that cannot be imported, ConfigError for no function.
    """
    module_name, _, function_name = step_function(name).partition(":")
    sys.path += [folder for folder in folders if folder not in sys.path]
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise SpiderError(f"{module_name} cannot be imported: {error}. Install what it needs beside crawlhouse.") from error
        raise NotFoundError(f"There is no module {module_name!r} in {', '.join(folders)} nor among the installed packages.") from error
    except Exception as error:
        raise SpiderError(f"{module_name} cannot be imported: {last_line(error)}.") from error
    function = getattr(module, function_name, None)
    if function is None:
        raise NotFoundError(f"The module {module_name!r} has no function {function_name!r}.")
    if not callable(function):
        raise ConfigError(f"{name} is no function, but a {type(function).__name__}.")
    found: Callable[..., Any] = function
    return found


def function_rows(function: Callable[[Page], Iterable[object]], page: Page) -> Iterable[RawRow]:
    """The rows that a user's function makes of a page: dicts, dataclasses, attrs or pydantic models. Raises what the function raises."""
    made = function(page)
    if made is None:
        return
    if isinstance(made, (str, bytes)) or not isinstance(made, Iterable):
        raise TypeError(f"the function gave a {type(made).__name__}, not rows")
    for one in [made] if isinstance(made, dict) else made:
        if one is None:
            continue
        if not ItemAdapter.is_item(one):
            raise TypeError(f"the function gave a {type(one).__name__}, not a row")
        yield ItemAdapter(one).asdict()


def last_line(error: BaseException) -> str:
    """The last line of an error's traceback: its type and message, and where it was raised."""
    message = " ".join(f"{type(error).__name__}: {error}".split())[:MAX_DETAIL_CHARACTERS]
    frames = traceback.extract_tb(error.__traceback__)
    return f"{message} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else message
