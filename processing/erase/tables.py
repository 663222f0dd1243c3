"""Take erased rows out of the lake's tables: one commit for each crawl, as a process run of the kind `erase`.

The row of a capture stays with the outcome `rejected` and the reason `erased`, without URL and digest, so that the sums hold.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.expressions import AlwaysTrue, In

from processing.erase.dirty import DirtyRows
from processing.erase.plan import Plan
from processing.erase.scope import Scope
from processing.publish.accounting import RowCounts, RunCounts, count
from processing.publish.commit_run import RunChange, TableChange, commit_run, new_stamp
from processing.publish.dataset_tables import as_articles_alone, summary_of
from processing.publish.publish import complete, complete_last_published, publisher
from processing.publish.run_columns import run_constants
from processing.resources import Resources
from runtime.code_version import code_version
from runtime.failpoint import reached
from schemas.config.crawl import Crawl
from schemas.errors import ConflictError, LakeMovedError, NotFoundError
from schemas.keys import crawl_run_of
from schemas.outcomes import Outcome, Reason
from schemas.runs import ProcessRun, Replacement, RunKind, config_hash, replacing_run_id
from schemas.tables import CAPTURES
from storage.frontier.admin.erasing import drop_process_runs
from storage.lake.removal import of_records, of_values

LOG = logging.getLogger(__name__)
ATTEMPTS = 5  # a table can only change under the lock when another program writes to the lake
_SIGHTING = ("dataset", "row_id", "crawl_run", "url")
_LEFT = frozenset({"fetched_at", "fetch_status", "warc_filename", "warc_record_offset", "warc_record_length", "crawl_run"})

Row = dict[str, Any]  # Any: the values of a row


def erase_rows(plan: Plan, scope: Scope, resources: Resources) -> None:
    """Take the rows out of every table. Doing it again changes nothing.

    Raises ConflictError if others keep changing the tables, NotFoundError for rows of crawl runs that the database does not know.
    """
    _refuse_unknown(plan, resources)
    with publisher(resources.store, resources.lake, resources.ledger) as token:
        with resources.ledger.database.write() as connection:
            drop_process_runs(connection, plan.crawl_runs)
        reached("erase.before.tables")
        for crawl in sorted({resources.ledger.crawl_run(name).crawl.name for name in _known_runs(plan, resources)}):
            _erase_crawl(plan, scope, crawl, token, resources)


def affected_process_runs(plan: Plan, resources: Resources) -> list[str]:
    """The process runs that have one of the crawl runs, published or not."""
    wanted = set(plan.crawl_runs)
    runs = (resources.ledger.process_run(name) for name in resources.ledger.process_runs())
    return [run.process_run for run in runs if wanted & set(run.crawl_runs)]


def _refuse_unknown(plan: Plan, resources: Resources) -> None:
    known = {run.crawl_run for run in resources.ledger.crawl_runs()}
    if not plan.crawl_runs:
        return
    where = In("crawl_run", plan.crawl_runs)  # type: ignore[call-arg]
    unknown = {name for batch in resources.lake.scan("captures", ["crawl_run"], where) for name in batch["crawl_run"].to_pylist()} - known
    if unknown:
        raise NotFoundError(
            f"The lake has rows of {', '.join(sorted(unknown))}, which the database does not know. `crawlhouse adopt` makes them known; "
            "then run this again."
        )


def _known_runs(plan: Plan, resources: Resources) -> list[str]:
    known = {run.crawl_run for run in resources.ledger.crawl_runs()}
    return [name for name in plan.crawl_runs if name in known]


def _erase_crawl(plan: Plan, scope: Scope, crawl: str, token: int, resources: Resources) -> None:
    store, lake, ledger = resources.store, resources.lake, resources.ledger
    complete_last_published(crawl, store, lake, ledger)
    for _ in range(ATTEMPTS):
        tables = lake.tables()
        work = _Work(plan, scope, crawl, resources)
        if not work.is_needed:
            return
        run = ledger.add_process_run(work.run())
        try:
            rows = commit_run(run, work.change(run, list(tables)), new_stamp(ledger), tables, token, lake, ledger)
        except LakeMovedError as error:
            LOG.warning("%s: %s It is tried again.", run.process_run, error)
            continue
        reached("erase.after.commit")
        complete(run, rows, store, ledger)
        return
    raise ConflictError("Not everything was erased: another program keeps changing the lake's tables. Stop it, then run this again.")


class _Work:
    """What one crawl loses."""

    def __init__(self, plan: Plan, scope: Scope, crawl: str, resources: Resources) -> None:
        self._plan, self._scope, self._resources = plan, scope, resources
        self._dirty = DirtyRows(plan, scope)
        runs = {run.crawl_run for run in resources.ledger.crawl_runs(crawl)}
        self._captures, self._mentioning = self._read_captures(runs)
        self._sightings = list(self._read_sightings(runs))
        self._crawl = crawl

    @property
    def is_needed(self) -> bool:
        """Whether the lake has rows of the crawl to erase."""
        return bool(self._captures or self._mentioning or self._sightings)

    def run(self) -> ProcessRun:
        """The process run. It knows the definitions of the one before, and a configuration without the URLs."""
        ledger = self._resources.ledger
        rows = self._captures or self._mentioning
        crawl_runs = tuple(sorted({row["crawl_run"] for row in rows} or {row[2] for row in self._sightings}))
        last = ledger.last_process_run(crawl_runs[-1])
        before = ledger.process_run(last) if last is not None else None
        crawl = before.crawl if before is not None else ledger.crawl_run(crawl_runs[-1]).crawl
        crawl = Crawl.model_validate(self._scope.value(crawl.model_dump(mode="json")))
        datasets = before.datasets if before is not None else ()
        replaced = tuple(sorted({row["process_run"] for row in rows}))
        replacement = Replacement(RunKind.ERASE, replaced, self._plan.decided_by, self._plan.reason)
        code, config = code_version(), config_hash(crawl, datasets)
        contents = [f"{row['warc_filename']} {row['warc_record_offset']}" for row in rows] + [str(one) for one in self._sightings]
        name = replacing_run_id(replacement, contents, crawl_runs, code, config)
        memory = ledger.memory_version(crawl.name)
        return ProcessRun(name, crawl, crawl_runs, code, config, memory, None, datasets, replacement)

    def change(self, run: ProcessRun, names: Sequence[str]) -> RunChange:
        """What the run does to the lake."""
        counts = {crawl_run: RunCounts() for crawl_run in run.crawl_runs}
        erased = [_erased(row, run) for row in self._captures]
        if erased:
            count(pa.Table.from_pylist(erased, schema=CAPTURES), counts)
        for one in counts.values():
            one.rows = {dataset.name: RowCounts() for dataset in run.judged_datasets}
        records = {(row["warc_filename"], row["warc_record_offset"]) for row in (*self._captures, *self._mentioning)}
        mine = {(row["warc_filename"], row["warc_record_offset"]) for row in self._captures}
        without_via = [row | {"via": None, "ingested_at": None, "sequence": None} for row in self._mentioning]
        rows = pa.Table.from_pylist([*erased, *without_via], schema=CAPTURES)
        changes = {"captures": TableChange([rows], of_records(records))} if records else {}
        if self._sightings:
            changes["sightings"] = TableChange(removed=of_values(_SIGHTING, self._sightings, AlwaysTrue()))
        for name in names:
            if name not in {"captures", "sightings", "runs"} and mine and self._has_rows(name):
                changes[name] = TableChange(removed=of_records(mine))
        return RunChange(counts, changes)

    def _has_rows(self, name: str) -> bool:
        columns = self._dirty.columns(name, self._resources.lake.table(name).schema().column_names)
        batches = self._resources.lake.scan(name, columns)
        return any(pc.any(self._dirty.rows(name, pa.Table.from_batches([batch]))).as_py() for batch in batches)

    def _read_captures(self, runs: set[str]) -> tuple[list[Row], list[Row]]:
        """The rows of `captures` that are erased, and those of other pages that were found on an erased one."""
        erased: list[Row] = []
        mentioning: list[Row] = []
        where = In("crawl_run", self._plan.crawl_runs)  # type: ignore[call-arg]
        for batch in self._resources.lake.scan("captures", CAPTURES.names, where):
            dirty = batch.filter(self._dirty.rows("captures", pa.Table.from_batches([batch])))
            for row in dirty.to_pylist():
                if row["crawl_run"] in runs:
                    is_erased = row["warc_record_offset"] in self._plan.records.get(row["warc_filename"], ())
                    (erased if is_erased else mentioning).append(row)
        return erased, mentioning

    def _read_sightings(self, runs: set[str]) -> Iterator[tuple[object, ...]]:
        for batch in self._resources.lake.scan("sightings", list(_SIGHTING)):
            dirty = batch.filter(self._dirty.rows("sightings", pa.Table.from_batches([batch])))
            yield from {tuple(row[name] for name in _SIGHTING) for row in dirty.to_pylist() if row["crawl_run"] in runs}


def _erased(row: Row, run: ProcessRun) -> Row:
    """What stays of a capture's row."""
    known = row["outcomes"] if row["outcomes"] is not None else [as_articles_alone(row)]
    outcomes = [_outcome(one) for one in known]
    left: Row = {name: value if name in _LEFT else None for name, value in row.items()}
    empty = {"url": "", "host": "", "content_digest": "", "kind": "page", "record_type": "response"}
    return left | empty | summary_of(outcomes) | {"outcomes": outcomes} | run_constants(run)


def _outcome(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"dataset": one["dataset"], "outcome": str(Outcome.REJECTED), "reason": str(Reason.ERASED), "detail": None, "rows": 0}


def crawl_runs_of(plan: Plan) -> dict[str, list[str]]:
    """The WARC files by crawl run."""
    found: dict[str, list[str]] = {}
    for name in plan.files:
        found.setdefault(crawl_run_of(name), []).append(name)
    return found
