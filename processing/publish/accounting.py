"""Check the equations of a run: every record has exactly one outcome, and the tables have as many rows as the outcomes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from processing.publish.layouts import LAYOUTS, Layouts
from processing.resolve.canonical_counts import CanonicalCounts
from schemas.errors import AccountingError
from schemas.manifest import Manifest
from schemas.numbers import plural
from schemas.outcomes import Outcome

ARTICLES = "articles"
_COUNTED_AS = {
    str(Outcome.PUBLISHED): "published",
    str(Outcome.DUPLICATE): "published",
    str(Outcome.KNOWN): "unchanged",
    str(Outcome.QUARANTINED): "quarantined",
}  # what becomes of an article's row, by its outcome; a rejected record made none


@dataclass(slots=True)
class RowCounts:
    """How many rows were made for a dataset, and what became of them: made = published + unchanged + quarantined."""

    made: int = 0
    published: int = 0
    unchanged: int = 0
    quarantined: int = 0

    def add(self, made: int = 0, published: int = 0, unchanged: int = 0, quarantined: int = 0) -> None:
        """Count further rows."""
        self.made += made
        self.published += published
        self.unchanged += unchanged
        self.quarantined += quarantined

    def is_balanced(self) -> bool:
        """Whether the equation holds."""
        return self.made == self.published + self.unchanged + self.quarantined


@dataclass(slots=True)
class UnclaimedItems:
    """Items of one kind that no dataset takes: how many, and the URL of the page of one of them. They are in quarantine."""

    count: int = 0
    url: str = ""

    def add(self, count: int, url: str) -> None:
        """Count further items."""
        self.count += count
        self.url = self.url or url


@dataclass(slots=True)
class UnusedPages:
    """Pages that gave a dataset no row although they were read: those without any, those that could not be read, and why one of them."""

    no_rows: int = 0
    errors: int = 0
    error: str | None = None

    def add(self, no_rows: int = 0, errors: int = 0, error: str | None = None) -> None:
        """Count further pages."""
        self.no_rows += no_rows
        self.errors += errors
        self.error = self.error or error


@dataclass(slots=True)
class RunCounts:
    """How many records of one crawl run have each outcome, reason, HTTP status and host."""

    records: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    rows: dict[str, RowCounts] = field(default_factory=dict, kw_only=True)  # by dataset
    canonical: CanonicalCounts | None = field(default=None, kw_only=True)  # None where no page claims another URL than its own
    layouts: Layouts | None = field(default=None, kw_only=True)  # None where no host had enough pages
    unclaimed: dict[str, UnclaimedItems] = field(default_factory=dict, kw_only=True)  # by what they are
    unused: dict[str, UnusedPages] = field(default_factory=dict, kw_only=True)  # by dataset

    def outcome(self, outcome: Outcome) -> int:
        """How many records have this outcome."""
        return self.outcomes[str(outcome)]

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain JSON values, sorted, so that equal counts give equal bytes."""
        counts: dict[str, Any] = {"records": self.records}
        for name in ("outcomes", "reasons", "statuses", "hosts"):
            counts[name] = dict(sorted(getattr(self, name).items()))
        counts["rows"] = {name: asdict(rows) for name, rows in sorted(self.rows.items())}
        if self.canonical is not None:
            counts["canonical"] = self.canonical
        if self.layouts is not None:
            counts[LAYOUTS] = self.layouts
        counts["unclaimed"] = {name: asdict(items) for name, items in sorted(self.unclaimed.items())}
        counts["unused"] = {name: asdict(pages) for name, pages in sorted(self.unused.items())}
        return counts

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RunCounts:
        """The counts that `to_dict` made."""
        counters = (Counter(data[name]) for name in ("outcomes", "reasons", "statuses", "hosts"))
        counts = cls(data["records"], *counters)
        counts.rows = {name: RowCounts(**found) for name, found in data.get("rows", {}).items()}
        counts.canonical = data.get("canonical")
        counts.layouts = data.get(LAYOUTS)
        counts.unclaimed = {name: UnclaimedItems(**found) for name, found in data.get("unclaimed", {}).items()}
        counts.unused = {name: UnusedPages(**found) for name, found in data.get("unused", {}).items()}
        return counts


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


def check_run(manifest: Manifest, counts: RunCounts, selected: int | None = None) -> None:
    """Raise AccountingError unless the equations of one crawl run hold. `selected` is how many of its records are processed, if not all."""
    registered = sum(segment.records for segment in manifest.segments) if selected is None else selected
    by_outcome = {outcome: counts.outcome(outcome) for outcome in Outcome}
    if set(counts.outcomes) - {str(outcome) for outcome in Outcome} or counts.records != sum(by_outcome.values()):
        raise AccountingError(f"{manifest.crawl_run}: {plural(counts.records, 'record')}, but their outcomes are {dict(counts.outcomes)}.")
    if registered != counts.records:
        processed = f"{counts.records:,} {'was' if counts.records == 1 else 'were'} processed"
        raise AccountingError(
            f"{manifest.crawl_run}: its segments registered {plural(registered, 'record')}, but {processed}. "
            "Nothing was published; run extract again for this run."
        )
    if not manifest.counts.balanced():
        raise AccountingError(f"{manifest.crawl_run}: due is not the sum of the outcomes of its URLs: {manifest.counts.model_dump()}.")


def count_articles(outcomes: pa.Table, counts: dict[str, RunCounts]) -> None:
    """Add the rows of articles to the counts of their crawl runs, from the columns `crawl_run` and `outcome` of their decisions."""
    for crawl_run, outcome in zip(*outcomes.select(["crawl_run", "outcome"]).to_pydict().values(), strict=True):
        rows = counts[crawl_run].rows.setdefault(ARTICLES, RowCounts())
        if outcome in _COUNTED_AS:
            rows.add(**{"made": 1, _COUNTED_AS[outcome]: 1})


def check_tables(counts: Sequence[RunCounts], staged: Mapping[str, int], made: Mapping[str, int]) -> None:
    """Raise AccountingError unless every dataset's rows add up, and the staged tables have as many rows as the counts say.

    `staged` is the number of rows of each staged table, `made` the number of rows that extraction made for a dataset.
    """
    totals: dict[str, RowCounts] = {}
    for name, rows in ((name, rows) for found in counts for name, rows in found.rows.items()):
        totals.setdefault(name, RowCounts()).add(**asdict(rows))
    for name, rows in totals.items():
        if not rows.is_balanced() or rows.made != made.get(name, rows.made):
            raise AccountingError(
                f"The dataset '{name}' has {made.get(name, rows.made)} rows made, but {asdict(rows)}. Nothing was published."
            )
    expected = {name: rows.published for name, rows in totals.items()}
    expected |= {"quarantine": sum(rows.quarantined for rows in totals.values()), "captures": sum(found.records for found in counts)}
    for name, rows_of_table in expected.items():
        if staged.get(name, 0) != rows_of_table:
            raise AccountingError(
                f"The staged table '{name}' has {staged.get(name, 0)} rows where the outcomes say {rows_of_table}. Nothing was published."
            )
