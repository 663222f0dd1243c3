"""Functions of the user's, as sources and as steps: found by `module:name` where the modules of spiders are, or installed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from runtime.user_modules import BrokenModuleError, HiddenModuleError, NoModuleError, import_user_module, source_digest
from schemas.datasets.dataset import Dataset
from schemas.datasets.plugins import step_function
from schemas.errors import ConfigError, ConflictError, NotFoundError, SpiderError
from schemas.page import Page

RawRow = dict[str, Any]  # Any: whatever the user's function makes


def load_function(name: str, folders: Sequence[str]) -> Callable[..., Any]:
    """The function that a dataset names; its module is in one of the folders, or installed. A name without a colon is a package's step.

    Raises NotFoundError for no such module or function, SpiderError for a module that cannot be imported, ConfigError for no function.
    """
    module_name, _, function_name = step_function(name).partition(":")
    try:
        module = import_user_module(module_name, folders)
    except NoModuleError as error:
        raise NotFoundError(f"There is no module {module_name!r} in {', '.join(folders)} nor among the installed packages.") from error
    except BrokenModuleError as error:
        raise SpiderError(f"{module_name} cannot be imported: {error}.") from error
    except HiddenModuleError as error:
        raise ConfigError(str(error)) from error
    function = getattr(module, function_name, None)
    if function is None:
        raise NotFoundError(f"The module {module_name!r} has no function {function_name!r}.")
    if not callable(function):
        raise ConfigError(f"{name} is no function, but a {type(function).__name__}.")
    found: Callable[..., Any] = function
    return found


def code_digests(dataset: Dataset, folders: Sequence[str]) -> dict[str, str]:
    """The digest of the source of each of a dataset's functions, as far as its module has a source."""
    found = {function: source_digest(_module_of(function), folders) for function in dataset.functions()}
    return {function: digest for function, digest in found.items() if digest is not None}


def _module_of(function: str) -> str:
    return step_function(function).partition(":")[0]


def refuse_changed_code(dataset: Dataset, folders: Sequence[str]) -> None:
    """Raises ConflictError unless the dataset's functions are those that the run was planned with: one run's rows are made by one code."""
    now = code_digests(dataset, folders)
    changed = sorted({function for function, _ in now.items() ^ dataset.code.items()})
    if changed:
        raise ConflictError(
            f"The code of {', '.join(changed)} for {dataset.name!r} is not the code that the run was planned with: it was changed, or this "
            "machine has another. Process the crawl again from `plan` on."
        )


def function_rows(function: Callable[[Page], Iterable[object]], page: Page) -> Iterable[RawRow]:
    """The rows that a user's function makes of a page: dicts, dataclasses, attrs or pydantic models. Raises what the function raises."""
    from itemadapter import ItemAdapter  # it imports Scrapy, which takes longer than all else of a small run

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
