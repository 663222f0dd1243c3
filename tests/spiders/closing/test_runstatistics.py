"""The numbers of a run with more hosts than are listed by name: totals are exact, the listed ones are those with most URLs and errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.outcomes import FetchOutcome
from schemas.runs import CrawlRun
from spiders.closing import run_statistics
from spiders.closing.run_statistics import RunCounter
from spiders.spool import statistics
from spiders.spool.statistics import WorkerStatistics
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.records import Discovery, FetchResult
from tests.storage.captures import PLAIN
from tests.storage.warc.test_warcwriter import segment

URLS = {"a": 5, "b": 4, "c": 3, "d": 2, "e": 1}
CRAWL = parse_crawl("seeds: [https://a.example/0]", "news")


@pytest.fixture
def frontier(settings: Settings) -> Iterator[Frontier]:
    frontier = open_frontier(settings)
    yield frontier
    frontier.close()


def planned(frontier: Frontier) -> str:
    """A run in which every first page of a host was fetched."""
    found = [Discovery(f"https://{host}.example/{number}") for host, count in URLS.items() for number in range(count)]
    run = frontier.plan(CrawlRun("news-1", CRAWL, "1", datetime.now(UTC), "1", "hash"), found).crawl_run
    attempt, _ = frontier.join(run, "w")
    leases = frontier.lease_hosts(run, "w", attempt, 10)
    first = [frontier.due_urls(run, lease, 1)[0] for lease in leases]
    results = [FetchResult(url.url_id, url.host_id, FetchOutcome.FETCHED, status=200, fetched_at=1.0, due_at=2.0) for url in first]
    frontier.register(run, "w", leases, results)
    return run


def test_totals_are_exact_and_the_worst_hosts_are_listed(frontier: Frontier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """d has few URLs but many errors; b, c and e are counted without their names; r only has a robots.txt that another host led to."""
    monkeypatch.setattr(run_statistics, "MAX_HOSTS", 2)
    monkeypatch.setattr(run_statistics, "NAMES_AT_ONCE", 2)
    run = planned(frontier)
    workers = [WorkerStatistics(crawl_run=run, worker=name, max_memory_bytes=7, opt_outs=Counter(noindex=1)) for name in "vw"]
    for worker, errors in zip(workers, (3, 2), strict=True):
        worker.errors, worker.retries, worker.host("d.example").errors, worker.host("d.example").retries = errors, 1, errors, 1
    (row,) = segment(tmp_path / "a.warc.gz", PLAIN).rows
    rows = [replace(row, url=f"https://{host}.example/", content_length=10, latency_ms=1, fetch_status=200) for host in "aabcder"]
    counter = RunCounter(frontier, run, workers)
    assert list(counter.watch(rows)) == rows
    found = counter.statistics(items=4)
    assert (found.responses, found.bytes, found.latency_ms, found.errors, found.retries, found.items) == (7, 70, 7, 5, 2, 4)
    assert (found.statuses, found.opt_outs, found.host_count, found.max_memory_bytes) == ({"200": 7}, {"noindex": 2}, 6, 7)
    a, d = found.hosts["a.example"], found.hosts["d.example"]
    assert list(found.hosts) == ["a.example", "d.example"]
    assert (a.due, a.left_over, a.responses, a.errors, a.reasons) == (5, 4, 2, 0, {"fetched": 1})
    assert (d.due, d.left_over, d.responses, d.errors, d.retries, d.reasons) == (2, 1, 1, 5, 2, {"fetched": 1})


def test_with_few_hosts_all_are_listed(frontier: Frontier, tmp_path: Path) -> None:
    run = planned(frontier)
    (row,) = segment(tmp_path / "a.warc.gz", PLAIN).rows
    counter = RunCounter(frontier, run, [])
    list(counter.watch(replace(row, url=f"https://{host}.example/") for host in "ar"))
    found = counter.statistics()
    assert sorted(found.hosts) == [f"{host}.example" for host in "abcder"]
    assert (found.host_count, found.hosts["r.example"].responses, found.hosts["b.example"].due) == (6, 1, 4)


def test_a_worker_lists_the_hosts_with_most_troubles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "MAX_HOSTS", 10)
    counted = WorkerStatistics(crawl_run="r", worker="w")
    counted.host("bad.example").errors = 5
    for number in range(100):
        counted.host(f"h{number}.example").errors += 1
    assert len(counted.hosts) <= 10
    assert counted.hosts["bad.example"].errors == 5
