"""The commit of a process run: the rows that it adds to each table, and those that it takes out, all in one.

`publish` commits new crawl runs by it. Runs that replace use the same door: release, retry, drop and accept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from sqlalchemy import Connection

from processing.expectations.drift import MEASURES
from processing.expectations.suite_result import Measures
from processing.publish.accounting import RunCounts
from processing.publish.rules import RULES, rules_of
from processing.resolve.earlier_dataset_rows import stored_definition
from processing.staging.staging import bounded
from runtime.failpoint import reached
from schemas.manifest import FetchCounts, Manifest
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun
from schemas.tables import RUNS
from storage.lake.commit import commit
from storage.lake.lake import Lake, snapshot_of
from storage.lake.removal import Removal
from storage.ledger.ledger import Ledger

CHUNK_ROWS = 20_000
CHUNK_BYTES = 5 * 1024 * 1024  # in memory; sorting and writing take several times as much
TABLE_ORDER = ("captures", "quarantine", "articles")  # then those of datasets, and `runs` last

RunRow = dict[str, Any]  # Any: the values of a row of `runs`
Check = Callable[[Connection], None]


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a process run was published: the order of the commits, and the time. It stands in the run's rows of `runs` alone."""

    sequence: int
    ingested_at: datetime


def new_stamp(ledger: Ledger) -> Stamp:
    """The stamp of the next commit."""
    return Stamp(ledger.next_sequence(), datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class TableChange:
    """What a process run does to one table: the rows that it adds, as they are or in written data files, and those that it takes out."""

    rows: Iterable[pa.Table] = ()
    removed: Removal | None = None
    files: Sequence[DataFile] = ()


@dataclass(frozen=True, slots=True)
class RunChange:
    """What a process run does to the lake, with the counts of each of its crawl runs.

    Of a run that replaces, the counts are of the records whose outcome it changes, and of all rows that these have now. `measures` are what
    later runs compare with, `notes` further statistics, both by crawl run.
    """

    counts: Mapping[str, RunCounts]
    tables: Mapping[str, TableChange]
    measures: Mapping[str, Mapping[str, Measures]] = field(default_factory=lambda: MappingProxyType({}))
    notes: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: MappingProxyType({}))


def commit_run(
    run: ProcessRun,
    change: RunChange,
    stamp: Stamp,
    tables: Mapping[str, Table],
    token: int,
    lake: Lake,
    ledger: Ledger,
    check: Check = lambda _: None,
) -> list[RunRow]:
    """Commit a process run to all tables that it changes and to `runs`; its rows of `runs`. `tables` are those that it was decided on.

    Readers see all of it or nothing. Raises FencedError without the publish lock, LakeMovedError if one of the tables has changed, and what
    `check` raises; then nothing is committed.
    """
    rows = [_run_row(run, ledger.manifest(crawl_run), change, stamp) for crawl_run in run.crawl_runs]
    changes = {**change.tables, "runs": TableChange(iter([pa.Table.from_pylist(rows, schema=RUNS)]))}
    staged = []
    unpublished = ledger.unpublished()
    for name in sorted(changes, key=_place):
        if snapshot_of(tables[name], run.process_run) is not None:
            continue  # an earlier release committed to it
        found = changes[name]
        reached(f"publish.before.{name}")
        chunks = bounded(found.rows, CHUNK_ROWS, CHUNK_BYTES)
        staged.append(lake.stage(tables[name], chunks, run.process_run, found.removed, found.files, unpublished))
        reached(f"publish.after.{name}")
    commit(lake, ledger, token, staged, run.process_run, check)
    return rows


def _place(name: str) -> tuple[int, str]:
    if name == "runs":
        return len(TABLE_ORDER) + 1, name
    return TABLE_ORDER.index(name) if name in TABLE_ORDER else len(TABLE_ORDER), name


def _run_row(run: ProcessRun, manifest: Manifest, change: RunChange, stamp: Stamp) -> RunRow:
    """A row of `runs`. What was fetched stands in the row of the run that processed it first: a sum over all rows counts it once."""
    counts, replacement = change.counts[manifest.crawl_run], run.replacement
    is_first = replacement is None
    return {
        "process_run": run.process_run,
        "crawl_run": manifest.crawl_run,
        "crawl": manifest.crawl,
        "code_version": run.code_version,
        "config_hash": run.config_hash,
        "planned_at": manifest.planned_at,
        "closed_at": manifest.closed_at,
        "ingested_at": stamp.ingested_at,
        "sequence": stamp.sequence,
        "finish_reason": manifest.finish_reason,
        **(manifest.counts if is_first else FetchCounts()).model_dump(),
        "records": counts.records,
        **{str(outcome): counts.outcome(outcome) for outcome in Outcome},
        "bytes": sum(segment.size for segment in manifest.segments) if is_first else 0,
        "segments": len(manifest.segments) if is_first else 0,
        "statistics": json.dumps(_statistics(run, manifest, change), sort_keys=True),
        "datasets": [{"dataset": name, **asdict(rows)} for name, rows in sorted(counts.rows.items())],
        "kind": str(run.kind),
        "replaces": None if replacement is None else list(replacement.replaces),
        "decided_by": None if replacement is None else replacement.decided_by,
        "decision_reason": None if replacement is None else replacement.reason,
    }


def definitions_of(run: ProcessRun) -> dict[str, dict[str, object]]:
    """By which definitions a run makes rows, as `runs.statistics` has them."""
    return {dataset.name: stored_definition(run.crawl, dataset) for dataset in run.judged_datasets}


def _statistics(run: ProcessRun, manifest: Manifest, change: RunChange) -> dict[str, object]:
    statistics: dict[str, object] = {
        **change.counts[manifest.crawl_run].to_dict(),
        "definitions": definitions_of(run),
        RULES: rules_of(run),
        MEASURES: dict(change.measures.get(manifest.crawl_run, {})),
        **change.notes.get(manifest.crawl_run, {}),
    }
    if run.replacement is None:
        statistics |= {"fetch_reasons": manifest.reasons, "fetch": manifest.statistics.model_dump()}
    return statistics
