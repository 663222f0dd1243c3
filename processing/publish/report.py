"""The report of a process run: how many records have which outcome, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from processing.publish.accounting import UnclaimedItems, UnusedPages
from processing.publish.layouts import LAYOUTS, change_sentence
from processing.resolve.canonical_counts import sentence
from schemas.errors import StorageError
from schemas.numbers import plural
from schemas.outcomes import Outcome
from schemas.runs import ProcessRun

HELD = "held"  # the key in `runs.statistics`: why rows of a dataset are held back
OUTCOMES = tuple(str(outcome) for outcome in Outcome)


@dataclass(frozen=True, slots=True)
class RunReport:
    """The outcome of a published process run.

    records = published + known + duplicate + quarantined + rejected. `reasons` counts `outcome: reason`.
    `crawl_runs` are the processed crawl runs; `by_crawl_run` has the records and outcomes of each. `expectations` is the number of rows
    that the suite validated: all rows of articles. `datasets` counts the rows of each dataset: made = published + unchanged + quarantined.
    `held` says why the rows of a dataset of a crawl run are held back, by crawl run and dataset.
    `unused` has the pages that gave a dataset no row although they were read: `no_rows`, `errors`, and `error`, why one of them.
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
    held: dict[str, dict[str, str]] = field(default_factory=dict)
    canonical: tuple[str, ...] = ()  # sentences on hosts whose canonical URLs are not believed
    layouts: tuple[str, ...] = ()  # sentences on hosts whose layout has changed
    unclaimed: dict[str, dict[str, Any]] = field(default_factory=dict)
    unused: dict[str, dict[str, Any]] = field(default_factory=dict)

    def held_sentences(self) -> list[str]:
        """One sentence, without its point, for each dataset of a crawl run whose rows are held back."""
        return [f"{name} of {crawl_run}: {why}" for crawl_run, found in sorted(self.held.items()) for name, why in sorted(found.items())]

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
                "layouts": tuple(data.get("layouts", ())),
                "ingested_at": datetime.fromisoformat(data["ingested_at"]),
            }
        )

    def equation(self) -> str:
        """The equation of records and outcomes, as one line of text."""
        return f"{self.records:,} = " + " + ".join(f"{getattr(self, name):,} {name}" for name in OUTCOMES)

    def unclaimed_lines(self) -> list[str]:
        """A line about each kind of items that no dataset takes."""
        return [f"{one['count']:,} in quarantine: {kind}. One is on {one['url']}" for kind, one in sorted(self.unclaimed.items())]

    def layout_lines(self) -> list[str]:
        """A line about each host whose layout has changed."""
        return [f"layout changed: {line}" for line in self.layouts]

    def without_rows(self) -> list[str]:
        """A sentence about each dataset that got no row, although pages were read for it; what is held back is no such dataset."""
        held = {name for found in self.held.values() for name in found}
        return [_no_rows(name, found) for name, found in self.unused.items() if name not in held and not self.datasets[name]["made"]]

    def unreadable(self) -> list[str]:
        """The datasets that got no row because pages could not be read for them."""
        return [name for name, found in self.unused.items() if found["errors"] and not self.datasets[name]["made"]]

    def text(self) -> str:
        """The report in a few lines."""
        lines = [
            f"{self.crawl}: {plural(len(self.crawl_runs), 'crawl run')} processed as {self.process_run} (sequence {self.sequence})",
            f"  records: {self.equation()}",
        ]
        lines += [f"  {count:6,d}  {reason}" for reason, count in sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))]
        lines += [f"  {name}: {_rows_text(counts)}" for name, counts in self.datasets.items() if name != "articles"]
        lines += [f"  {sentence}" for sentence in self.without_rows()]
        lines += [f"  held back: {sentence}" for sentence in self.held_sentences()]
        lines += [f"  canonical URLs: {line}" for line in self.canonical]
        lines += [f"  {line}" for line in (*self.layout_lines(), *self.unclaimed_lines())]
        return "\n".join(lines)


def _rows_text(counts: Mapping[str, int]) -> str:
    return f"{plural(counts['made'], 'row')} = " + " + ".join(
        f"{counts[name]:,} {name}" for name in ("published", "unchanged", "quarantined")
    )


def _no_rows(name: str, pages: Mapping[str, Any]) -> str:
    """Why a dataset got no row, and what to do."""
    found = [f"{plural(pages['no_rows'], 'page', 'has', 'have')} none"] if pages["no_rows"] else []
    if pages["errors"]:
        found.append(f"{pages['errors']:,} could not be read, one because of {pages['error']}")
    return f"{name}: no rows: {', '.join(found)}. `crawlhouse check` shows what the pages give."


def report_of(run: ProcessRun, rows: Sequence[Mapping[str, Any]]) -> RunReport:
    """The report of a published run, from its rows of the table `runs`. Raises StorageError without rows."""
    if not rows:
        raise StorageError(f"{run.process_run} is published, but its rows in the table 'runs' are gone. Restore the lake or its catalog.")
    totals = {name: sum(int(row[name]) for row in rows) for name in ("records", *OUTCOMES)}
    reasons: Counter[str] = Counter()
    canonical: list[str] = []
    layouts: list[str] = []
    for row in rows:
        statistics = json.loads(row["statistics"])
        layouts += [change_sentence(found) for found in (statistics.get(LAYOUTS) or {}).get("changed", ())]
        reasons.update(statistics["reasons"])
        canonical += [sentence(found) for found in statistics.get("canonical", {}).get("hosts", ())]
    datasets: dict[str, Counter[str]] = {}
    for counts in (dict(found) for row in rows for found in row["datasets"] or ()):
        datasets.setdefault(counts.pop("dataset"), Counter()).update(counts)
    unclaimed: dict[str, UnclaimedItems] = {}
    unused: dict[str, UnusedPages] = {}
    for row in rows:
        for name, pages in json.loads(row["statistics"]).get("unused", {}).items():
            unused.setdefault(name, UnusedPages()).add(**pages)
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
        held={row["crawl_run"]: held for row in rows if (held := json.loads(row["statistics"]).get(HELD))},
        canonical=tuple(canonical),
        layouts=tuple(layouts),
        unclaimed={kind: asdict(one) for kind, one in sorted(unclaimed.items())},
        unused={name: asdict(pages) for name, pages in sorted(unused.items())},
    )
