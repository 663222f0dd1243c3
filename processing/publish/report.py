"""The report of a process run: how many records have which outcome, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from processing.publish.accounting import UnclaimedItems
from processing.resolve.canonical_counts import sentence
from schemas.errors import StorageError
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun

OUTCOMES = tuple(str(outcome) for outcome in Outcome)


@dataclass(frozen=True, slots=True)
class RunReport:
    """The outcome of a published process run.

    records = published + known + duplicate + quarantined + rejected. `reasons` counts `outcome: reason`.
    `crawl_runs` are the processed crawl runs; `by_crawl_run` has the records and outcomes of each. `expectations` is the number of rows
    that the suite validated: all rows of articles. `datasets` counts the rows of each dataset: made = published + unchanged + quarantined.
    `unclaimed` has the items that no dataset of the crawl takes, by what they are: `count`, and `url`, the page of one of them.
    """

    process_run: str
    crawl: str
    crawl_runs: tuple[str, ...]
    code_version: str
    sequence: int
    ingested_at: datetime
    records: int
    published: int
    known: int
    duplicate: int
    quarantined: int
    rejected: int
    reasons: dict[str, int]
    expectations: int
    by_crawl_run: dict[str, dict[str, int]] = field(default_factory=dict)
    datasets: dict[str, dict[str, int]] = field(default_factory=dict)
    canonical: tuple[str, ...] = ()  # sentences on hosts whose canonical URLs are not believed
    unclaimed: dict[str, dict[str, Any]] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """The records and their outcomes."""
        return {name: getattr(self, name) for name in ("records", *OUTCOMES)}

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(asdict(self) | {"ingested_at": self.ingested_at.isoformat()}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> RunReport:
        """The report that `to_json` wrote."""
        data = json.loads(text)
        return cls(
            **{
                **data,
                "crawl_runs": tuple(data["crawl_runs"]),
                "canonical": tuple(data.get("canonical", ())),
                "ingested_at": datetime.fromisoformat(data["ingested_at"]),
            }
        )

    def equation(self) -> str:
        """The equation of records and outcomes, as one line of text."""
        return f"{self.records:,} = " + " + ".join(f"{getattr(self, name):,} {name}" for name in OUTCOMES)

    def unclaimed_lines(self) -> list[str]:
        """A line about each kind of items that no dataset takes."""
        return [f"{one['count']:,} in quarantine: {kind}. One is on {one['url']}" for kind, one in sorted(self.unclaimed.items())]

    def text(self) -> str:
        """The report in a few lines."""
        lines = [
            f"{self.crawl}: {len(self.crawl_runs)} crawl run(s) processed as {self.process_run} (sequence {self.sequence})",
            f"  records: {self.equation()}",
        ]
        lines += [f"  {count:6d}  {reason}" for reason, count in sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))]
        lines += [f"  {name}: {_rows_text(counts)}" for name, counts in self.datasets.items() if name != "articles"]
        lines += [f"  canonical URLs: {line}" for line in self.canonical]
        lines += [f"  {line}" for line in self.unclaimed_lines()]
        return "\n".join(lines)


def _rows_text(counts: Mapping[str, int]) -> str:
    return f"{counts['made']:,} rows = " + " + ".join(f"{counts[name]:,} {name}" for name in ("published", "unchanged", "quarantined"))


def report_of(run: ProcessRun, rows: Sequence[Mapping[str, Any]]) -> RunReport:
    """The report of a published run, from its rows of the table `runs`. Raises StorageError without rows."""
    if not rows:
        raise StorageError(f"{run.process_run} is published, but its rows in the table 'runs' are gone. Restore the lake or its catalog.")
    totals = {name: sum(int(row[name]) for row in rows) for name in ("records", *OUTCOMES)}
    reasons: Counter[str] = Counter()
    canonical: list[str] = []
    for row in rows:
        statistics = json.loads(row["statistics"])
        reasons.update(statistics["reasons"])
        canonical += [sentence(found) for found in statistics.get("canonical", {}).get("hosts", ())]
    datasets: dict[str, Counter[str]] = {}
    for counts in (dict(found) for row in rows for found in row["datasets"] or ()):
        datasets.setdefault(counts.pop("dataset"), Counter()).update(counts)
    unclaimed: dict[str, UnclaimedItems] = {}
    for row in rows:
        for kind, one in json.loads(row["statistics"]).get("unclaimed", {}).items():
            unclaimed.setdefault(kind, UnclaimedItems()).add(**one)
    return RunReport(
        process_run=run.process_run,
        crawl=run.crawl.name,
        crawl_runs=run.crawl_runs,
        code_version=run.code_version,
        sequence=rows[0]["sequence"],
        ingested_at=rows[0]["ingested_at"],
        **totals,
        reasons=dict(reasons),
        expectations=datasets.get("articles", Counter())["published"],
        by_crawl_run={row["crawl_run"]: {name: int(row[name]) for name in totals} for row in rows},
        datasets={name: dict(counts) for name, counts in sorted(datasets.items())},
        canonical=tuple(canonical),
        unclaimed={kind: asdict(one) for kind, one in sorted(unclaimed.items())},
    )
