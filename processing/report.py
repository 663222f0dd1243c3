"""The report of a process run: what came of its records, for people and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from schemas.outcomes import Outcome

OUTCOMES = tuple(str(outcome) for outcome in Outcome)


@dataclass(frozen=True, slots=True)
class RunReport:
    """The outcome of a published process run.

    records = published + known + duplicate + quarantined + rejected. `reasons` counts `outcome: reason`.
    `crawl_runs` lists what was processed, `by_crawl_run` has the records and outcomes of each; `expectations` is whether the suite judged
    any rows and passed.
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
        return cls(**{**data, "crawl_runs": tuple(data["crawl_runs"]), "ingested_at": datetime.fromisoformat(data["ingested_at"])})

    def equation(self) -> str:
        """What became of the records, in a line for people."""
        return f"{self.records:,} = " + " + ".join(f"{getattr(self, name):,} {name}" for name in OUTCOMES)

    def text(self) -> str:
        """The report in a few lines."""
        lines = [
            f"{self.crawl}: {len(self.crawl_runs)} crawl run(s) processed as {self.process_run} (sequence {self.sequence})",
            f"  records: {self.equation()}",
        ]
        lines += [f"  {count:6d}  {reason}" for reason, count in sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))]
        return "\n".join(lines)
