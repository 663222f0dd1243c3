"""Makes the command lines of crawlhouse's child processes, so that they do not import from the working directory.

`python -m` and `python -c` put the working directory first on `sys.path`. A folder `spiders/` there, which every Scrapy project has, or a
file `json.py` would be imported instead of the real one. With `-P` Python imports only what is installed or named in PYTHONPATH.
"""

from __future__ import annotations

import sys
from pathlib import Path

SAFE_PATH = {"PYTHONSAFEPATH": "1"}
"""The same as an environment variable, for programs that start Python themselves, such as Airflow."""


def module_command(module: str, *arguments: str) -> list[str]:
    """The command that runs an installed module, like `python -m`."""
    return [sys.executable, "-P", "-m", module, *arguments]


def code_command(code: str, *arguments: str) -> list[str]:
    """The command that runs code, like `python -c`."""
    return [sys.executable, "-P", "-c", code, *arguments]


def import_path() -> list[str]:
    """The `sys.path` for a child that should find the same modules as this process, without a working directory that Python added.

    If the user runs a script, its folder stays, because the script's own modules are there.
    """
    entries = list(sys.path)
    if entries and not sys.flags.safe_path and not _runs_script() and entries[0] in {"", str(Path.cwd())}:
        del entries[0]
    return [entry for entry in entries if entry]


def _runs_script() -> bool:
    main = sys.modules["__main__"]
    return main.__spec__ is None and hasattr(main, "__file__")
