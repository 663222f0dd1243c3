"""Check the equations of a run: every record has exactly one outcome, and the tables have as many rows as the outcomes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from schemas.errors import AccountingError
from schemas.manifest import Manifest
from schemas.outcomes import Outcome


@dataclass(slots=True)
class RunCounts:
    """How many records of one crawl run have each outcome, reason, HTTP status and host."""

    records: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)

    def outcome(self, outcome: Outcome) -> int:
        """How many records have this outcome."""
        return self.outcomes[str(outcome)]

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain JSON values, sorted, so that equal counts give equal bytes."""
        counts: dict[str, Any] = {"records": self.records}
        for name in ("outcomes", "reasons", "statuses", "hosts"):
            counts[name] = dict(sorted(getattr(self, name).items()))
        return counts

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunCounts:
        """The counts that `to_dict` made."""
        return cls(data["records"], *(Counter(data[name]) for name in ("outcomes", "reasons", "statuses", "hosts")))


def count(captures: pa.Table, counts: dict[str, RunCounts]) -> None:
    """Add rows of `captures` to the counts of their crawl runs."""
    columns = captures.select(["crawl_run", "outcome", "reason", "fetch_status", "host"]).to_pydict()
    for crawl_run, outcome, reason, status, host in zip(*columns.values(), strict=True):
        found = counts.setdefault(crawl_run, RunCounts())
        found.records += 1
        found.outcomes[outcome] += 1
        found.statuses[str(status)] += 1
        found.hosts[host] += 1
        if reason is not None:
            found.reasons[f"{outcome}: {reason}"] += 1


def check_run(manifest: Manifest, counts: RunCounts) -> None:
    """Raise AccountingError unless the equations of one crawl run hold."""
    registered = sum(segment.records for segment in manifest.segments)
    by_outcome = {outcome: counts.outcome(outcome) for outcome in Outcome}
    if set(counts.outcomes) - {str(outcome) for outcome in Outcome} or counts.records != sum(by_outcome.values()):
        raise AccountingError(f"{manifest.crawl_run}: {counts.records} records, but their outcomes are {dict(counts.outcomes)}.")
    if registered != counts.records:
        raise AccountingError(
            f"{manifest.crawl_run}: its segments registered {registered} records, but {counts.records} were processed. "
            "Nothing was published; run extract again for this run."
        )
    if not manifest.counts.balanced():
        raise AccountingError(f"{manifest.crawl_run}: due is not the sum of the outcomes of its URLs: {manifest.counts.model_dump()}.")


def check_tables(counts: Sequence[RunCounts], articles: int, captures: int, quarantine: int) -> None:
    """Raise AccountingError unless the staged tables have the rows that the outcomes say."""
    for name, rows, outcomes in (
        ("articles", articles, (Outcome.PUBLISHED, Outcome.DUPLICATE)),
        ("quarantine", quarantine, (Outcome.QUARANTINED,)),
        ("captures", captures, tuple(Outcome)),
    ):
        expected = sum(found.outcome(outcome) for found in counts for outcome in outcomes)
        if rows != expected:
            raise AccountingError(f"The staged table '{name}' has {rows} rows where the outcomes say {expected}. Nothing was published.")
