"""The numbers for Prometheus, and the dashboard that shows them."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from crawlhouse.monitor import airflow_stats
from crawlhouse.monitor.metrics import HELP, metrics_text, read_metrics
from processing.publish.report import RunReport
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.manifest import FetchCounts
from storage.ledger.ledger import open_ledger
from tests import PROJECT
from tests.crawlhouse.monitor.pastruns import store_runs

CRAWL = Crawl.model_validate({"name": "news", "seeds": ["https://a.example/"], "thresholds": {"min_pages": 5}})
LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="[^"\\]*",?)*)\})? (-?[0-9.e+]+)')


def test_numbers_are_those_of_the_newest_run(sqlite_settings: Settings) -> None:
    store_runs(sqlite_settings, CRAWL, [FetchCounts(due=9, fetched=9), FetchCounts(due=9, fetched=2, failed=7)])
    lines = metrics_text(sqlite_settings, {"news": 12}).splitlines()
    numbers = {(found[1], found[2]): float(found[3]) for line in lines if (found := LINE.fullmatch(line))}
    assert len(numbers) == len([line for line in lines if not line.startswith("#")])
    assert numbers["crawlhouse_urls", 'crawl="news",outcome="failed"'] == 7
    assert numbers["crawlhouse_alarm", 'crawl="news",alarm="threshold"'] == 1
    assert numbers["crawlhouse_alarm", 'crawl="news",alarm="late"'] == 0
    assert numbers["crawlhouse_quarantine_rows", 'crawl="news"'] == 12
    assert {name for name, _ in numbers} <= HELP.keys()


def test_the_dashboard_shows_numbers_that_there_are() -> None:
    dashboard = json.loads((PROJECT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    used = {name for expression in expressions for name in re.findall(r"crawlhouse_[a-z_]+", expression)}
    assert used
    assert used <= HELP.keys()


@contextmanager
def _statsd(monkeypatch: pytest.MonkeyPatch, **settings: str) -> Iterator[socket.socket]:
    """A StatsD server: a UDP socket that Airflow's metrics are sent to."""
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics import stats_utils

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        here = {"statsd_on": "True", "statsd_host": "127.0.0.1", "statsd_port": str(server.getsockname()[1])} | settings
        for name, value in here.items():
            monkeypatch.setenv(f"AIRFLOW__METRICS__{name.upper()}", value)
        stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
        try:
            yield server
        finally:
            monkeypatch.undo()
            stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)


def _received(server: socket.socket) -> set[str]:
    found = set()
    while True:
        try:
            found.add(server.recv(2000).decode())
        except BlockingIOError:
            return found


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Airflow never closes its client's socket
def test_runs_are_counted_by_airflows_statsd(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = store_runs(sqlite_settings, CRAWL, [FetchCounts(due=9, fetched=2, failed=7)])
    ledger = open_ledger(sqlite_settings)
    manifest = ledger.manifest(run).model_copy(update={"reasons": {"failed:timeout": 5, "failed:http_error": 2}})
    ledger.close()
    report = RunReport(
        "p-1", "news", (run,), "0.1.0", 1, datetime.now(UTC), 3, 2, 0, 0, 0, 1, {}, 2,
        datasets={"articles": {"made": 2, "published": 2, "unchanged": 0, "quarantined": 0}},
    )  # fmt: skip
    assert not airflow_stats.is_on()
    with _statsd(monkeypatch) as server:
        assert airflow_stats.is_on()
        airflow_stats.count_crawl_run(manifest)
        airflow_stats.count_process_run(report)
        airflow_stats.send_gauges(read_metrics(sqlite_settings, {"news": 12}))
        found = _received(server)
    for line in (
        *("urls.news.failed:7|c", "urls.news.fetched:2|c", "errors.news.timeout:5|c", "run_duration.news:0.000000|ms"),
        *("records.news.published:2|c", "rows.news.articles.published:2|c"),
        *("alarm.news.threshold:1.0|g", "quarantine_rows.news:12|g", "queue_urls.news:0|g"),
    ):
        assert f"airflow.crawlhouse.{line}" in found
    with _statsd(monkeypatch, statsd_influxdb_enabled="True") as server:
        airflow_stats.count_crawl_run(manifest)
        assert "airflow.crawlhouse.urls,crawl=news,outcome=failed:7|c" in _received(server)
