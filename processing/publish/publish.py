"""Publish: commit the rows of captures, quarantine, articles and runs together. Readers see a run once it has rows in `runs`.

Before: `processing.publish.gate` has staged the rows of each table, and written its data files. One publisher at a time holds the ledger's
publish lock and its token, for the commit alone: if the lake has changed since the run was resolved, it is looked whether that could change
a decision (`touched`), and if so the run is resolved and gated again before the lock is taken once more. The commit succeeds only for the
holder of the latest token, and only if the tables are those that the run was decided on. After: the commit itself is in
`storage.lake.commit`. The next version of the site memory and then the report are written after it; when a process dies between them, the
next one that plans or publishes writes them.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from sqlalchemy import Connection

from processing.publish.commit_run import TABLE_ORDER, RunChange, RunRow, Stamp, TableChange, commit_run, definitions_of, new_stamp
from processing.publish.gate import GateMark, gate_run, gated_keys, has_gate_mark, read_gate_mark
from processing.publish.replacing import DEFINITIONS, kept_definitions, refuse_changed, removals
from processing.publish.report import HELD, RunReport, report_of
from processing.publish.run_files import run_files
from processing.publish.touched import MAX_ROWS, RunKeys, added_since, row_count
from processing.resolve.resolution import Base, dataset_table_names, read_resolve_mark, resolve_run
from processing.staging.staging import read_rows
from runtime.failpoint import reached
from runtime.scratch import scratch_folder
from schemas.errors import ConflictError, LakeMovedError
from schemas.keys import mark_key, memory_key, report_key, staged_memory_key
from schemas.runs import ProcessRun, RunKind
from storage.index.replayed import keep_replayed_items
from storage.lake.commit import repair_publications
from storage.lake.lake import Lake, committed_runs
from storage.lake.upkeep.joining import join_at_publish
from storage.ledger.held import Held, check_waiting, hold_again
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore

LOG = logging.getLogger(__name__)
ROW_TABLES = TABLE_ORDER
HOLDING_AGAIN = frozenset({RunKind.REPROCESS, RunKind.ROLLBACK})  # what these hold back was perhaps decided before
ATTEMPTS = 5  # then the run is decided on under the lock, so that it is published however often others publish
JOIN_EVERY = 4  # publishes: looking for small files reads the manifests of all tables
LOCKED_ATTEMPTS = 5  # a table can only change under the lock when another program writes to the lake
LONG_SECONDS = 1.0  # a wait for the lock, or a time with it, that is logged

Tables = Mapping[str, Table]


def publish_run(
    run: ProcessRun, segments: Sequence[str], store: ObjectStore, lake: Lake, ledger: Ledger, code_version: str, folders: Sequence[str]
) -> RunReport:
    """Publish a gated run; publishing it again returns the same report and changes nothing.

    `code_version` is that of the running code, `folders` are where the user's modules are. Raises ConflictError for a run that has not
    passed the gate, that other code planned, or whose crawl runs another process run has published. Raises FencedError when another
    process has taken the publish lock.
    """
    rows: list[RunRow] | None = None
    work = _Work(run, segments, store, lake, ledger, folders)
    attempt = 0
    if half_published(lake, ledger):  # of an earlier release: this run is decided on with their rows
        with _publisher(store, lake, ledger):
            pass
    while rows is None:
        is_last = attempt == ATTEMPTS
        ready = None if is_last else work.ready(code_version)
        with _publisher(store, lake, ledger) as (token, tables):
            if ledger.published_at(run.process_run) is not None:
                return complete(run, lake.run_rows(run.process_run), store, ledger)
            _refuse_published(run, ledger)
            refuse_other_code(run, code_version)
            complete_last_published(run.crawl.name, store, lake, ledger)
            rows = work.decide_and_commit(token) if is_last else work.commit(ready, tables, token)
        attempt += 1
    report = complete(run, rows, store, ledger)
    if rows[0]["sequence"] % JOIN_EVERY == 0:
        with suppress(ConflictError):  # others hold the lock: a later publish joins the files
            join_at_publish(lake, ledger, [*_row_tables(run), "runs"])
    return report


@contextmanager
def publisher(store: ObjectStore, lake: Lake, ledger: Ledger) -> Iterator[int]:
    """Hold the publish lock, with the commits of crashed publishers completed; its token. Raises ConflictError if it is not free."""
    with _publisher(store, lake, ledger) as (token, _):
        yield token


@contextmanager
def _publisher(store: ObjectStore, lake: Lake, ledger: Ledger) -> Iterator[tuple[int, Tables]]:
    """The same, with the tables as they are now."""
    asked = time.monotonic()
    with ledger.publish_lock() as token:
        held = time.monotonic()
        if held - asked > LONG_SECONDS:
            LOG.info("Waited %.1f s for another process that publishes.", held - asked)
        tables = lake.tables()
        half_done = half_published(lake, ledger, tables)
        if repair_publications(lake, ledger, tables) or half_done:
            for other in half_published(lake, ledger) if half_done else ():
                _finish_half_published(other, token, store, lake, ledger)
            tables = lake.tables()
        yield token, tables
        if time.monotonic() - held > LONG_SECONDS:
            LOG.info("Held the publish lock for %.1f s.", time.monotonic() - held)


def refuse_other_code(run: ProcessRun, code_version: str) -> None:
    """Raise ConflictError unless this code planned the process run: one run's rows must all be made by the same code."""
    if run.code_version != code_version:
        raise ConflictError(
            f"{run.process_run} was planned by the code {run.code_version}, this is {code_version}. Let a worker of that code finish it, "
            f"or process '{run.crawl.name}' again from `plan` on: its crawl runs are then planned again with this code."
        )


def half_published(lake: Lake, ledger: Ledger, tables: Tables | None = None) -> list[ProcessRun]:
    """The process runs that are in some tables only: earlier releases committed to one table after the other."""
    unpublished = ledger.unpublished()
    if not unpublished:
        return []
    first = tables[ROW_TABLES[0]] if tables is not None else lake.table(ROW_TABLES[0])
    return [ledger.process_run(name) for name in sorted(unpublished & committed_runs(first))]


def complete_last_published(crawl: str, store: ObjectStore, lake: Lake, ledger: Ledger) -> None:
    """Write the site memory and the report of a crawl's last published process run, if its publisher died after the commit."""
    last = ledger.last_published(crawl)
    if last is not None and store.info(report_key(last, "report.json")) is None and (rows := lake.run_rows(last)):
        complete(ledger.process_run(last), rows, store, ledger)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A gated run that could be committed to the lake of a base: its data files, and by what it was decided on."""

    passed: GateMark
    base: Base
    keys: RunKeys
    files: Mapping[str, Sequence[DataFile]]


@dataclass(frozen=True, slots=True)
class _Work:
    """A run that is being published."""

    run: ProcessRun
    segments: Sequence[str]
    store: ObjectStore
    lake: Lake
    ledger: Ledger
    folders: Sequence[str]

    def ready(self, code_version: str) -> _Ready | None:
        """The run as it can be committed now, decided on again if need be. None if it cannot be published; the caller says why."""
        name = self.run.process_run
        if self.run.code_version != code_version or self.ledger.published_at(name) is not None:
            return None
        gated = self._gated()
        return None if gated is None else self._ready(*gated, self.lake.tables())

    def commit(self, ready: _Ready | None, tables: Tables, token: int) -> list[RunRow] | None:
        """Commit the run; its rows of `runs`. None if others have published meanwhile what could change a decision."""
        if ready is None:
            raise ConflictError(f"{self.run.process_run} has not passed the gate yet. Run gate before publish.")
        refuse_changed(self.run, self.lake, self.ledger)
        if not self._holds(ready, tables):
            return None
        try:
            return self._commit(ready, tables, token)
        except LakeMovedError as error:
            LOG.warning("%s: %s Publish tries again.", self.run.process_run, error)
            return None

    def decide_and_commit(self, token: int) -> list[RunRow]:
        """Decide on the run under the lock and commit it; its rows of `runs`."""
        for _ in range(LOCKED_ATTEMPTS):
            gated = self._gated()
            if gated is None:
                raise ConflictError(f"{self.run.process_run} has not passed the gate yet. Run gate before publish.")
            tables = self.lake.tables()
            rows = self.commit(self._ready(*gated, tables), tables, token)
            if rows is not None:
                return rows
        raise ConflictError(
            f"{self.run.process_run} was not published: another program keeps changing the lake's tables. Stop it, then publish again."
        )

    def _gated(self) -> tuple[GateMark, RunKeys] | None:
        """The last passed gate, and what its rows were decided by."""
        name = self.run.process_run
        mark = read_resolve_mark(self.store, name)
        if mark is None:
            return None
        passed = read_gate_mark(self.store, name, mark.base.key())
        if passed is None and has_gate_mark(self.store, name):  # a publisher died after it had decided again
            passed = gate_run(self.run, mark, self.store, self.lake, self.ledger, self.folders)
        return None if passed is None else (passed, RunKeys(self.run, mark, self.store).prepare())

    def _ready(self, passed: GateMark, keys: RunKeys, tables: Tables) -> _Ready:
        """What can be committed to these tables. A run that was gated against another state, which matters, is decided on again."""
        base = _base(self.run, tables, self.ledger)
        if not self._is_untouched(passed.base, keys, base, tables):
            LOG.info("%s is decided on again: the lake or the site memory has changed since.", self.run.process_run)
            passed = gate_run(
                self.run, resolve_run(self.run, self.segments, self.store, self.lake, self.ledger),
                self.store, self.lake, self.ledger, self.folders,
            )  # fmt: skip
            mark = read_resolve_mark(self.store, self.run.process_run)
            assert mark is not None
            base, keys = passed.base, RunKeys(self.run, mark, self.store).prepare()
        keyed = gated_keys(self.run, passed.base.key())
        files = run_files(self.run.process_run, keyed, tables, passed.files, self.store, self.lake)
        return _Ready(passed, base, keys, files)

    def _holds(self, ready: _Ready, tables: Tables) -> bool:
        """Whether the decisions hold for these tables, as far as the lock may be held to find it out."""
        max_rows = MAX_ROWS if ready.keys.is_read else 0
        return self._is_untouched(ready.base, ready.keys, _base(self.run, tables, self.ledger), tables, max_rows)

    def _is_untouched(self, base: Base, keys: RunKeys, now: Base, tables: Tables, max_rows: float = float("inf")) -> bool:
        if base == now:
            return True
        if base.memory_version != now.memory_version or [name for name, _ in base.datasets] != [name for name, _ in now.datasets]:
            return False
        added = added_since(base, tables)
        return added is not None and row_count(added) <= max_rows and not keys.touched_by(added, tables, self.lake)

    def _commit(self, ready: _Ready, tables: Tables, token: int) -> list[RunRow]:
        check = partial(_check_decision, self.run)
        change = _gated_change(self.run, ready.passed, ready.files, self.store, self.lake)
        return commit_run(self.run, change, new_stamp(self.ledger), tables, token, self.lake, self.ledger, check)


def _base(run: ProcessRun, tables: Tables, ledger: Ledger) -> Base:
    articles, captures = tables["articles"].metadata.current_snapshot_id, tables["captures"].metadata.current_snapshot_id
    datasets = tuple((name, tables[name].metadata.current_snapshot_id) for name in dataset_table_names(run))
    return Base(articles, captures, ledger.memory_version(run.crawl.name), datasets)


def _finish_half_published(run: ProcessRun, token: int, store: ObjectStore, lake: Lake, ledger: Ledger) -> None:
    """Commit the staged rows of a half published run to the tables that the earlier release did not reach."""
    passed, stamp = read_gate_mark(store, run.process_run, ""), mark_key(run.process_run, "stamp")
    if passed is None or store.info(stamp) is None:
        raise ConflictError(f"{run.process_run} is half published, but its staged rows are gone. Restore the store's staging folder.")
    sequence, ingested_at = json.loads(store.get_bytes(stamp))
    made_at = Stamp(sequence, datetime.fromisoformat(ingested_at))
    keys = gated_keys(run, "")
    keys = {name: key for name, key in keys.items() if store.info(key) is not None}  # earlier releases staged no sightings
    changes = {name: TableChange(read_rows(store, key)) for name, key in keys.items()}
    change = RunChange(passed.counts, changes, passed.measures, notes=_notes(run, passed, lake))
    rows = commit_run(run, change, made_at, lake.tables(), token, lake, ledger)
    complete(run, rows, store, ledger)


def _refuse_published(run: ProcessRun, ledger: Ledger) -> None:
    if run.replacement is not None:
        return
    done = sorted(set(run.crawl_runs) - set(ledger.closed_unpublished(run.crawl.name)))
    if done:
        raise ConflictError(f"{', '.join(done)} was published by another process run. Process '{run.crawl.name}' again for the rest.")


def _gated_change(run: ProcessRun, passed: GateMark, files: Mapping[str, Sequence[DataFile]], store: ObjectStore, lake: Lake) -> RunChange:
    """The rows that the gate passed for each table, in data files."""
    removed = removals(run, store)
    changes = {name: TableChange(removed=removed.get(name), files=found) for name, found in files.items()}
    return RunChange(passed.counts, changes, passed.measures, notes=_notes(run, passed, lake))


def _notes(run: ProcessRun, passed: GateMark, lake: Lake) -> Mapping[str, Mapping[str, object]]:
    notes: dict[str, dict[str, object]] = {name: {HELD: why} for name, why in passed.held.items()}
    for name, kept in kept_definitions(run, lake).items():
        notes.setdefault(name, {})[DEFINITIONS] = {**kept, **definitions_of(run)}
    return notes


def _check_decision(run: ProcessRun, connection: Connection) -> None:
    """Raise ConflictError if somebody else has decided meanwhile on what a run accepts."""
    if run.kind is RunKind.ACCEPT:
        for crawl_run in run.crawl_runs:
            check_waiting(connection, crawl_run, [dataset.name for dataset in run.datasets])


def _row_tables(run: ProcessRun) -> list[str]:
    """The tables that a run adds rows to, but for `runs`."""
    return list(gated_keys(run, ""))


def complete(run: ProcessRun, rows: list[RunRow], store: ObjectStore, ledger: Ledger) -> RunReport:
    """Write what follows a commit, if it is missing: the next site memory, then the report, from the run's rows in `runs`."""
    key = report_key(run.process_run, "report.json")
    if store.info(key) is None:
        reached("publish.before.memory")
        _advance_memory(run, store, ledger)
        if run.kind in HOLDING_AGAIN:
            decided_anew = () if run.replacement is not None and run.replacement.is_selection else [one.name for one in run.judged_datasets]
            hold_again(ledger.database, run.process_run, _held_of(run, rows), run.crawl_runs, decided_anew)
        for crawl_run in run.crawl_runs if run.kind is RunKind.REPROCESS else ():
            keep_replayed_items(run.process_run, run.crawl.name, crawl_run, ledger.manifest(crawl_run).segments, store)
        reached("publish.before.mark")
        store.put_bytes(key, report_of(run, rows).to_json().encode())
    return RunReport.from_json(store.get_bytes(key))


def _held_of(run: ProcessRun, rows: Sequence[RunRow]) -> list[Held]:
    """What a committed run holds back, as its rows of `runs` say."""
    notes = ((row["crawl_run"], json.loads(row["statistics"] or "{}").get(HELD, {})) for row in rows)
    return [Held(crawl_run, name, run.crawl.name, why) for crawl_run, found in notes for name, why in found.items()]


def _advance_memory(run: ProcessRun, store: ObjectStore, ledger: Ledger) -> None:
    """Make the site memory with this run's pages the crawl's next version, once. The ledger names the version after its file is written."""
    version, made_by = ledger.memory(run.crawl.name)
    if not run.crawl.articles.site_memory or made_by == run.process_run:
        return
    for staged in (staged_memory_key(run.process_run, version), staged_memory_key(run.process_run, None)):
        if store.info(staged) is not None:
            _copy(store, staged, memory_key(run.crawl.name, version + 1))
            with suppress(ConflictError):  # another process has done it, and has published the next run
                ledger.advance_memory(run.crawl.name, version, version + 1, run.process_run)
            return


def _copy(store: ObjectStore, source: str, target: str) -> None:
    with scratch_folder() as folder:
        path = folder / "copy"
        with store.open(source) as stream, path.open("wb") as out:
            shutil.copyfileobj(stream, out)
        store.put_file(target, path)
