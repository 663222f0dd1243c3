"""Look keys up in all runs of a table's index, for the data files that are live in one snapshot of the table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from storage.index.known.run_file import BACK, BANDS, FILE_COLUMN, FRONT, OpenRun

BAND_ROWS = 100  # of one band: more texts that share one are made by a template, and further ones would not be more similar

Keys = NDArray[np.uint64]
IsVisible = Callable[[pa.Table], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A run with the state of its data files: live, and those of which this run is asked and no other that has them too."""

    run: OpenRun
    is_live: NDArray[np.bool_]
    is_own: NDArray[np.bool_]


class KnownRows:
    """The rows of a table's live data files, by their keys. Files that no run has are `missing`."""

    def __init__(self, runs: Sequence[OpenRun], live: Collection[str], is_visible: IsVisible | None) -> None:
        """`runs` are in the order in which they are asked; `is_visible` says which rows a reader of the lake sees."""
        wanted = set(live)
        self._is_visible = is_visible or (lambda rows: np.ones(rows.num_rows, bool))
        self._parts: list[_Part] = []
        taken: set[str] = set()
        for run in runs:
            is_live = np.array([file in wanted for file in run.mark.files], bool)
            own = [file for file in run.mark.files if file in wanted and file not in taken]
            taken.update(own)
            chosen = set(own)
            self._parts.append(_Part(run, is_live, np.array([file in chosen for file in run.mark.files], bool)))
        self.missing = sorted(wanted - taken)

    def rows(self, keys: Keys, schema: pa.Schema, is_shown: IsVisible | None = None) -> pa.Table:
        """The rows with these keys, with the columns of a schema; of the visible ones those that are shown.

        Rows that a later one that is shown replaces for its key may be left out.
        """
        wanted = np.unique(keys)
        found, lost = self._found(FRONT, wanted, schema, is_shown)
        if len(lost):
            found += self._found(BACK, lost, schema, is_shown)[0]
        return pa.concat_tables(found) if found else schema.empty_table()

    def similar(self, bands: Keys, schema: pa.Schema) -> pa.Table:
        """The rows that share one of these bands; of a band with many rows BAND_ROWS, those whose texts have the smallest numbers."""
        wanted = np.unique(bands)
        matches = [part.run.find(BANDS, wanted) for part in self._parts]
        counts = np.sum([np.bincount(which, minlength=len(wanted)) for which, _ in matches], axis=0) if matches else np.zeros(0)
        found = []
        for part, (which, rows) in zip(self._parts, matches, strict=True):
            few = counts[which] <= BAND_ROWS if len(which) else np.zeros(0, bool)
            found.append(self._read(part, rows[few], schema)[0])
        crowded = np.flatnonzero(counts > BAND_ROWS) if matches else ()
        found.extend(self._crowded([rows[which == one] for which, rows in matches], schema) for one in crowded)
        return pa.concat_tables(found) if found else schema.empty_table()

    def all_rows(self, schema: pa.Schema) -> pa.Table:
        """All rows that a look-up may give."""
        found = list(self.tables(schema))
        return pa.concat_tables(found) if found else schema.empty_table()

    def tables(self, schema: pa.Schema) -> Iterator[pa.Table]:
        """The same, some rows at a time."""
        for part in self._parts:
            for rows in part.run.all_rows():
                yield self._kept(part, rows, schema)[0]

    def _found(self, name: str, wanted: Keys, schema: pa.Schema, is_shown: IsVisible | None) -> tuple[list[pa.Table], Keys]:
        """The rows of a list, and the keys with a row there that is gone: what it stood in front of is at the back."""
        found: list[pa.Table] = []
        lost = np.zeros(len(wanted), bool)
        for part in self._parts:
            which, rows = part.run.find(name, wanted)
            kept, gone = self._read(part, rows, schema, is_shown)
            found.append(kept)
            if len(gone):
                lost[which[np.isin(rows, gone)]] = True
        return found, wanted[lost]

    def _read(
        self, part: _Part, rows: NDArray[np.uint32], schema: pa.Schema, is_shown: IsVisible | None = None
    ) -> tuple[pa.Table, NDArray[np.integer]]:
        """Those of a run's rows that are there and visible, and the numbers of those that are not."""
        numbers = np.unique(rows)
        kept, is_gone = self._kept(part, part.run.rows(numbers), schema, is_shown)
        return kept, numbers[is_gone]

    def _kept(
        self, part: _Part, rows: pa.Table, schema: pa.Schema, is_shown: IsVisible | None = None
    ) -> tuple[pa.Table, NDArray[np.bool_]]:
        files = rows[FILE_COLUMN].to_numpy()
        is_there = part.is_live[files]
        if rows.num_rows:
            is_there = is_there & self._is_visible(rows)
            is_there = is_there if is_shown is None else is_there & is_shown(rows)
        return fitted(rows.filter(pa.array(is_there & part.is_own[files])), schema), ~is_there

    def _crowded(self, rows: Sequence[NDArray[np.uint32]], schema: pa.Schema) -> pa.Table:
        """The BAND_ROWS rows of a band, in each run sorted by the numbers of their texts."""
        limit = 2 * BAND_ROWS
        while True:
            tables = [self._first(part, some, limit, schema) for part, some in zip(self._parts, rows, strict=True)]
            if all(found.num_rows >= BAND_ROWS or len(some) <= limit for found, some in zip(tables, rows, strict=True)):
                joined = pa.concat_tables(tables)
                order = np.argsort(joined["text_number"].to_numpy(), kind="stable")
                return joined.take(pa.array(order[:BAND_ROWS]))
            limit *= 8

    def _first(self, part: _Part, rows: NDArray[np.uint32], limit: int, schema: pa.Schema) -> pa.Table:
        return self._read(part, rows[:limit], schema)[0]


def fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows with the columns of a schema: one that an earlier definition did not have is NULL, and narrower types are widened."""
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.schema.names else pa.nulls(rows.num_rows, field.type) for field in schema
    ]
    return pa.table(columns, schema=schema)
