"""Which captures are processed again: whole crawl runs of a crawl, or single records of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from pyiceberg.expressions import EqualTo

from processing.quarantine.selection import QuarantineFilter, find_rows
from schemas.errors import ConflictError, NotFoundError
from schemas.runs import CrawlRun
from storage.lake.lake import Lake
from storage.lake.takedown import Takedowns
from storage.ledger.ledger import Ledger

PROCESS_RUN = re.compile(r"p-[0-9a-f]{16}")  # the id of a process run; a crawl may be called `p`
NONE_HIDDEN = Takedowns()

Records = dict[str, list[int]]  # the offsets of records by WARC file


@dataclass(frozen=True, slots=True)
class Selected:
    """Which captures of a crawl: those that fulfil every condition; all without any.

    `run` is a crawl run, or a process run for all of its crawl runs. `since` is when a crawl run was planned, at the earliest. `url` may
    have * for any text. `quarantined` are captures of which a row is in quarantine. `dataset` is the only one whose rows are made again.
    """

    run: str | None = None
    since: datetime | None = None
    url: str | None = None
    quarantined: bool = False
    dataset: str | None = None

    @property
    def is_of_records(self) -> bool:
        """Whether single records are meant, and not whole crawl runs."""
        return self.url is not None or self.quarantined


def chosen_runs(crawl: str, selected: Selected, ledger: Ledger) -> tuple[list[CrawlRun], list[str]]:
    """The published crawl runs that are meant, in the order of their names, and the names of those that are not processed yet.

    Raises NotFoundError for an unknown crawl or run, ConflictError for a run that is named and is not processed yet.
    """
    known = {run.crawl_run: run for run in ledger.crawl_runs(crawl)}
    if not known:
        raise NotFoundError(f"There is no crawl run of {crawl!r}: nothing was fetched. `crawlhouse crawl {crawl}` begins one.")
    new = set(ledger.closed_unpublished(crawl))
    closed = {run.crawl_run for run in ledger.crawl_runs(crawl, "closed")}
    names = _named(crawl, selected.run, known, closed - new, ledger) if selected.run is not None else closed
    names = {name for name in names if selected.since is None or known[name].planned_at >= selected.since}
    return [known[name] for name in sorted(names - new)], sorted(names & new)


def _named(crawl: str, run: str, known: Mapping[str, CrawlRun], published: Collection[str], ledger: Ledger) -> set[str]:
    names = set(ledger.process_run(run).crawl_runs) if PROCESS_RUN.fullmatch(run) else {run}
    for name in sorted(names):
        if name not in known:
            raise NotFoundError(f"{crawl} has no run {name!r}. `crawlhouse query 'FROM runs'` shows all that are published.")
        if name not in published:
            raise ConflictError(f"{name} is not processed yet. `crawlhouse process {crawl}` does that, once it is closed.")
    return names


def capture_states(crawl: str, lake: Lake) -> dict[str, frozenset[str]]:
    """By crawl run: the process runs that the rows of its captures are from."""
    found: dict[str, set[str]] = {}
    where = EqualTo("crawl", crawl)  # type: ignore[call-arg]
    for batch in lake.scan("captures", ["crawl_run", "process_run"], where):
        pairs = set(zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True))
        for crawl_run, process_run in pairs:
            found.setdefault(crawl_run, set()).add(process_run)
    return {crawl_run: frozenset(names) for crawl_run, names in found.items()}


def chosen_records(crawl: str, selected: Selected, crawl_runs: Collection[str], done: Collection[str], lake: Lake) -> dict[str, Records]:
    """The records that are meant, by crawl run. Those whose rows are from the process runs `done` are left out."""
    found: dict[str, dict[str, set[int]]] = {}
    wanted, finished = set(crawl_runs), set(done)
    quarantined = _quarantined(crawl, selected, lake) if selected.quarantined else None
    pattern = None if selected.url is None else selected.url.replace("[", "[[]").replace("?", "[?]")
    columns = ["url", "crawl_run", "process_run", "warc_filename", "warc_record_offset"]
    for batch in lake.scan("captures", columns, EqualTo("crawl", crawl)):  # type: ignore[call-arg]
        for url, crawl_run, process_run, name, offset in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if crawl_run not in wanted or process_run in finished or (pattern is not None and not fnmatchcase(url, pattern)):
                continue
            if quarantined is None or (name, offset) in quarantined:
                found.setdefault(crawl_run, {}).setdefault(name, set()).add(offset)
    return {crawl_run: {name: sorted(offsets) for name, offsets in sorted(files.items())} for crawl_run, files in sorted(found.items())}


def _quarantined(crawl: str, selected: Selected, lake: Lake) -> set[tuple[str, int]]:
    rows = find_rows(lake, QuarantineFilter(crawl, selected.dataset, url=selected.url), NONE_HIDDEN)
    return {(row.place[0], row.place[1]) for row in rows}
