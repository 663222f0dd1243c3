"""Publish: commit the rows of captures, quarantine, articles and runs together. Readers see a run once it has rows in `runs`.

Before: `processing.publish.gate` has staged the rows of each table. One publisher at a time holds the ledger's publish lock and its token.
If the lake or the site memory has changed since the run was resolved, the run is resolved and gated again under the lock. The commit
succeeds only for the holder of the latest token, and only if the tables are still those that the run was resolved against. After: the
commit itself is in `storage.lake.commit`. The next version of the site memory and then the report are written after it; when a process
dies between them, the next one that plans or publishes writes them.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial

from pyiceberg.table import Table
from sqlalchemy import Connection

from processing.publish.accounting import ARTICLES
from processing.publish.commit_run import TABLE_ORDER, RunChange, RunRow, Stamp, TableChange, commit_run, definitions_of, new_stamp
from processing.publish.gate import GateMark, gate_run, read_gate_mark
from processing.publish.replacing import DEFINITIONS, kept_definitions, refuse_changed, removals
from processing.publish.report import HELD, RunReport, report_of
from processing.resolve.resolution import Base, dataset_table_names, read_resolve_mark, resolve_run
from processing.staging.staging import read_rows
from runtime.failpoint import reached
from runtime.scratch import scratch_folder
from schemas.errors import ConflictError, LakeMovedError
from schemas.keys import gated_key, mark_key, memory_key, report_key, staged_memory_key
from schemas.runs import ProcessRun, RunKind
from storage.index.replayed import keep_replayed_items
from storage.lake.commit import repair_publications
from storage.lake.lake import Lake, committed_runs
from storage.ledger.held import Held, check_waiting, hold_again
from storage.ledger.ledger import Ledger
from storage.objects.store import ObjectStore

LOG = logging.getLogger(__name__)
ROW_TABLES = TABLE_ORDER
SIGHTINGS = "sightings"
HOLDING_AGAIN = frozenset({RunKind.REPROCESS, RunKind.ROLLBACK})  # what these hold back was perhaps decided before
ATTEMPTS = 5  # a table can only change under the lock when another program writes to the lake


def publish_run(
    run: ProcessRun, segments: Sequence[str], store: ObjectStore, lake: Lake, ledger: Ledger, code_version: str, folders: Sequence[str]
) -> RunReport:
    """Publish a gated run; publishing it again returns the same report and changes nothing.

    `code_version` is that of the running code, `folders` are where the user's modules are. Raises ConflictError for a run that has not
    passed the gate, that other code planned, or whose crawl runs another process run has published. Raises FencedError when another
    process has taken the publish lock.
    """
    with publisher(store, lake, ledger) as token:
        if ledger.published_at(run.process_run) is not None:
            return complete(run, lake.run_rows(run.process_run), store, ledger)
        _refuse_published(run, ledger)
        refuse_other_code(run, code_version)
        complete_last_published(run.crawl.name, store, lake, ledger)
        return complete(run, _publish(run, segments, token, store, lake, ledger, folders), store, ledger)


@contextmanager
def publisher(store: ObjectStore, lake: Lake, ledger: Ledger) -> Iterator[int]:
    """Hold the publish lock, with the commits of crashed publishers completed; its token. Raises ConflictError if it is not free."""
    with ledger.publish_lock() as token:
        repair_publications(lake, ledger)
        for other in half_published(lake, ledger):
            _finish_half_published(other, token, store, lake, ledger)
        yield token


def refuse_other_code(run: ProcessRun, code_version: str) -> None:
    """Raise ConflictError unless this code planned the process run: one run's rows must all be made by the same code."""
    if run.code_version != code_version:
        raise ConflictError(
            f"{run.process_run} was planned by the code {run.code_version}, this is {code_version}. Let a worker of that code finish it, "
            f"or process '{run.crawl.name}' again from `plan` on: its crawl runs are then planned again with this code."
        )


def half_published(lake: Lake, ledger: Ledger) -> list[ProcessRun]:
    """The process runs that are in some tables only: earlier releases committed to one table after the other."""
    unpublished = ledger.unpublished()
    half_done = sorted(unpublished & committed_runs(lake.table(ROW_TABLES[0]))) if unpublished else []
    return [ledger.process_run(name) for name in half_done]


def complete_last_published(crawl: str, store: ObjectStore, lake: Lake, ledger: Ledger) -> None:
    """Write the site memory and the report of a crawl's last published process run, if its publisher died after the commit."""
    last = ledger.last_published(crawl)
    if last is not None and store.info(report_key(last, "report.json")) is None and (rows := lake.run_rows(last)):
        complete(ledger.process_run(last), rows, store, ledger)


def _publish(
    run: ProcessRun, segments: Sequence[str], token: int, store: ObjectStore, lake: Lake, ledger: Ledger, folders: Sequence[str]
) -> list[RunRow]:
    """Commit a run's rows to all tables; the rows that it has in `runs`."""
    for _ in range(ATTEMPTS):
        tables = lake.tables()
        refuse_changed(run, lake)
        base = _base(run, tables, ledger)
        passed = _passed_gate(run, base, segments, store, lake, ledger, folders)
        if passed.base_key != base.key():
            continue
        try:
            check = partial(_check_decision, run)
            return commit_run(run, _gated_change(run, passed, store, lake), new_stamp(ledger), tables, token, lake, ledger, check)
        except LakeMovedError as error:
            LOG.warning("%s: %s Publish tries again.", run.process_run, error)
    raise ConflictError(
        f"{run.process_run} was not published: another program keeps changing the lake's tables. Stop it, then publish again."
    )


def _base(run: ProcessRun, tables: Mapping[str, Table], ledger: Ledger) -> Base:
    articles, captures = tables["articles"].metadata.current_snapshot_id, tables["captures"].metadata.current_snapshot_id
    datasets = tuple((name, tables[name].metadata.current_snapshot_id) for name in dataset_table_names(run))
    return Base(articles, captures, ledger.memory_version(run.crawl.name), datasets)


def _passed_gate(
    run: ProcessRun, base: Base, segments: Sequence[str], store: ObjectStore, lake: Lake, ledger: Ledger, folders: Sequence[str]
) -> GateMark:
    """The mark of the gate for the lake as it is now. A run that was gated against another state is resolved and gated again."""
    passed = read_gate_mark(store, run.process_run, base.key())
    if passed is not None:
        return passed
    earlier = read_resolve_mark(store, run.process_run)
    if earlier is None or read_gate_mark(store, run.process_run, earlier.base.key()) is None:
        raise ConflictError(f"{run.process_run} has not passed the gate yet. Run gate before publish.")
    return gate_run(run, resolve_run(run, segments, store, lake, ledger), store, lake, ledger, folders)


def _finish_half_published(run: ProcessRun, token: int, store: ObjectStore, lake: Lake, ledger: Ledger) -> None:
    """Commit the staged rows of a half published run to the tables that the earlier release did not reach."""
    passed, stamp = read_gate_mark(store, run.process_run, ""), mark_key(run.process_run, "stamp")
    if passed is None or store.info(stamp) is None:
        raise ConflictError(f"{run.process_run} is half published, but its staged rows are gone. Restore the store's staging folder.")
    sequence, ingested_at = json.loads(store.get_bytes(stamp))
    made_at = Stamp(sequence, datetime.fromisoformat(ingested_at))
    rows = commit_run(run, _gated_change(run, passed, store, lake), made_at, lake.tables(), token, lake, ledger)
    complete(run, rows, store, ledger)


def _refuse_published(run: ProcessRun, ledger: Ledger) -> None:
    if run.replacement is not None:
        return
    done = sorted(set(run.crawl_runs) - set(ledger.closed_unpublished(run.crawl.name)))
    if done:
        raise ConflictError(f"{', '.join(done)} was published by another process run. Process '{run.crawl.name}' again for the rest.")


def _gated_change(run: ProcessRun, passed: GateMark, store: ObjectStore, lake: Lake) -> RunChange:
    """The rows that the gate passed for each table."""
    keys = {name: gated_key(run.process_run, passed.base_key, name) for name in _row_tables(run)}
    removed = removals(run, store)
    if SIGHTINGS in keys and store.info(keys[SIGHTINGS]) is None:  # an earlier release has staged the run, which had none
        del keys[SIGHTINGS]
    changes = {name: TableChange(read_rows(store, key), removed.get(name)) for name, key in keys.items()}
    notes: dict[str, dict[str, object]] = {name: {HELD: why} for name, why in passed.held.items()}
    for name, kept in kept_definitions(run, lake).items():
        notes.setdefault(name, {})[DEFINITIONS] = {**kept, **definitions_of(run)}
    return RunChange(passed.counts, changes, passed.measures, notes=notes)


def _check_decision(run: ProcessRun, connection: Connection) -> None:
    """Raise ConflictError if somebody else has decided meanwhile on what a run accepts."""
    if run.kind is RunKind.ACCEPT:
        for crawl_run in run.crawl_runs:
            check_waiting(connection, crawl_run, [dataset.name for dataset in run.datasets])


def _row_tables(run: ProcessRun) -> list[str]:
    """The tables that a run adds rows to, but for `runs`."""
    return [*(name for name in ROW_TABLES if name != ARTICLES or run.makes_articles), *dataset_table_names(run)]


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
