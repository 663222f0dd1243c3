"""The command lines of our own child processes: their working directory is no place to import from.

`python -m` and `python -c` put the working directory first on `sys.path`. There a folder `spiders/`, as every Scrapy project has one, or a
file `json.py` would be imported in place of ours. With `-P` only what is installed, and what PYTHONPATH names, is imported.
"""

from __future__ import annotations

import sys
from pathlib import Path

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""The same for all descendants, as a variable: for programs that start Python themselves, such as Airflow."""


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs an installed module, as `python -m` does."""
    return [sys.executable, "-P", "-m", module, *arguments]


def code_command(code: str, *arguments: str) -> list[str]:
    """The command that runs a piece of code, as `python -c` does."""
    return [sys.executable, "-P", "-c", code, *arguments]


def import_path() -> list[str]:
    """This process's `sys.path` for a child that is to find the same modules, without a working directory that Python itself put first.

    The folder of a script that the user runs stays: its own modules are beside it.
    """
    entries = list(sys.path)
    if entries and not sys.flags.safe_path and not _runs_script() and entries[0] in {"", str(Path.cwd())}:
        del entries[0]
    return [entry for entry in entries if entry]


def _runs_script() -> bool:
    main = sys.modules["__main__"]
    return main.__spec__ is None and hasattr(main, "__file__")
