"""The tables as they are at one moment, or as they were at earlier snapshots: their columns and their data files."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from schemas.config.settings import Settings
from storage.lake.reader.lake_table import LakeColumn, LakeTable
from storage.lake.reader.pointers import read_pointers
from storage.lake.reader.state_file import read_state, write_state

ATTEMPTS = 3  # maintenance may remove metadata that was replaced long before; then the newer metadata is read


def read_tables(settings: Settings, as_of: str | datetime | None = None) -> dict[str, LakeTable]:
    """All tables at one moment: the built-in ones, then those of datasets by name. Tables of others in the namespace are left out.

    A built-in table that is not made yet is empty. `as_of` is a process run after which the lake was so, or a time. Raises
    UnavailableError, StorageError, OSError; NotFoundError for a state that is not kept any more.
    """
    for _ in range(1, ATTEMPTS):
        with suppress(FileNotFoundError):
            return _read_tables(settings, as_of)
    return _read_tables(settings, as_of)


def _read_tables(settings: Settings, as_of: str | datetime | None) -> dict[str, LakeTable]:
    pointers = read_pointers(settings)
    known = read_state(settings, pointers) if as_of is None else None
    if known is not None:
        return _tables(known)
    from storage.lake.reader.metadata import read_metadata, tables_at  # with what reads JSON and Avro

    found = read_metadata(settings, pointers)
    if as_of is not None:
        from storage.lake.reader.as_of import snapshots_as_of

        return tables_at(settings, found, snapshots_as_of(settings, found, as_of))
    tables = tables_at(settings, found, None)
    write_state(settings, pointers, [asdict(table) for table in tables.values()])
    return tables


def _tables(known: list[dict[str, Any]]) -> dict[str, LakeTable]:  # Any: JSON
    tables = (LakeTable(**{**one, "columns": tuple(LakeColumn(**column) for column in one["columns"])}) for one in known)
    return {table.name: table for table in tables}
