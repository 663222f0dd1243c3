"""What `runs.statistics` says of the rules of settled rows, and which rules the rows of quarantine were judged by."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyiceberg.expressions import In

from processing.resolve.earlier_dataset_rows import rows_digest, stored_definition
from schemas.runs import ProcessRun, RunKind
from storage.lake.lake import Lake

SETTLED = "settled"  # the key in `runs.statistics`: the ids of the rows that left quarantine, or were judged again
REMOVED = "removed"  # how many rows of each dataset are nowhere any more
DEFINITIONS = "definitions"
MIXED = ""  # the digest of a definition where the rows of a record were made by several

Statistics = Mapping[str, Any]  # Any: JSON


def read_statistics(lake: Lake, process_runs: Collection[str]) -> Iterator[tuple[str, Statistics]]:
    """`runs.statistics` of these process runs: one for each of their crawl runs."""
    for batch in lake.scan("runs", ["process_run", "statistics"], In("process_run", set(process_runs))):  # type: ignore[call-arg]
        for row in batch.to_pylist():
            yield row["process_run"], json.loads(row["statistics"] or "{}")


def settled_definitions(run: ProcessRun, had_other_rows: Collection[str], lake: Lake) -> dict[str, Any]:  # Any: JSON
    """By which definitions the rows of the settled records were made.

    Of a dataset whose rows were settled it is today's, unless a record has other rows that an older one made: no later run then takes the
    record for known by today's definition. That of another dataset stays, if all replaced runs have the same.
    """
    assert run.replacement is not None
    before = [found.get(DEFINITIONS, {}) for _, found in read_statistics(lake, run.replacement.replaces)]
    settled = {dataset.name for dataset in run.datasets}
    kept = {name: of_run for one in before for name, of_run in one.items() if name not in settled and _all_have(before, name, of_run)}
    for dataset in run.own_datasets:
        digest = rows_digest(dataset)
        same = dataset.name not in had_other_rows or all(one.get(dataset.name, {}).get("digest") == digest for one in before)
        kept[dataset.name] = stored_definition(run.crawl, dataset)
        if not same:
            kept[dataset.name] |= {"digest": MIXED, "reading": MIXED}
    return kept


def _all_have(before: Sequence[Mapping[str, Any]], name: str, of_run: object) -> bool:
    return all(one.get(name) == of_run for one in before)


@dataclass(frozen=True, slots=True)
class SettledRow:
    """How a row left quarantine, or was judged again: the kind of the process run, who decided it and why."""

    process_run: str
    kind: str
    decided_by: str | None
    reason: str | None
    at: datetime

    def sentence(self) -> str:
        """The same for people."""
        done = {RunKind.RELEASE: "released", RunKind.DROP: "dropped", RunKind.RETRY: "tried again", RunKind.REJUDGE: "judged again"}
        by = f" by {self.decided_by}" if self.decided_by else ""
        why = f" ({self.reason})" if self.reason else ""
        return f"it was {done.get(RunKind(self.kind), self.kind)}{by} on {self.at:%Y-%m-%d %H:%M} UTC{why}"


def read_settled(lake: Lake, ids: Collection[str]) -> dict[str, SettledRow]:
    """The last process run that settled each of these rows; those that none settled are left out."""
    found: dict[str, SettledRow] = {}
    wanted = set(ids)
    columns = ["process_run", "kind", "decided_by", "decision_reason", "ingested_at", "statistics"]
    for batch in lake.scan("runs", columns):
        for row in batch.to_pylist():
            if row["kind"] in {None, RunKind.PROCESS}:
                continue
            for one in wanted & set(json.loads(row["statistics"] or "{}").get(SETTLED, ())):
                if one not in found or found[one].at < row["ingested_at"]:
                    found[one] = SettledRow(row["process_run"], row["kind"], row["decided_by"], row["decision_reason"], row["ingested_at"])
    return found
