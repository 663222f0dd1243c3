"""How workers share a large frontier: 10,000 hosts on 2, 4 and 8 processes, and a run with a million URLs that is planned and closed.

The processes lease hosts, read their URLs and register them, as workers do; nothing is fetched. Reported are the CPU of these calls per
page and the smallest and largest part of a process, beside the fair part. All processes are on one machine, so this says what sharing
costs, not how much faster more machines are. Memory is the peak of a process that plans, and of one that closes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import create_engine, text

from benchmarks.inputs.frontierload import load
from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.outcomes import FetchOutcome
from schemas.runs import CrawlRun
from spiders.run import close
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.records import Discovery, FetchResult, Lease, RunPhase

HOSTS, URLS_PER_HOST, PLANNED_URLS = 10_000, 3, 1_000_000
PROCESSES = (2, 4, 8)
SEGMENT_PAGES = 192  # registered at once, as a worker with 64 hosts does
CRAWL = Crawl(name="bench", seeds=(Seed(url="https://host-0.example/"),))
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """What one process did: pages registered, CPU seconds."""

    pages: int
    seconds: float


def _discovery(index: int, urls_per_host: int = URLS_PER_HOST) -> Discovery:
    return Discovery(f"https://host-{index // urls_per_host}.example/news/2026/11/an-article-of-usual-length-{index}.html", depth=2)


def _planned(settings: Settings, key: str) -> str:
    frontier = open_frontier(settings)
    run = frontier.plan(CrawlRun(f"bench-{key}", CRAWL, key, datetime.now(UTC), "1", "hash"), [_discovery(0)]).crawl_run
    frontier.close()
    return run


def _work(settings: Settings, run: str, worker: str, workers: int) -> Part:
    """Lease, read, register and release until the run has no more."""
    frontier = open_frontier(settings)
    attempt, _ = frontier.join(run, worker)
    while len(frontier.workers(run)) < workers:  # the start of a process is not measured
        time.sleep(0.05)
    begun, pages = time.process_time(), 0
    while frontier.state(run).phase is not RunPhase.DRAINED:
        share = frontier.host_share(run, worker, 0)
        leases = frontier.lease_hosts(run, worker, attempt, share.room, 0) if share.room else []
        pages += _register(frontier, run, worker, leases)
        frontier.release(dict.fromkeys(leases, 0.0))
        if not leases:
            time.sleep(0.05)
    frontier.leave(run, worker, attempt)
    frontier.close()
    return Part(pages, time.process_time() - begun)


def _register(frontier: Frontier, run: str, worker: str, leases: list[Lease]) -> int:
    now = time.time()
    due = [url for lease in leases for url in frontier.due_urls(run, lease, 100)]
    for start in range(0, len(due), SEGMENT_PAGES):
        some = due[start : start + SEGMENT_PAGES]
        results = [
            FetchResult(url.url_id, url.host_id, FetchOutcome.FETCHED, status=200, fetched_at=now, due_at=now + 3600) for url in some
        ]
        frontier.register(run, worker, leases, results)
    return len(due)


def measure_sharing(settings: Settings, processes: int) -> list[Part]:
    """Share the hosts among so many processes."""
    run = _planned(settings, f"sharing-{processes}")
    load(settings, run, f"bench{processes}", (_discovery(index) for index in range(HOSTS * URLS_PER_HOST)))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context) as pool:
        return [part.result() for part in [pool.submit(_work, settings, run, f"w{number}", processes) for number in range(processes)]]


def _measured(step: Callable[[Settings, str], object], settings: Settings, name: str) -> tuple[float, float, float]:
    begun, cpu = time.perf_counter(), time.process_time()
    step(settings, name)
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return time.perf_counter() - begun, time.process_time() - cpu, int(peak[1]) / 1024 if peak else 0.0


def _close(settings: Settings, run: str) -> object:
    return close(run, settings)


def measure_planning(settings: Settings) -> dict[str, tuple[float, float, float]]:
    """Close a run with a million URLs, and plan the next one, which takes them all. Seconds, CPU seconds, megabytes."""
    run, context, measured = _planned(settings, "first"), multiprocessing.get_context("spawn"), {}
    load(settings, run, CRAWL.name, (_discovery(index, PLANNED_URLS // HOSTS) for index in range(1, PLANNED_URLS)))
    for name, step, given in (("close", _close, run), ("plan", _planned, "second")):
        with ProcessPoolExecutor(1, context) as pool:
            measured[name] = pool.submit(_measured, step, settings, given).result()
    return measured


def main() -> None:
    """Measure on SQLite, or on the PostgreSQL of `--database`, whose tables must be empty."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sharing")
    parser.add_argument("--database", default="", help="an empty PostgreSQL, as CRAWLHOUSE_DATABASE")
    parser.add_argument("--no-planning", action="store_true", help="leave out the run with a million URLs")
    given = parser.parse_args()
    for processes in PROCESSES:
        with tempfile.TemporaryDirectory() as folder:
            parts = measure_sharing(_empty(folder, given.database), processes)
        fair = sum(part.pages for part in parts) / processes
        milliseconds = 1000 * sum(part.seconds for part in parts) / sum(part.pages for part in parts)
        low, high = (extreme(part.pages for part in parts) / fair for extreme in (min, max))
        print(f"{processes} processes: {milliseconds:.2f} ms of CPU a page; each had {low:.2f} to {high:.2f} of its fair part", flush=True)
    if not given.no_planning:
        with tempfile.TemporaryDirectory() as folder:
            for name, (seconds, cpu, megabytes) in measure_planning(_empty(folder, given.database)).items():
                print(f"{name} of {PLANNED_URLS:,} URLs: {seconds:.0f} s, {cpu:.0f} s of CPU, {megabytes:.0f} MB", flush=True)


def _empty(folder: str, database: str) -> Settings:
    if database:
        settings = Settings(home=Path(folder), crawls=Path(folder), database=database)
        engine = create_engine(settings.database_url("frontier"))
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
        return settings
    return Settings(home=Path(folder), crawls=Path(folder))


if __name__ == "__main__":
    main()
