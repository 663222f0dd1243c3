"""Which rows of the lake's tables are erased: those of erased records, and what else names an erased URL."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from processing.erase.plan import Plan
from processing.erase.scope import Scope

ARTICLES = "articles"
_RECORD = ("warc_filename", "warc_record_offset")
_OF_RUNS = ("statistics", "decision_reason")
_COLUMNS = {"sightings": ("url", "row_id", "dataset"), "runs": _OF_RUNS, "captures": ("url", "via", *_RECORD)}
_OTHERS = ("url", "canonical_url", *_RECORD)


class DirtyRows:
    """The rows to erase, of tables in the lake as it is, and of data files that older snapshots have."""

    def __init__(self, plan: Plan, scope: Scope) -> None:
        self._plan, self._scope = plan, scope

    def columns(self, table: str, stored: Collection[str]) -> list[str]:
        """The columns that must be read of a table, or of a file of it."""
        return [name for name in _COLUMNS.get(table, _OTHERS) if name in stored]

    def rows(self, table: str, rows: pa.Table) -> pa.Array:
        """Which rows are erased, or must be without a mention."""
        there = set(rows.schema.names)
        if table == "runs":
            return self._any(rows, [self._mentions(rows[name]) for name in _OF_RUNS if name in there])
        found = [self._scope.covered(rows[name]) for name in ("url", "canonical_url", "via") if name in there]
        if table == "sightings":
            found += [self._of_keys(rows, name, ids) for name, ids in (*self._plan.rows.items(), (ARTICLES, self._plan.articles))]
        elif there.issuperset(_RECORD):
            of_records = self._of_records(rows)
            # what is left of an erased capture has its record too
            found.append(pc.and_(of_records, pc.not_equal(_texts(rows["url"]), "")) if table == "captures" else of_records)
        return self._any(rows, found)

    def cleaned_runs(self, rows: pa.Table) -> pa.Table:
        """Rows of `runs` without mentions."""
        for name in _OF_RUNS:
            if name in rows.schema.names:
                place = rows.schema.get_field_index(name)
                values = [None if text is None else self._clean(text) for text in rows[name].to_pylist()]
                rows = rows.set_column(place, rows.schema.field(place), pa.array(values, rows.schema.field(place).type))
        return rows

    def _any(self, rows: pa.Table, found: list[pa.Array]) -> pa.Array:
        mask = pa.array([False] * rows.num_rows) if not found else found[0]
        for one in found[1:]:
            mask = pc.or_(mask, one)
        return mask

    def _of_records(self, rows: pa.Table) -> pa.Array:
        files = _texts(rows["warc_filename"])
        near = pc.is_in(files, value_set=self._files)
        if not pc.any(near).as_py():
            return near
        pairs = zip(files.to_pylist(), rows["warc_record_offset"].to_pylist(), strict=True)
        return pa.array([offset in self._plan.records.get(name, ()) for name, offset in pairs])

    def _of_keys(self, rows: pa.Table, dataset: str, row_ids: Collection[str]) -> pa.Array:
        wanted = pc.is_in(_texts(rows["row_id"]), value_set=pa.array(sorted(row_ids), pa.string()))
        return pc.fill_null(pc.and_(wanted, pc.equal(_texts(rows["dataset"]), dataset)), False)

    def _mentions(self, column: pa.ChunkedArray) -> pa.Array:
        return pa.array([text is not None and self._clean(text) != text for text in column.to_pylist()], pa.bool_())

    def _clean(self, text: str) -> str:
        return self._scope.json_text(text)

    @cached_property
    def _files(self) -> pa.Array:
        return pa.array(sorted(self._plan.records), pa.string())


def _texts(column: pa.ChunkedArray) -> pa.Array:
    texts = column.cast(pa.string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
