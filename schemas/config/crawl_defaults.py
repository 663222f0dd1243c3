"""What many crawls have in common: `_defaults.yaml` holds for all crawl files beside it, `_NAME.yaml` for those that say `extends: _NAME`.

Such a file has the keys of a crawl file, and need not have seeds. A crawl's own file has precedence, then the file that it extends, then
that one's, then `_defaults.yaml`. Mappings are merged key by key; lists and single values replace what was there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from schemas.errors import ConfigError
from schemas.yaml_files.bounded_yaml import message_text

Data = dict[str, Any]  # Any: what YAML may hold
ReadBase = Callable[[Path], Data]  # reads and checks one of these files. Raises NotFoundError, ConfigError

EXTENDS, DEFAULTS = "extends", "_defaults"
BASE = re.compile(r"_[a-z0-9_]{1,39}")
MAX_BASES = 10  # of one crawl; chosen: nobody finds their way through more


def is_base(path: Path) -> bool:
    """Whether a file of the crawl folder is no crawl, but what crawls have in common."""
    return path.stem.startswith("_")


def with_bases(data: Data, folder: Path | None, source: str, read: ReadBase) -> Data:
    """The keys of a crawl file, with those of the files that it builds on. Raises NotFoundError, ConfigError."""
    seen: list[str] = []
    layers, name = [_own(data)], data.get(EXTENDS)
    while name is not None:
        if folder is None or not isinstance(name, str) or not BASE.fullmatch(name):
            shown = message_text(str(name))
            raise ConfigError(f"{source}: extends: {shown!r} is no file with what crawls share, like _press for _press.yaml beside it.")
        if name in seen or len(seen) >= MAX_BASES:
            raise ConfigError(f"{source}: extends: {' -> '.join([*seen, name])} never ends. A file extends another, up to {MAX_BASES}.")
        seen.append(name)
        base = read(folder / f"{name}.yaml")
        layers.append(_own(base))
        name = base.get(EXTENDS)
    defaults = folder / f"{DEFAULTS}.yaml" if folder is not None else None
    if defaults is not None and DEFAULTS not in seen and defaults.is_file():
        layers.append(_own(read(defaults)))
    merged: Data = {}
    for layer in reversed(layers):
        merged = merge(merged, layer)
    return merged


def merge(below: Data, above: Data) -> Data:
    """Both, key by key. Where both have a mapping, the mappings are merged; otherwise `above` has precedence."""
    mappings = [name for name, value in above.items() if isinstance(value, dict) and isinstance(below.get(name), dict)]
    both = {name: merge(below[name], above[name]) for name in mappings}
    return {**below, **above, **both}


def _own(data: Data) -> Data:
    return {name: value for name, value in data.items() if name != EXTENDS}
