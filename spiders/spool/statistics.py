"""What a worker counted, as JSON: its end, its error and its numbers. An exit code says too little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from heapq import nlargest
from pathlib import Path

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from schemas.keys import statistics_key
from schemas.numbers import plural
from schemas.printable import printable
from storage.objects.store import ObjectStore

MAX_HOSTS = 10_000  # listed by name; twenty times as many as a manifest lists


class HostErrorCounts(BaseModel):
    """What leaves no record in the archive: exchanges without a response (`errors`), and repeated requests (`retries`)."""

    model_config = ConfigDict(extra="forbid")

    errors: int = 0
    retries: int = 0


class WorkerStatistics(BaseModel):
    """A worker's counts. `finish_reason` is empty until it ended by itself; `error` is the error's class, `message` its text.

    `bytes` are of bodies as received; `outcomes` are keyed `outcome` or `outcome:reason`; `opt_outs` by opt-out.
    `sub_resources` are what a browser loaded for pages.
    Of a user's spider: `callback_errors` are keyed `callback: error`, `pipeline_errors` `process_item of pipeline: error`,
    `refused_requests` and `dropped_items` (by item pipelines) by reason. `refused_requests` has found URLs that are taken down, too.
    `hosts` has only those with troubles, and of more than MAX_HOSTS those with most. What was archived is counted from the capture index,
    so that a million hosts cost a worker nothing.
    """

    model_config = ConfigDict(extra="forbid")

    crawl_run: str
    worker: str
    attempt: int = Field(default=0, validation_alias=AliasChoices("attempt", "incarnation"))  # the second name: earlier releases
    finish_reason: str = ""
    error: str = ""
    message: str = ""
    responses: int = Field(default=0, validation_alias=AliasChoices("responses", "answers"))
    bytes: int = 0
    errors: int = 0
    retries: int = 0
    found: int = 0
    segments: int = 0
    robots: int = 0
    sub_resources: int = 0
    max_memory_bytes: int = 0
    statuses: Counter[str] = Field(default_factory=Counter)
    outcomes: Counter[str] = Field(default_factory=Counter)
    opt_outs: Counter[str] = Field(default_factory=Counter)
    callback_errors: Counter[str] = Field(default_factory=Counter)
    refused_requests: Counter[str] = Field(default_factory=Counter)
    pipeline_errors: Counter[str] = Field(default_factory=Counter)
    dropped_items: Counter[str] = Field(default_factory=Counter)
    hosts: dict[str, HostErrorCounts] = Field(default_factory=dict)

    def host(self, name: str) -> HostErrorCounts:
        """The counts of a host, which the caller changes."""
        if name not in self.hosts and len(self.hosts) >= MAX_HOSTS:
            most = nlargest(MAX_HOSTS // 2, self.hosts, key=lambda one: self.hosts[one].errors + self.hosts[one].retries)
            self.hosts = {one: self.hosts[one] for one in most}
        return self.hosts.setdefault(name, HostErrorCounts())

    def text(self) -> str:
        """A line for people about what the worker did."""
        became = ", ".join(f"{count:,} {name.replace(':', ' by ')}" for name, count in self.outcomes.most_common()) or "no URLs"
        return printable(
            f"{self.worker} ended as '{self.finish_reason}': {became}; {plural(self.responses, 'response')}, {self.bytes / 1e6:,.1f} MB,"
            f" {plural(self.errors, 'error')}, {plural(self.segments, 'segment')}"
            f"{_listed('errors in callbacks', self.callback_errors)}{_listed('requests refused', self.refused_requests)}"
            f"{_listed('errors in item pipelines', self.pipeline_errors)}{_listed('items dropped', self.dropped_items)}"
        )

    def write(self, path: Path) -> None:
        """Writes the JSON whole or not at all."""
        temporary = path.with_suffix(".part")
        temporary.write_text(self.model_dump_json(), encoding="utf-8")
        temporary.replace(path)


def _listed(title: str, counts: Mapping[str, int]) -> str:
    return f"; {title}: " + ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())) if counts else ""


def read_statistics(path: Path) -> WorkerStatistics | None:
    """A worker's statistics, or None if it wrote none."""
    try:
        return WorkerStatistics.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def store_statistics(statistics: WorkerStatistics, crawl: str, store: ObjectStore) -> None:
    """Store what a worker counted so far, so that it is kept if the worker crashes. Raises UnavailableError, StorageError."""
    key = statistics_key(crawl, statistics.crawl_run, statistics.worker, statistics.attempt)
    store.put_bytes(key, statistics.model_dump_json().encode())


def stored_statistics(crawl: str, crawl_run: str, workers: Mapping[str, int], store: ObjectStore) -> Iterator[WorkerStatistics]:
    """The stored statistics of each attempt of the workers (name -> how many attempts)."""
    for worker, attempts in sorted(workers.items()):
        for attempt in range(1, attempts + 1):
            key = statistics_key(crawl, crawl_run, worker, attempt)
            if store.info(key) is not None:
                yield WorkerStatistics.model_validate_json(store.get_bytes(key))
