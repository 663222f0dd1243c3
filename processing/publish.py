"""Publish: captures, quarantine, articles, runs, in that order, each committed once; a run is seen when it stands in `runs`.

One publisher at a time holds the ledger's publish lock. A publisher that finds another run half published finishes it first, so that
what is committed is always complete before anything new is judged against it. A run that was resolved against an older lake or
memory is resolved and gated again, under the lock, before its first commit.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from processing.accounting import RunCounts
from processing.gate import Gated, gate_run, gated
from processing.report import RunReport
from processing.resolution import current_base, resolve_run
from processing.staging import bounded, read_rows
from schemas.errors import ConflictError
from schemas.failpoint import reached
from schemas.keys import gated_key, mark_key, memory_key, report_key, staged_memory_key
from schemas.manifest import Manifest
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun
from schemas.tables import RUNS, TABLES
from storage.lake import Lake
from storage.ledger import Ledger
from storage.objects import ObjectStore
from storage.scratch import scratch_folder

ROW_TABLES = ("captures", "quarantine", "articles")
CHUNK_ROWS = 20_000
CHUNK_BYTES = 8 * 1024 * 1024  # in memory, where sorting and writing take several times that


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every row of a publishing carries."""

    sequence: int
    ingested_at: datetime


def publish_run(run: ProcessRun, segments: Sequence[str], store: ObjectStore, lake: Lake, ledger: Ledger) -> RunReport:
    """Publish a gated run; publishing it again returns the same report and changes nothing.

    Raises ConflictError for a run that is not gated, or whose crawl runs another process run published meanwhile: process again.
    """
    with ledger.publish_lock():
        for other in half_published(lake, ledger):
            _finish(other, store, lake, ledger)
        if ledger.published_at(run.process_run) is not None:
            return RunReport.from_json(store.get_bytes(report_key(run.process_run, "report.json")))
        _refuse_published(run, ledger)
        passed = gated(store, run.process_run)
        if passed is None:
            raise ConflictError(f"{run.process_run} has not passed the gate yet. Run gate before publish.")
        if passed.base != current_base(run, lake, ledger):
            passed = gate_run(run, resolve_run(run, segments, store, lake, ledger), store, ledger)
        stamp = Stamp(ledger.next_sequence(), datetime.now(UTC))
        store.put_bytes(mark_key(run.process_run, "stamp"), json.dumps([stamp.sequence, stamp.ingested_at.isoformat()]).encode())
        return _commit(run, passed, stamp, store, lake, ledger)


def half_published(lake: Lake, ledger: Ledger) -> list[ProcessRun]:
    """The process runs that have committed to the lake but are not published: their publisher died, or is at work."""
    begun = sorted(lake.committed_runs(ROW_TABLES[0]))
    return [ledger.process_run(name) for name in begun if ledger.published_at(name) is None]


def _finish(run: ProcessRun, store: ObjectStore, lake: Lake, ledger: Ledger) -> None:
    passed = gated(store, run.process_run)
    if passed is None:
        raise ConflictError(f"{run.process_run} is half published, but its staged rows are gone. Restore the store's staging folder.")
    sequence, ingested_at = json.loads(store.get_bytes(mark_key(run.process_run, "stamp")))
    _commit(run, passed, Stamp(sequence, datetime.fromisoformat(ingested_at)), store, lake, ledger)


def _refuse_published(run: ProcessRun, ledger: Ledger) -> None:
    done = sorted(set(run.crawl_runs) - set(ledger.closed_unpublished(run.crawl.name)))
    if done:
        raise ConflictError(
            f"{', '.join(done)} was published by another process run meanwhile. Process '{run.crawl.name}' again for the rest."
        )


def _commit(run: ProcessRun, passed: Gated, stamp: Stamp, store: ObjectStore, lake: Lake, ledger: Ledger) -> RunReport:
    done = ledger.commits(run.process_run)
    for name in (*ROW_TABLES, "runs"):
        if name == "runs":
            _advance_memory(run, passed, store, ledger)
        if name in done:
            continue
        reached(f"publish.before.{name}")
        snapshot = lake.append(name, _stamped(name, run, passed, stamp, store, ledger), run.process_run)
        reached(f"publish.after.{name}")
        ledger.record_commit(run.process_run, name, snapshot)
    report = _report(run, passed, stamp)
    store.put_bytes(report_key(run.process_run, "report.json"), report.to_json().encode())
    reached("publish.before.mark")
    ledger.mark_published(run.process_run)
    return report


def _advance_memory(run: ProcessRun, passed: Gated, store: ObjectStore, ledger: Ledger) -> None:
    """The memory with this run's pages becomes the crawl's next version, once."""
    if not run.crawl.articles.site_memory:
        return
    version = passed.base.memory_version
    reached("publish.before.memory")
    if ledger.memory_version(run.crawl.name) == version:
        _copy(store, staged_memory_key(run.process_run), memory_key(run.crawl.name, version + 1))
    ledger.advance_memory(run.crawl.name, version, version + 1, run.process_run)


def _copy(store: ObjectStore, source: str, target: str) -> None:
    with scratch_folder() as folder:
        path = folder / "copy"
        with store.open(source) as stream, path.open("wb") as out:
            shutil.copyfileobj(stream, out)
        store.put_file(target, path)


def _stamped(name: str, run: ProcessRun, passed: Gated, stamp: Stamp, store: ObjectStore, ledger: Ledger) -> Iterator[pa.Table]:
    if name == "runs":
        rows = [_run_row(run, ledger.manifest(crawl_run), passed.counts[crawl_run], stamp) for crawl_run in run.crawl_runs]
        yield pa.Table.from_pylist(rows, schema=RUNS)
        return
    for chunk in bounded(read_rows(store, gated_key(run.process_run, name)), CHUNK_ROWS, CHUNK_BYTES):
        table = chunk
        for column, value in (("ingested_at", stamp.ingested_at), ("sequence", stamp.sequence)):
            field = TABLES[name].field(column)
            place = table.schema.get_field_index(column)
            table = table.set_column(place, field, pa.repeat(pa.scalar(value, field.type), table.num_rows))
        yield table


def _run_row(run: ProcessRun, manifest: Manifest, counts: RunCounts, stamp: Stamp) -> dict[str, object]:
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
        **manifest.counts.model_dump(),
        "records": counts.records,
        **{str(outcome): counts.outcome(outcome) for outcome in Outcome},
        "bytes": sum(segment.size for segment in manifest.segments),
        "segments": len(manifest.segments),
        "statistics": json.dumps(
            {**counts.as_json(), "fetch_reasons": manifest.reasons, "fetch": manifest.statistics.model_dump()}, sort_keys=True
        ),
    }


def _report(run: ProcessRun, passed: Gated, stamp: Stamp) -> RunReport:
    counts = list(passed.counts.values())
    reasons: dict[str, int] = {}
    for found in counts:
        for reason, number in found.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + number
    return RunReport(
        process_run=run.process_run,
        crawl=run.crawl.name,
        crawl_runs=run.crawl_runs,
        code_version=run.code_version,
        sequence=stamp.sequence,
        ingested_at=stamp.ingested_at,
        records=sum(found.records for found in counts),
        **{str(outcome): sum(found.outcome(outcome) for found in counts) for outcome in Outcome},
        reasons=reasons,
        expectations=passed.expectations,
        by_crawl_run={
            crawl_run: {"records": found.records, **{str(outcome): found.outcome(outcome) for outcome in Outcome}}
            for crawl_run, found in passed.counts.items()
        },
    )
