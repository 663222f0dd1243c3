"""Which rows of the lake a process run does not see, because it replaces them, or because a run that follows will do so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from schemas.keys import crawl_run_of

RecordId = tuple[str, int]  # WARC file and offset
RECORD = ("warc_filename", "warc_record_offset")
SIGHTING = ("crawl_run", "url")


@dataclass(frozen=True, slots=True)
class HiddenRows:
    """The rows of a crawl's runs from `first` to `last`, or those of some records of one crawl run, which are of the pages `urls`.

    The names of a crawl's runs sort in the order in which they were planned. Rows of datasets that are not among `tables` are shown.
    """

    first: str
    last: str
    tables: frozenset[str]
    records: frozenset[RecordId] | None = None
    urls: frozenset[str] = frozenset()

    def is_hidden_run(self, crawl_run: str) -> bool:
        """Whether rows of a crawl run are hidden: all, or those of some records."""
        return self.first <= crawl_run <= self.last  # between two names of a crawl there is no other crawl's

    def is_hidden_record(self, record_id: RecordId) -> bool:
        """Whether the rows of a record are hidden."""
        if self.records is not None:
            return record_id in self.records
        return self.is_hidden_run(crawl_run_of(record_id[0]))

    def is_hidden_sighting(self, crawl_run: str, url: str | None) -> bool:
        """Whether a sighting on a page is hidden. Without a page it says that a key is gone from all of them."""
        return self.is_hidden_run(crawl_run) and (self.records is None or url in self.urls)

    def columns(self, table: str) -> tuple[str, ...]:
        """What must be read of a table to know which of its rows are hidden; nothing where none is."""
        if table == "runs" or (table not in {"captures", "quarantine", "sightings"} and table not in self.tables):
            return ()
        return SIGHTING if table == "sightings" else RECORD

    def shown(self, table: str, rows: pa.RecordBatch) -> pa.Array:
        """Which rows of a table are shown. `rows` has at least its `columns`."""
        names = self.columns(table)
        first = rows.column(names[0]).cast(pa.string())
        if table == "sightings":
            runs = _those(pc.unique(first), self.is_hidden_run)
            near = pc.is_in(first, value_set=runs)
            if self.records is None or not pc.any(near).as_py():
                return pc.invert(near)
            return pc.invert(
                pc.and_(near, pc.fill_null(pc.is_in(rows.column("url").cast(pa.string()), value_set=_texts(self.urls)), False))
            )
        if self.records is None:
            return pc.invert(pc.is_in(first, value_set=_those(pc.unique(first), lambda name: self.is_hidden_run(crawl_run_of(name)))))
        files = pc.is_in(first, value_set=_texts({name for name, _ in self.records}))
        if not pc.any(files).as_py():
            return pc.invert(files)
        found = zip(first.to_pylist(), rows.column(RECORD[1]).to_pylist(), strict=True)
        return pa.array([record_id not in self.records for record_id in found], pa.bool_())


def _texts(values: Collection[str]) -> pa.Array:
    return pa.array(sorted(values), pa.string())


def _those(names: Iterable[pa.Scalar], is_hidden: Callable[[str], bool]) -> pa.Array:
    return pa.array([text for name in names if (text := name.as_py()) is not None and is_hidden(text)], pa.string())
