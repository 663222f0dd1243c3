"""Keeps the tables' state in a file of the home until the lake changes: a query then reads one file, and no metadata and manifests."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import schemas
from schemas.config.settings import Settings
from storage.database.private_files import make_private_file

NAME = "lake_tables.json"
Tables = list[dict[str, Any]]  # Any: JSON


def state_file(settings: Settings) -> Path:
    """Where the state is kept. It may be deleted at any time."""
    return settings.home / NAME


def read_state(settings: Settings, pointers: Mapping[str, str]) -> Tables | None:
    """The tables as `write_state` kept them for the same metadata files, or None."""
    try:
        found = json.loads(state_file(settings).read_bytes())
        return found["tables"] if found["of"] == _key(pointers) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_state(settings: Settings, pointers: Mapping[str, str], tables: Tables) -> None:
    """Keep the tables' state. Nothing is kept in a home that cannot be written."""
    target = state_file(settings)
    partial = target.with_name(f".{NAME}.{os.getpid()}")
    with suppress(OSError):
        try:
            make_private_file(partial)
            partial.write_text(json.dumps({"of": _key(pointers), "tables": tables}), encoding="utf-8")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def _key(pointers: Mapping[str, str]) -> str:
    """Names the metadata files, and the release whose columns the tables have."""
    columns = (Path(schemas.__file__).parent / "tables.py").stat()
    return hashlib.sha256(json.dumps([sorted(pointers.items()), columns.st_mtime_ns, columns.st_size]).encode()).hexdigest()
