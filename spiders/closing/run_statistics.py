"""The numbers of a run, at its close: exact ones from capture index and frontier, and errors as its workers counted them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from heapq import nsmallest

from schemas.manifest import FetchStatistics, HostCounts
from spiders.spool.statistics import WorkerStatistics
from storage.frontier.frontier import Frontier
from storage.frontier.records import HostOutcomes
from storage.index.rows import CaptureRow
from storage.urls.host_key import canonical_host

MAX_HOSTS = 500
MAX_HOSTS_WITH_ERRORS = 50_000  # of all workers together, each of which lists some thousands
WORKERS_COUNTS = ("opt_outs", "callback_errors", "refused_requests", "pipeline_errors", "dropped_items")
NAMES_AT_ONCE = 5_000  # hosts of captures that are looked up together: some megabytes


@dataclass(slots=True)
class _Tally:
    responses: int = 0
    bytes: int = 0
    latency_ms: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    def add(self, row: CaptureRow) -> None:
        self.responses += 1
        self.bytes += row.content_length or 0
        self.latency_ms += row.latency_ms or 0
        self.statuses[str(row.fetch_status)] += 1


class RunCounter:
    """Counts a run's capture rows, and adds what its workers counted.

    Its memory does not grow with the run's hosts: only those with most URLs and errors are counted by name.
    """

    def __init__(self, frontier: Frontier, crawl_run: str, workers: Iterable[WorkerStatistics]) -> None:
        self._frontier, self._crawl_run = frontier, crawl_run
        self._sums: dict[str, Counter[str]] = {name: Counter() for name in WORKERS_COUNTS}
        self._max_memory_bytes = self._errors = self._retries = 0
        self._errors_by_host: Counter[str] = Counter()
        self._retries_by_host: Counter[str] = Counter()
        for counted in workers:
            self._add_worker(counted)
        self._all = _Tally()
        self._unchecked: set[str] = set()
        self._without_urls: set[str] = set()
        self._hosts = {name: _Tally() for name in self._chosen_hosts()}

    def watch(self, rows: Iterable[CaptureRow]) -> Iterator[CaptureRow]:
        """The same rows, counted."""
        for row in rows:
            if row.record_type != "conversion":  # made by the browser, no response of the site
                self._count(canonical_host(row.url) if row.url else "", row)
            yield row

    def statistics(self, items: int = 0) -> FetchStatistics:
        """The numbers of the whole run. The hosts with most URLs and errors are listed by name. `items` counts the stored items."""
        self._look_up()
        outcomes = self._frontier.host_outcomes(self._crawl_run, self._hosts)
        shortfall = self._frontier.budget_shortfall(self._crawl_run)
        return FetchStatistics(
            responses=self._all.responses,
            bytes=self._all.bytes,
            latency_ms=self._all.latency_ms,
            errors=self._errors,
            retries=self._retries,
            statuses=dict(sorted(self._all.statuses.items())),
            items=items,
            max_memory_bytes=self._max_memory_bytes,
            not_covered={kind: number for kind, number in asdict(shortfall).items() if number},
            host_count=self._frontier.count_hosts(self._crawl_run) + len(self._without_urls),
            hosts={name: self._host(name, outcomes.get(name, HostOutcomes(0, 0, None))) for name in sorted(self._hosts)},
            **{name: dict(sorted(counts.items())) for name, counts in self._sums.items()},
        )

    def _add_worker(self, counted: WorkerStatistics) -> None:
        """Add what one attempt of a worker counted and the archive does not contain."""
        self._errors += counted.errors
        self._retries += counted.retries
        for name, troubles in counted.hosts.items():
            self._errors_by_host[name] += troubles.errors
            self._retries_by_host[name] += troubles.retries
        if len(self._errors_by_host) > MAX_HOSTS_WITH_ERRORS:
            self._errors_by_host = Counter(dict(self._errors_by_host.most_common(MAX_HOSTS_WITH_ERRORS // 2)))
            self._retries_by_host = Counter({name: self._retries_by_host[name] for name in self._errors_by_host})
        for name, counts in self._sums.items():
            counts.update(getattr(counted, name))
        self._max_memory_bytes = max(self._max_memory_bytes, counted.max_memory_bytes)

    def _chosen_hosts(self) -> list[str]:
        """The hosts with most URLs and errors. One without errors can only be among them if it is among those with most URLs."""
        due = self._frontier.busiest_hosts(self._crawl_run, MAX_HOSTS)
        due |= self._frontier.due_by_host(self._crawl_run, self._errors_by_host.keys() - due.keys())
        self._without_urls.update(self._errors_by_host.keys() - due.keys())
        names = due.keys() | self._errors_by_host.keys()
        return nsmallest(MAX_HOSTS, names, key=lambda name: (-due.get(name, 0) - self._errors_by_host[name], name))

    def _count(self, name: str, row: CaptureRow) -> None:
        """Count a row of a host; an erased one has no name of it."""
        self._all.add(row)
        if not name:
            return
        if name not in self._hosts:
            self._unchecked.add(name)
            if len(self._hosts) < MAX_HOSTS:
                self._hosts[name] = _Tally()
        if name in self._hosts:
            self._hosts[name].add(row)
        if len(self._unchecked) >= NAMES_AT_ONCE:
            self._look_up()

    def _look_up(self) -> None:
        """Find the hosts that have captures but no URLs, as by a robots.txt that redirects."""
        known = self._frontier.due_by_host(self._crawl_run, self._unchecked)
        self._without_urls.update(self._unchecked - known.keys())
        self._unchecked.clear()

    def _host(self, name: str, outcomes: HostOutcomes) -> HostCounts:
        tally = self._hosts[name]
        return HostCounts(
            due=outcomes.due,
            left_over=outcomes.left_over,
            stopped=outcomes.stopped,
            responses=tally.responses,
            bytes=tally.bytes,
            latency_ms=tally.latency_ms,
            errors=self._errors_by_host[name],
            retries=self._retries_by_host[name],
            statuses=dict(sorted(tally.statuses.items())),
            reasons=dict(sorted(outcomes.reasons.items())),
        )
