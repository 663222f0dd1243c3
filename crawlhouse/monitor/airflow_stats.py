"""Sends the numbers of crawls to Airflow's own metrics, StatsD or OpenTelemetry, as its section [metrics] says.

Counters are sent when a run is closed or published, gauges by the watch. A task that is killed may count nothing: the tables have the exact
sums.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from airflow.configuration import conf
from airflow.sdk.observability import stats

from crawlhouse.monitor.metrics import Metric
from schemas.manifest import Manifest
from schemas.outcomes import FetchOutcome, Outcome

if TYPE_CHECKING:
    from processing.publish.report import RunReport

NO_NAME = re.compile(r"[^A-Za-z0-9_-]")
ROW_ENDS = ("published", "unchanged", "quarantined")
COUNTED = frozenset(["crawlhouse_urls", "crawlhouse_records", "crawlhouse_received_bytes", "crawlhouse_run_seconds"])  # no gauges
SWITCHES = ("statsd_on", "statsd_datadog_enabled", "otel_on")


def is_on() -> bool:
    """Whether Airflow sends metrics anywhere."""
    return any(conf.getboolean("metrics", switch, fallback=False) for switch in SWITCHES)


def count_crawl_run(manifest: Manifest) -> None:
    """Count what a closed crawl run fetched: URLs by outcome, errors by reason, bytes; and how long it took, in milliseconds."""
    crawl = {"crawl": manifest.crawl}
    for outcome in FetchOutcome:
        _count("crawlhouse.urls", crawl | {"outcome": str(outcome)}, getattr(manifest.counts, outcome))
    for name, count in manifest.reasons.items():
        ended, _, reason = name.partition(":")
        if ended == FetchOutcome.FAILED:
            _count("crawlhouse.errors", crawl | {"reason": reason}, count)
    _count("crawlhouse.received_bytes", crawl, manifest.statistics.bytes)
    duration = manifest.closed_at - manifest.planned_at
    name, tags = _named("crawlhouse.run_duration", crawl)
    stats.timing(name, duration, tags=tags)


def count_process_run(report: RunReport) -> None:
    """Count what a published process run made: records by outcome, rows of each dataset."""
    crawl = {"crawl": report.crawl}
    for outcome in Outcome:
        _count("crawlhouse.records", crawl | {"outcome": str(outcome)}, getattr(report, outcome))
    for dataset, counts in report.datasets.items():
        for end in ROW_ENDS:
            _count("crawlhouse.rows", crawl | {"dataset": dataset, "outcome": end}, counts[end])


def send_gauges(metrics: Sequence[Metric]) -> None:
    """Send the state of all crawls: the numbers that Prometheus gets, but for those that are counted."""
    for metric in metrics:
        if metric.name in COUNTED:
            continue
        name, tags = _named(metric.name.replace("crawlhouse_", "crawlhouse.", 1), metric.labels)
        stats.gauge(name, metric.value, tags=tags)


def _count(stat: str, labels: Mapping[str, str], count: int) -> None:
    if count:
        name, tags = _named(stat, labels)
        stats.incr(name, count, tags=tags)


def _named(stat: str, labels: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The name and the tags of a metric. Plain StatsD has no tags, so there the labels are parts of the name."""
    if conf.getboolean("metrics", "statsd_on") and not _has_tags():
        return ".".join([stat, *(NO_NAME.sub("_", value) for value in labels.values())]), {}
    return stat, dict(labels)


def _has_tags() -> bool:
    return conf.getboolean("metrics", "statsd_datadog_enabled") or conf.getboolean("metrics", "statsd_influxdb_enabled")
