"""The numbers of a run, at its close: exact ones from capture index and frontier, and errors as its workers counted them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

from schemas.manifest import FetchStatistics, HostCounts
from spiders.spool.statistics import WorkerStatistics
from storage.frontier.records import BudgetShortfall, HostOutcomes
from storage.index.rows import CaptureRow
from storage.urls.host_key import canonical_host

MAX_HOSTS = 500
NOTHING_LEFT = BudgetShortfall(0, 0, 0)


@dataclass(slots=True)
class _Tally:
    responses: int = 0
    bytes: int = 0
    latency_ms: int = 0
    errors: int = 0
    retries: int = 0
    statuses: Counter[str] = field(default_factory=Counter)


class RunCounter:
    """Counts a run's capture rows, and adds what its workers counted."""

    def __init__(self, outcomes: Mapping[str, HostOutcomes], shortfall: BudgetShortfall = NOTHING_LEFT) -> None:
        self._outcomes = outcomes
        self._shortfall = shortfall
        self._hosts: dict[str, _Tally] = {}
        self._opt_outs: Counter[str] = Counter()
        self._callback_errors: Counter[str] = Counter()
        self._refused_requests: Counter[str] = Counter()
        self._pipeline_errors: Counter[str] = Counter()
        self._dropped_items: Counter[str] = Counter()
        self._max_memory_bytes = 0

    def watch(self, rows: Iterable[CaptureRow]) -> Iterator[CaptureRow]:
        """The same rows, counted."""
        for row in rows:
            if row.record_type == "conversion":  # made by the browser, no response of the site
                yield row
                continue
            tally = self._tally(canonical_host(row.url))
            tally.responses += 1
            tally.bytes += row.content_length or 0
            tally.latency_ms += row.latency_ms or 0
            tally.statuses[str(row.fetch_status)] += 1
            yield row

    def add_worker(self, counted: WorkerStatistics) -> None:
        """Add what one attempt of a worker counted and the archive does not contain."""
        for name, troubles in counted.hosts.items():
            tally = self._tally(name)
            tally.errors += troubles.errors
            tally.retries += troubles.retries
        self._opt_outs += counted.opt_outs
        self._callback_errors += counted.callback_errors
        self._refused_requests += counted.refused_requests
        self._pipeline_errors += counted.pipeline_errors
        self._dropped_items += counted.dropped_items
        self._max_memory_bytes = max(self._max_memory_bytes, counted.max_memory_bytes)

    def statistics(self, items: int = 0) -> FetchStatistics:
        """The numbers of the whole run. The hosts with most URLs and errors are listed by name. `items` counts the stored items."""
        names = self._outcomes.keys() | self._hosts.keys()
        hosts = {name: self._host(name) for name in names}
        chosen = sorted(names, key=lambda name: (-hosts[name].due - hosts[name].errors, name))[:MAX_HOSTS]
        statuses: Counter[str] = Counter()
        for host in hosts.values():
            statuses.update(host.statuses)
        return FetchStatistics(
            responses=sum(host.responses for host in hosts.values()),
            bytes=sum(host.bytes for host in hosts.values()),
            latency_ms=sum(host.latency_ms for host in hosts.values()),
            errors=sum(host.errors for host in hosts.values()),
            retries=sum(host.retries for host in hosts.values()),
            statuses=dict(sorted(statuses.items())),
            opt_outs=dict(sorted(self._opt_outs.items())),
            items=items,
            callback_errors=dict(sorted(self._callback_errors.items())),
            refused_requests=dict(sorted(self._refused_requests.items())),
            pipeline_errors=dict(sorted(self._pipeline_errors.items())),
            dropped_items=dict(sorted(self._dropped_items.items())),
            max_memory_bytes=self._max_memory_bytes,
            not_covered={kind: number for kind, number in asdict(self._shortfall).items() if number},
            host_count=len(names),
            hosts={name: hosts[name] for name in sorted(chosen)},
        )

    def _tally(self, host: str) -> _Tally:
        return self._hosts.setdefault(host, _Tally())

    def _host(self, name: str) -> HostCounts:
        tally = self._hosts.get(name, _Tally())
        outcomes = self._outcomes.get(name, HostOutcomes(0, 0, None))
        return HostCounts(
            due=outcomes.due,
            left_over=outcomes.left_over,
            stopped=outcomes.stopped,
            responses=tally.responses,
            bytes=tally.bytes,
            latency_ms=tally.latency_ms,
            errors=tally.errors,
            retries=tally.retries,
            statuses=dict(sorted(tally.statuses.items())),
            reasons=dict(sorted(outcomes.reasons.items())),
        )
