"""The numbers for Prometheus, and the dashboard that shows them."""

from __future__ import annotations

import atexit
import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from opentelemetry.metrics import get_meter_provider

from crawlhouse.monitor import airflow_stats
from crawlhouse.monitor.metrics import HELP, metrics_text, read_metrics
from processing.publish.report import RunReport
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.manifest import FetchCounts, Manifest
from storage.ledger.ledger import open_ledger
from tests import PROJECT
from tests.crawlhouse.monitor.pastruns import store_runs
from tests.crawlhouse.monitor.sinks import otlp_collector

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
def _metrics(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[None]:
    """Airflow's metrics go where these variables say."""
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics import stats_utils

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    try:
        yield
    finally:
        monkeypatch.undo()
        stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)


@contextmanager
def _statsd(monkeypatch: pytest.MonkeyPatch, **settings: str) -> Iterator[socket.socket]:
    """A StatsD server: a UDP socket that Airflow's metrics are sent to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        here = {"statsd_on": "True", "statsd_host": "127.0.0.1", "statsd_port": str(server.getsockname()[1])} | settings
        with _metrics(monkeypatch, **{f"AIRFLOW__METRICS__{name.upper()}": value for name, value in here.items()}):
            yield server


def _received(server: socket.socket) -> set[str]:
    found = set()
    while True:
        try:
            found.add(server.recv(2000).decode())
        except BlockingIOError:
            return found


@pytest.fixture
def ended(sqlite_settings: Settings) -> tuple[Manifest, RunReport]:
    """What a closed and published run has to count."""
    (run,) = store_runs(sqlite_settings, CRAWL, [FetchCounts(due=9, fetched=2, failed=7)])
    ledger = open_ledger(sqlite_settings)
    manifest = ledger.manifest(run).model_copy(update={"reasons": {"failed:timeout": 5, "failed:http_error": 2}})
    ledger.close()
    report = RunReport(
        "p-1", "news", (run,), "0.1.0", 1, datetime.now(UTC), 3, 2, 0, 0, 0, 1, {}, 2,
        datasets={"articles": {"made": 2, "published": 2, "unchanged": 0, "quarantined": 0}},
    )  # fmt: skip
    return manifest, report


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Airflow never closes its client's socket
def test_runs_are_counted_by_airflows_statsd(
    ended: tuple[Manifest, RunReport], sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, report = ended
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


def test_runs_are_counted_by_airflows_opentelemetry(ended: tuple[Manifest, RunReport], monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, report = ended
    at_end: list[Callable[[], object]] = []  # what Airflow lets a task's process do at its end
    monkeypatch.setattr(atexit, "register", at_end.append)
    with otlp_collector() as collector:
        here = {"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf", "OTEL_METRIC_EXPORT_INTERVAL": "3600000"}
        endpoint = f"http://127.0.0.1:{collector.port}/v1/metrics"
        with _metrics(monkeypatch, AIRFLOW__METRICS__OTEL_ON="True", OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=endpoint, **here):
            assert airflow_stats.is_on()
            airflow_stats.count_crawl_run(manifest)
            airflow_stats.count_process_run(report)
            (send,) = at_end
            send()
            get_meter_provider().shutdown()  # type: ignore[attr-defined]  # so that no thread is left
    labels = ("crawl", "news")
    assert collector.numbers["airflow.crawlhouse.urls", labels, ("outcome", "failed")] == 7
    assert collector.numbers["airflow.crawlhouse.errors", labels, ("reason", "timeout")] == 5
    assert collector.numbers["airflow.crawlhouse.rows", labels, ("dataset", "articles"), ("outcome", "published")] == 2
