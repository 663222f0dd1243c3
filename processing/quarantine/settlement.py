"""Settle candidates: decide on them under the publish lock, and commit all that follows at once.

The row leaves `quarantine`, the row of its dataset's table comes, the outcome of its record changes, and `runs` gets a row that says who
decided it and what it replaces. A candidate whose row is there no more, because another process has settled it, is left out: so each row
is settled once, however often and by how many processes it is tried.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from processing.expectations.batches import RowsToJudge
from processing.expectations.expectations import judge_dataset
from processing.known.known_lake import open_known
from processing.publish.accounting import RowCounts, RunCounts, count
from processing.publish.commit_run import RunChange, TableChange, commit_run, new_stamp
from processing.publish.publish import complete, complete_last_published, publisher
from processing.publish.report import RunReport
from processing.publish.run_columns import run_constants
from processing.quarantine.article_versions import decide_articles
from processing.quarantine.candidates import Candidate, Fate
from processing.quarantine.dataset_history import decide_rows
from processing.quarantine.record_state import Verdict, changed_capture, read_states
from processing.quarantine.rules import DEFINITIONS, REMOVED, SETTLED, settled_definitions
from processing.quarantine.selection import ARTICLES, Row, id_of, read_whole
from processing.resources import Resources
from schemas.config.crawl import Crawl
from schemas.datasets.dataset import Dataset
from schemas.datasets.tables import table_schema
from schemas.errors import ConflictError, GateError, LakeMovedError
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun, Replacement, RunKind, config_hash, replacing_run_id
from schemas.tables import TABLES
from schemas.yaml_files.dataset_names import NO_DATASET
from storage.lake.removal import of_quarantine, of_records

LOG = logging.getLogger(__name__)
ATTEMPTS = 5  # a table can only change under the lock when another program writes to the lake


@dataclass(frozen=True, slots=True)
class Decision:
    """Why rows are settled, and who decided it; nobody where the rules changed. `code_version` is that of the running code."""

    kind: RunKind
    code_version: str
    decided_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """The report of the process run that settled rows, and how many rows got which outcome."""

    report: RunReport
    outcomes: Counter[str]


def settle(
    candidates: Sequence[Candidate], crawl: Crawl, datasets: Mapping[str, Dataset], decision: Decision, resources: Resources
) -> Settlement | None:
    """Settle candidates of one crawl in one commit; None if all of their rows are settled already.

    `datasets` are the definitions of all datasets that they are of. Raises GateError if articles fail the package's own expectations,
    AccountingError, FencedError; then nothing is changed.
    """
    with publisher(resources.store, resources.lake, resources.ledger) as token:
        complete_last_published(crawl.name, resources.store, resources.lake, resources.ledger)
        for _ in range(ATTEMPTS):
            tables = resources.lake.tables()
            there = _still_there(candidates, resources)
            if not there:
                return None
            work = _Work(there, crawl, datasets, decision, resources)
            run, change = work.run(), work.change()
            try:
                rows = commit_run(run, change, new_stamp(resources.ledger), tables, token, resources.lake, resources.ledger)
            except LakeMovedError as error:
                LOG.warning("%s: %s It is tried again.", run.process_run, error)
                continue
            return Settlement(complete(run, rows, resources.store, resources.ledger), work.outcomes())
    raise ConflictError("Nothing was changed: another program keeps changing the lake's tables. Stop it, then run this again.")


def _still_there(candidates: Sequence[Candidate], resources: Resources) -> list[Candidate]:
    """The candidates whose row is in quarantine as it was when the candidate was made."""
    rows = read_whole(resources.lake, [one.place for one in candidates])
    return [one for one in candidates if _same_row(rows.get(one.place), one)]


def _same_row(row: Row | None, candidate: Candidate) -> bool:
    return row is not None and row["process_run"] == candidate.old["process_run"]


class _Work:
    """The candidates of one commit, with what is decided on them."""

    def __init__(
        self, candidates: Sequence[Candidate], crawl: Crawl, datasets: Mapping[str, Dataset], decision: Decision, resources: Resources
    ) -> None:
        self._candidates, self._crawl, self._decision, self._resources = candidates, crawl, decision, resources
        self._names = sorted({one.dataset for one in candidates})
        self._datasets = {name: datasets[name] for name in self._names if name != NO_DATASET}
        record_ids = {one.record_id for one in candidates}
        self._states = read_states(resources.lake, record_ids, self._names)
        self._replaced = sorted({row["process_run"] for row in self._states.captures.values()})
        self._verdicts = list(self._decide())
        self._run = self._made_run()

    def run(self) -> ProcessRun:
        """The process run, entered in the ledger."""
        return self._resources.ledger.add_process_run(self._run)

    def change(self) -> RunChange:
        """What the run does to the lake."""
        had_other_rows = {name for (_, name), tally in self._states.tallies.items() if tally.made > tally.quarantined}
        captures = pa.Table.from_pylist(list(self._captures()), schema=TABLES["captures"])
        counts = {crawl_run: RunCounts() for crawl_run in self._run.crawl_runs}
        count(captures, counts)
        self._count_rows(counts)
        tables = {
            "captures": TableChange([captures], of_records(self._states.captures.keys())),
            "quarantine": TableChange(self._tables("quarantine"), of_quarantine([one.place for one in self._candidates])),
        }
        for name, dataset in self._datasets.items():
            tables[name] = TableChange(self._tables(name, dataset))
        if self._run.own_datasets:
            tables["sightings"] = TableChange(self._sightings())
        definitions = settled_definitions(self._run, had_other_rows, self._resources.lake)
        ids, removed = self._ids(), self._removed()
        notes = {name: {DEFINITIONS: definitions, SETTLED: ids[name], REMOVED: removed[name]} for name in self._run.crawl_runs}
        return RunChange(counts, tables, notes=notes)

    def outcomes(self) -> Counter[str]:
        """How many rows got which outcome."""
        return Counter(str(verdict.outcome) for verdict in self._verdicts)

    def _decide(self) -> Iterator[Verdict]:
        for one in self._candidates:
            if one.fate is Fate.STAY:
                row = {**one.new, "rule": one.rule, "reason": one.reason, "detail": one.detail}
                yield Verdict(one, Outcome.QUARANTINED, row, one.reason, one.detail, one.old["article_id"])
            elif one.fate is Fate.REMOVE:
                yield Verdict(one, Outcome.REJECTED, reason=one.reason, detail=one.detail)
        forced = self._decision.kind is RunKind.RELEASE
        known = open_known(self._resources.lake, self._resources.store)
        for name, dataset in self._datasets.items():
            chosen = [one for one in self._candidates if one.dataset == name and one.fate is Fate.PUBLISH]
            if chosen and name == ARTICLES:
                yield from decide_articles(chosen, known, self._crawl.articles.near_duplicate_similarity)
            elif chosen:
                yield from decide_rows(dataset, chosen, known, is_forced=forced)

    def _made_run(self) -> ProcessRun:
        crawl_runs = tuple(sorted({row["crawl_run"] for row in self._states.captures.values()}))
        datasets = tuple(self._datasets.values())
        decision = self._decision
        replacement = Replacement(decision.kind, tuple(self._replaced), decision.decided_by, decision.reason)
        config = config_hash(self._crawl, datasets)
        contents = [f"{id_of(one.place)} {one.fate}" for one in self._candidates]
        name = replacing_run_id(replacement, contents, crawl_runs, decision.code_version, config)
        memory = self._resources.ledger.memory_version(self._crawl.name)
        return ProcessRun(name, self._crawl, crawl_runs, decision.code_version, config, memory, None, datasets, replacement)

    def _captures(self) -> Iterator[Row]:
        by_record: dict[tuple[str, int], list[Verdict]] = {}
        for verdict in self._verdicts:
            by_record.setdefault(verdict.candidate.record_id, []).append(verdict)
        for record_id, verdicts in by_record.items():
            yield changed_capture(self._states, record_id, verdicts) | run_constants(self._run)

    def _count_rows(self, counts: Mapping[str, RunCounts]) -> None:
        for found in counts.values():
            found.rows = {name: RowCounts() for name in self._names}
        for (record_id, name), tally in self._states.tallies.items():
            if name in self._names:
                counts[self._states.captures[record_id]["crawl_run"]].rows[name].add(tally.made, **asdict(tally))

    def _tables(self, name: str, dataset: Dataset | None = None) -> list[pa.Table]:
        """The rows for `quarantine`, or for the table of a dataset."""
        outcomes = {Outcome.QUARANTINED} if dataset is None else {Outcome.PUBLISHED, Outcome.DUPLICATE}
        schema = TABLES[name] if dataset is None else table_schema(dataset)
        chosen = [one for one in self._verdicts if one.outcome in outcomes and (dataset is None or one.candidate.dataset == name)]
        rows = [{**one.candidate.old, **one.row, **run_constants(self._run)} for one in chosen]
        table = pa.Table.from_pylist([{column: row.get(column) for column in schema.names} for row in rows], schema=schema)
        if name == ARTICLES and table.num_rows:
            _check_articles(table)
        return [table] if table.num_rows else []

    def _sightings(self) -> list[pa.Table]:
        """Where the published rows were seen."""
        seen = [one for one in self._verdicts if one.outcome in {Outcome.PUBLISHED, Outcome.KNOWN} and one.candidate.dataset != ARTICLES]
        rows = [_sighting(one, self._run) for one in seen]
        return [pa.Table.from_pylist(rows, schema=TABLES["sightings"])] if rows else []

    def _ids(self) -> dict[str, list[str]]:
        """The ids of the settled rows by crawl run."""
        ids: dict[str, list[str]] = {crawl_run: [] for crawl_run in self._run.crawl_runs}
        for one in self._candidates:
            ids[one.old["crawl_run"]].append(id_of(one.place))
        return ids

    def _removed(self) -> dict[str, Counter[str]]:
        """How many rows of each dataset were removed, by crawl run."""
        removed: dict[str, Counter[str]] = {crawl_run: Counter() for crawl_run in self._run.crawl_runs}
        for one in self._candidates:
            if one.fate is Fate.REMOVE:
                removed[one.old["crawl_run"]][one.dataset] += 1
        return removed


def _sighting(verdict: Verdict, run: ProcessRun) -> Row:
    row = {**verdict.candidate.old, **verdict.candidate.new}
    return {
        "dataset": verdict.candidate.dataset,
        "row_id": row["row_id"],
        "crawl_run": row["crawl_run"],
        "process_run": run.process_run,
        "seen_at": row["fetched_at"],
        "gone_at": None,
        "url": row["url"],
        "sequence": None,
    }


def _check_articles(table: pa.Table) -> None:
    """Raise GateError if articles fail the package's own expectations."""
    crawl_runs = sorted(set(table["crawl_run"].to_pylist()))
    result = judge_dataset(RowsToJudge(Dataset(name=ARTICLES), [table], crawl_runs))
    if not result.success:
        raise GateError(f"The articles fail the expectation suite, and nothing was changed: {result.failures()}.")
