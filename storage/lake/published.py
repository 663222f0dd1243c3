"""When each process run was published: its `sequence` and `ingested_at`, which stand in `runs` alone.

Data files are written before the commit, so their columns of these names are NULL; files of earlier releases have the same values in them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from schemas.tables import RUNS

PROCESS_RUN = "process_run"
STAMPS = ("sequence", "ingested_at")
PUBLISHED = pa.schema([RUNS.field(name) for name in (PROCESS_RUN, *STAMPS)])


class Publications:
    """The published process runs, each once, with their stamps."""

    def __init__(self, rows: pa.Table) -> None:
        """`rows` are rows of `runs` in the schema PUBLISHED: one for each crawl run of a process run, with the same stamps."""
        grouped = rows.group_by(PROCESS_RUN).aggregate([(name, "min") for name in STAMPS])
        self._runs = _one_array(grouped[PROCESS_RUN], pa.string())
        self._stamps = {name: _one_array(grouped[f"{name}_min"], RUNS.field(name).type) for name in STAMPS}

    def names(self) -> set[str]:
        """The process runs."""
        return set(self._runs.to_pylist())

    def visible(self, batch: pa.RecordBatch, columns: Sequence[str]) -> pa.RecordBatch:
        """The rows of these process runs, with the columns in the given order. The batch has `process_run`, and all but the stamps."""
        places = pc.index_in(batch[PROCESS_RUN].cast(pa.string()), value_set=self._runs)
        is_published = pc.is_valid(places)
        if not pc.all(is_published).as_py():
            batch, places = batch.filter(is_published), places.filter(is_published)
        arrays = [self._stamps[name].take(places) if name in STAMPS else batch[name] for name in columns]
        return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def without_stamps(rows: pa.Table) -> pa.Table:
    """Rows for a data file: NULL in the columns that `runs` has the values of."""
    for name in STAMPS:
        place = rows.schema.get_field_index(name)
        if place >= 0:
            field = rows.schema.field(place).with_nullable(nullable=True)
            rows = rows.set_column(place, field, pa.nulls(rows.num_rows, field.type))
    return rows


def _one_array(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    return pa.concat_arrays(column.cast(kind).chunks) if column.num_chunks else pa.array([], kind)
