"""A table as readers see it: its columns and its data files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LakeColumn:
    """A column: its name, and its type in DuckDB's SQL. `is_stored`: whether the table has it, and not only this release.

    `field_id` is Iceberg's, which data files have too; None where it is not known.
    """

    name: str
    type: str
    is_nested: bool = False
    is_stored: bool = True
    field_id: int | None = None


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table: its columns, and its data files with their sizes in bytes, sorted by name.

    `schemas`: how many schemas its files may have. `is_dataset`: whether it is the table of a dataset of the user's own. `has_expired`:
    whether rows were removed because their crawl keeps them no longer.
    """

    name: str
    columns: tuple[LakeColumn, ...]
    files: Mapping[str, int]
    schemas: int = 1
    is_dataset: bool = False
    has_expired: bool = False
