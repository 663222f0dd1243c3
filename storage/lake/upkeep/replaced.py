"""Records of data files that a commit replaced: they stay readable for some days, though the snapshot that had them may be gone at once."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection, Iterable

from pyiceberg.table import Table

PREFIX = "replaced-"  # then milliseconds since the epoch and a unique name


def note_replaced(table: Table, paths: Collection[str]) -> None:
    """Write down, before the commit, that it replaces these data files. If it does not happen, the record does no harm."""
    if not paths:
        return
    name = f"{PREFIX}{time.time_ns() // 1_000_000}-{uuid.uuid4()}.json"
    with table.io.new_output(f"{table.location()}/metadata/{name}").create() as stream:
        stream.write(json.dumps(sorted(paths)).encode())


def replaced_at(path: str) -> int | None:
    """When the files of a record were replaced, in milliseconds since the epoch; None for a file that is no record."""
    name = path.rpartition("/")[2]
    if not name.startswith(PREFIX):
        return None
    return int(name.removeprefix(PREFIX).partition("-")[0])


def replaced_since(table: Table, paths: Iterable[str], since: int) -> set[str]:
    """The files that were replaced since a time, by the records among these paths; the records too."""
    found: set[str] = set()
    for path in paths:
        at = replaced_at(path)
        if at is not None and at >= since:
            with table.io.new_input(f"{table.location()}/metadata/{path.rpartition('/')[2]}").open() as stream:
                found |= {path, *json.loads(stream.read())}
    return found
