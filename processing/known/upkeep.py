"""Keep the known index small and right: add new files, merge runs, delete old ones, compare with the tables, make it anew."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyiceberg.manifest import DataFile

from processing.known.catch_up import add_files, live_files, merge, rows_of_file
from processing.known.known_lake import KnownLake, open_known
from processing.known.row_keys import IndexedTable
from schemas.config.settings import Settings
from storage.index.known.run_file import BACK, BANDS, FILE_COLUMN, FRONT, OpenRun
from storage.index.known.runs import KEEP_REPLACED, Runs
from storage.lake.lake import open_lake
from storage.objects.open import open_store

NOT_INDEXED = frozenset({"quarantine"})
MAX_RUN_ROWS = 5_000_000  # larger runs are not merged: their keys would take too long
MAX_DEAD = 0.2  # share of a run's rows whose files are gone; more of them are worth writing the run again
CHECKED_FILES = 3  # of each table, at random: a damaged index is found within some days, and the check costs the same in a large lake
CHECKED_ROWS = 200  # of each of these files


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What the upkeep did: runs merged or deleted, and what was wrong and is made anew."""

    merged: int = 0
    deleted: int = 0
    problems: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """The report as numbers by name."""
        return {"index_runs_merged": self.merged, "index_runs_deleted": self.deleted, "index_problems": len(self.problems)}


@dataclass(frozen=True, slots=True)
class _Table:
    """One table's part of the index."""

    known: KnownLake
    indexed: IndexedTable
    runs: Runs
    live: dict[str, DataFile]

    def owners(self) -> Iterator[tuple[OpenRun, list[str]]]:
        """The runs, and the live files that each is asked for."""
        taken: set[str] = set()
        for run in self.runs.complete():
            own = [file for file in run.mark.files if file in self.live and file not in taken]
            taken.update(own)
            yield run, own


def maintain_index(settings: Settings) -> IndexReport:
    """Add what is new, merge runs, delete those that nobody reads any more; check some rows and make anew what is wrong.

    Raises UnavailableError, StorageError.
    """
    report = IndexReport()
    with _tables(settings) as tables:
        for table in tables:
            problems = list(_problems(table))
            if problems:
                _make_anew(table)
            merged = _merge_runs(table)
            deleted = table.runs.delete_old()
            report = IndexReport(report.merged + merged, report.deleted + deleted, (*report.problems, *problems))
    return report


def check_index(settings: Settings) -> list[str]:
    """What is wrong with the index, a sentence each; some rows of each table are compared. Raises UnavailableError, StorageError."""
    with _tables(settings) as tables:
        return [problem for table in tables for problem in _problems(table)]


def rebuild_index(settings: Settings) -> int:
    """Make the index anew from the tables; the number of rows. The old one is used until then. Raises UnavailableError, StorageError."""
    with _tables(settings, catch_up=False) as tables:
        return sum(_make_anew(table) for table in tables)


def purge_index(settings: Settings) -> int:
    """Write all runs again of which data files are gone, and delete the old ones at once; how many were. After an erasure nothing is left.

    A look-up that has just begun may fail, and succeeds when it is tried again. Raises UnavailableError, StorageError.
    """
    purged = 0
    with _tables(settings) as tables:
        for table in tables:
            for run, _ in list(table.owners()):
                if not set(run.mark.files) <= table.live.keys():
                    merge(table.runs, table.indexed, [run], set(table.live))
                    purged += 1
            table.runs.delete_old(time.time() + 2 * KEEP_REPLACED)
    return purged


@contextmanager
def _tables(settings: Settings, *, catch_up: bool = True) -> Iterator[list[_Table]]:
    store = open_store(settings)
    with open_lake(settings) as lake:
        known = open_known(lake, store)
        names = [name for name in known.tables if name not in NOT_INDEXED]
        if catch_up:
            known.catch_up(names)
        yield [_table(known, name) for name in sorted(names, key=lambda name: name != "runs")]


def _table(known: KnownLake, name: str) -> _Table:
    indexed = known.indexed(name)
    runs = Runs(known.store, name, indexed.form)
    return _Table(known, indexed, runs, live_files(known.tables[name], known.snapshot_id(name)))


def _make_anew(table: _Table) -> int:
    old = table.runs.complete()
    files = [table.live[path] for path in sorted(table.live)]
    sequences = None if table.indexed.name == "runs" else table.known.sequences
    add_files(table.runs, table.indexed, table.known.tables[table.indexed.name], files, sequences, replaces=old)
    for run in old if not files else ():
        table.runs.delete(run.mark.run_id)
    return sum(file.record_count for file in files)


def _merge_runs(table: _Table) -> int:
    """Merge runs of similar size, and write those again of which much is gone; how many were."""
    merged = 0
    sizes = {run.mark.run_id: sum(table.live[file].record_count for file in own) for run, own in table.owners()}
    runs = sorted(table.runs.complete(), key=lambda run: sizes[run.mark.run_id])
    group: list[OpenRun] = []
    rows = 0
    for run in runs:
        size = sizes[run.mark.run_id]
        is_near = size <= max(rows, 1) or size < MAX_DEAD * run.mark.row_count
        if not group or (is_near and rows + size <= MAX_RUN_ROWS):
            group.append(run)
            rows += size
            continue
        break
    is_worn = len(group) == 1 and rows < (1 - MAX_DEAD) * group[0].mark.row_count
    if len(group) > 1 or is_worn:
        merge(table.runs, table.indexed, group, set(table.live))
        merged += len(group)
    for run in runs[len(group) :]:
        if sizes[run.mark.run_id] < (1 - MAX_DEAD) * run.mark.row_count:
            merge(table.runs, table.indexed, [run], set(table.live))
            merged += 1
    return merged


def _problems(table: _Table) -> Iterator[str]:
    """What is wrong with a table's part: files without their rows, and rows that differ or that no key leads to."""
    name = table.indexed.name
    for run, own in table.owners():
        counts = dict(zip(run.mark.files, run.mark.counts, strict=True))
        for file in own:
            if counts[file] != table.live[file].record_count:
                yield f"{name}: the index has {counts[file]} of {table.live[file].record_count} rows of {file}."
    places = [(run, file) for run, own in table.owners() for file in own]
    for run, file in random.sample(places, min(CHECKED_FILES, len(places))):
        yield from _differences(table, run, file)


def _differences(table: _Table, run: OpenRun, file: str) -> Iterator[str]:
    sequences = None if table.indexed.name == "runs" else table.known.sequences
    source = table.known.tables[table.indexed.name]
    made = next(rows_of_file(table.indexed, source, table.live[file], sequences), None)
    if made is None:
        return
    start = random.randrange(max(made.num_rows - CHECKED_ROWS, 0) + 1)  # noqa: S311 a sample
    rows = made.slice(start, CHECKED_ROWS)
    entries = table.indexed.entries(rows)
    for names in ((FRONT, BACK), (BANDS,)):
        wanted = [some for name, some in entries.items() if name in names]
        if not wanted or not len(wanted[0]):
            continue
        numbers = np.concatenate([run.find(name, np.unique(wanted[0]["key"]))[1] for name in names])
        found = run.rows(np.unique(numbers))
        stored = found.filter(pa.array(found[FILE_COLUMN].to_numpy() == run.mark.files.index(file)))
        expected = rows.take(pa.array(np.unique(wanted[0]["row"])))
        missing = _texts(expected) - _texts(stored.select(expected.schema.names))
        if missing:
            yield f"{table.indexed.name}: the index has {len(missing)} of {expected.num_rows} rows of {file} not or otherwise."
            return


def _texts(rows: pa.Table) -> set[str]:
    return {repr(sorted(row.items(), key=_first)) for row in rows.to_pylist()}


def _first(item: Sequence[object]) -> str:
    return str(item[0])
