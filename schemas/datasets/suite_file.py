"""Reading expectation suites: JSON as Great Expectations writes it, in a file beside the YAML file that names it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError, NotFoundError
from schemas.yaml_files.bounded_yaml import decoded, message_text

MAX_SUITE_BYTES = 4 * 1024 * 1024


def read_suite(reference: str, folder: Path | None, where: str) -> list[Any]:  # Any: whatever the JSON says
    """The expectations of a suite file in a folder. `where` begins the message of the ConfigError for all that is wrong with it."""
    if folder is None or "/" in reference or not reference.endswith(".json"):
        raise ConfigError(f"{where}: {message_text(reference)!r} is not a suite file, NAME.json beside the file that names it.")
    try:
        suite = json.loads(read_text(folder / reference, MAX_SUITE_BYTES))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: {message_text(reference)} is not JSON: {message_text(str(error))}.") from error
    if not isinstance(suite, dict) or not isinstance(suite.get("expectations"), list):
        raise ConfigError(f"{where}: {message_text(reference)} is not an expectation suite: it has no list 'expectations'.")
    return list(suite["expectations"])


def read_text(path: Path, most: int) -> str:
    """The text of a file, of which no more is read than may be in it. Raises NotFoundError, ConfigError."""
    name = message_text(str(path))
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise ConfigError(f"{name} is no file.")
        with path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise ConfigError(f"{name} has more than {most // 1024**2} MiB.")
        return decoded(content, name)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {name}.") from error
    except (OSError, ValueError) as error:  # ValueError: a path that cannot be
        raise ConfigError(f"{name} cannot be read: {message_text(str(error))}.") from error
