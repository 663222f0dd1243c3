"""A run in numbers: exact although a worker died, and clear about which host went wrong."""

import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import ThresholdError
from schemas.manifest import FetchCounts, FetchStatistics, HostCounts, Manifest
from spiders.closing.thresholds import check_thresholds
from spiders.progress import ProgressLine
from spiders.run import close, plan
from spiders.spool.statistics import WorkerStatistics
from storage.frontier.frontier import open_frontier
from storage.frontier.records import RunPhase, RunState
from storage.urls.host_key import canonical_host
from tests.demosite import DemoSite
from tests.spiders.session.test_pagebudget import END_SECONDS, start
from tests.spiders.worker.test_run import demo_crawl, rows_of

pytestmark = pytest.mark.xdist_group("demo")


@pytest.mark.chaos
def test_the_numbers_are_those_of_the_archive_though_a_worker_was_killed(demo_site: DemoSite, settings: Settings, tmp_path: Path) -> None:
    run = plan(
        demo_crawl(demo_site, f"budgets: {{max_retries: 1}}\nscope: {{hosts: ['{demo_site.bases[0][7:]}']}}"), "k", settings
    ).crawl_run
    frontier = open_frontier(settings)
    first = start(run, "w1", settings, tmp_path)
    while frontier.state(run).responses < 30:
        time.sleep(0.05)
    _kill(first)
    assert start(run, "w1", settings, tmp_path).wait(END_SECONDS) == 0
    frontier.close()
    manifest = close(run, settings)
    rows, found = rows_of(manifest, settings), manifest.statistics
    assert found.responses == len(rows)
    assert found.bytes == sum(row.content_length or 0 for row in rows)
    assert sum(found.statuses.values()) == len(rows)
    assert found.statuses["200"] == sum(row.fetch_status == 200 for row in rows)
    assert set(found.hosts) >= {canonical_host(row.url) for row in rows}
    assert sum(host.due for host in found.hosts.values()) == manifest.counts.due
    reached = [reason for host in found.hosts.values() for reason in host.reasons.items()]
    assert sum(count for reason, count in reached if reason.startswith("fetched")) == manifest.counts.fetched
    assert found.max_memory_bytes > 0


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(END_SECONDS)


def closed(hosts: dict[str, HostCounts], **counts: int) -> Manifest:
    moment = datetime.now(UTC)
    return Manifest(
        crawl_run="news-1",
        crawl="news",
        code_version="1",
        config_hash="h",
        planned_at=moment,
        closed_at=moment,
        finish_reason="finished",
        counts=FetchCounts(**counts),
        reasons={},
        segments=(),
        statistics=FetchStatistics(hosts=hosts),
    )


def test_a_threshold_names_the_worst_host_and_its_reasons() -> None:
    crawl = parse_crawl("seeds: [https://a.example/]\nthresholds: {max_error_rate: 0.1}\n", "news")
    hosts = {
        "a.example": HostCounts(due=90, reasons={"fetched": 88, "failed:timeout": 2}),
        "b.example": HostCounts(due=20, left_over=8, stopped="failures", reasons={"failed:timeout": 3, "failed:dns": 9}),
    }
    expected = r"Worst was b\.example: failed by dns \(9\), failed by timeout \(3\) of its 20 URLs, 8 left over because of failures\."
    with pytest.raises(ThresholdError, match=expected):
        check_thresholds(crawl, closed(hosts, due=110, fetched=88, failed=14, left_over=8))
    check_thresholds(crawl, closed(hosts, due=100, fetched=98, failed=2))


def test_a_run_that_ended_at_the_quota_says_what_to_do() -> None:
    crawl = parse_crawl("seeds: [https://a.example/]\nthresholds: {min_pages: 5}\n", "news")
    with pytest.raises(ThresholdError, match=r"ended as 'quota': .*CRAWLHOUSE_MIN_FREE_BYTES free\. Free some space"):
        check_thresholds(crawl, closed({}).model_copy(update={"finish_reason": "quota"}))


def test_a_host_that_is_down_counts_as_errors_although_its_robots_file_denies_it() -> None:
    crawl = parse_crawl("seeds: [https://a.example/]\nthresholds: {max_error_rate: 0.1}\n", "news")
    hosts = {
        "a.example": HostCounts(due=8, reasons={"fetched": 8}),
        "b.example": HostCounts(due=2, reasons={"denied:robots_unreachable": 2}),
    }
    manifest = closed(hosts, due=10, fetched=8, denied=2)
    with pytest.raises(ThresholdError, match=r"2 of 10 fetches failed.*Worst was b\.example: denied by robots_unreachable \(2\) of its 2"):
        check_thresholds(crawl, manifest.model_copy(update={"reasons": {"denied:robots_unreachable": 2}}))
    check_thresholds(crawl, manifest.model_copy(update={"reasons": {"denied:robots": 2}}))


def test_a_line_tells_the_rate_of_now() -> None:
    moments = iter([0.0, 10.0, 20.0])
    line = ProgressLine(lambda: next(moments))
    texts = [
        line.text(RunState(RunPhase.WORKING, None, 5, 100, 3, 2, answers, answers * 1000, errors))
        for answers, errors in ((0, 0), (1000, 0), (1100, 4))
    ]
    assert "(100/s)" in texts[1]
    assert "errors" not in texts[1]
    assert texts[2] == "1,100 responses (10/s), 1.1 MB, 2 of 3 open hosts in use, 4 errors; 5 pages stored"


def test_a_line_says_why_nothing_is_fetched() -> None:
    moments = iter([0.0, 15.0, 60.0, 75.0])
    line = ProgressLine(lambda: next(moments))
    texts = [line.text(RunState(RunPhase.WORKING, None, 0, 0, 1, used, 0, 0, 0)) for used in (0, 0, 0, 1)]
    assert ["0 of 1 open host in use (other runs have them, or they asked for a pause); 0" in text for text in texts] == [
        *(False, False, True, False),
    ]


def test_a_workers_line_says_what_broke_in_callbacks() -> None:
    told = WorkerStatistics(worker="w", attempt=1, crawl_run="r")
    assert "callbacks" not in told.text()
    told.callback_errors["parse: KeyError"] += 2
    told.refused_requests["out_of_scope"] += 1
    assert told.text().endswith("; errors in callbacks: 2 parse: KeyError; requests refused: 1 out_of_scope")


def test_what_a_worker_of_an_earlier_release_counted_is_read() -> None:
    counted = WorkerStatistics.model_validate_json('{"crawl_run": "r", "worker": "w", "incarnation": 2, "answers": 3}')
    assert (counted.attempt, counted.responses) == (2, 3)
