"""The state of crawls as numbers, and these in the text format of Prometheus. `docs/grafana.json` is a dashboard of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from crawlhouse.monitor.health import CrawlHealth, read_health
from schemas.config.notify import Alarm
from schemas.config.settings import Settings
from schemas.outcomes import FetchOutcome, Outcome
from storage.database.engine import open_database
from storage.frontier.admin.examples import queued_urls


@dataclass(frozen=True, slots=True)
class Metric:
    """A number with its labels. All are gauges: of the newest closed run, or of now."""

    name: str
    labels: Mapping[str, str]
    value: float


HELP = {
    "crawlhouse_urls": "URLs of the newest closed run by outcome",
    "crawlhouse_records": "Records of the newest published run by outcome",
    "crawlhouse_received_bytes": "Bytes of bodies that the newest closed run received",
    "crawlhouse_run_seconds": "How long the newest closed run took",
    "crawlhouse_last_success_timestamp_seconds": "When the last run without a missed threshold or held rows was planned",
    "crawlhouse_freshness_seconds": "Time since then",
    "crawlhouse_next_due_timestamp_seconds": "When the next URL is due",
    "crawlhouse_queue_urls": "URLs that are due or wait in an open run, counted up to 100,000 of those that are due",
    "crawlhouse_fetching": "1 while a run is open",
    "crawlhouse_alarm": "1 while this is wrong with the crawl",
    "crawlhouse_held": "Datasets of crawl runs that wait for a decision",
    "crawlhouse_quarantine_rows": "Rows in quarantine",
    "crawlhouse_scrape_seconds": "How long it took to read these numbers",
}


def read_metrics(settings: Settings, waiting: Mapping[str, int]) -> list[Metric]:
    """All numbers. `waiting` counts the rows in quarantine by crawl. Raises UnavailableError, StorageError."""
    now = datetime.now(UTC)
    database = open_database(settings.database_url("frontier"))
    try:
        found = read_health(database, settings, now=now)
        queued = queued_urls(database, list(found), now.timestamp())
    finally:
        database.close()
    return [one for health in found.values() for one in _of_crawl(health, waiting.get(health.name, 0), queued.get(health.name, 0), now)]


def metrics_text(settings: Settings, waiting: Mapping[str, int]) -> str:
    """All numbers for Prometheus. Raises UnavailableError, StorageError."""
    began = time.monotonic()
    metrics = read_metrics(settings, waiting)
    metrics.append(Metric("crawlhouse_scrape_seconds", {}, time.monotonic() - began))
    lines: list[str] = []
    for name, text in HELP.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", *(_line(one) for one in metrics if one.name == name)]
    return "\n".join(lines) + "\n"


def _of_crawl(health: CrawlHealth, waiting: int, queued: int, now: datetime) -> Iterator[Metric]:
    crawl = {"crawl": health.name}
    closed = next((run for run in health.runs if run.summary is not None), None)
    if closed is not None and closed.summary is not None:
        summary = closed.summary
        for end in FetchOutcome:
            yield Metric("crawlhouse_urls", crawl | {"outcome": str(end)}, getattr(summary, end))
        yield Metric("crawlhouse_received_bytes", crawl, summary.bytes)
        yield Metric("crawlhouse_run_seconds", crawl, (summary.closed_at - closed.planned_at).total_seconds())
    published = next((run.summary for run in health.runs if run.summary is not None and run.summary.published_at is not None), None)
    for outcome in Outcome if published is not None else ():
        yield Metric("crawlhouse_records", crawl | {"outcome": str(outcome)}, getattr(published, outcome))
    if health.last_success is not None:
        yield Metric("crawlhouse_last_success_timestamp_seconds", crawl, health.last_success.planned_at.timestamp())
        yield Metric("crawlhouse_freshness_seconds", crawl, (now - health.last_success.planned_at).total_seconds())
    if health.next_due is not None:
        yield Metric("crawlhouse_next_due_timestamp_seconds", crawl, health.next_due[0].timestamp())
    yield Metric("crawlhouse_queue_urls", crawl, queued)
    yield Metric("crawlhouse_fetching", crawl, float(health.is_fetching))
    raised = {kind.partition("_")[0] for kind in health.wrong}
    for alarm in Alarm:
        if alarm is not Alarm.RECOVERED:
            yield Metric("crawlhouse_alarm", crawl | {"alarm": str(alarm)}, float(alarm in raised))
    yield Metric("crawlhouse_held", crawl, len(health.held))
    yield Metric("crawlhouse_quarantine_rows", crawl, waiting)


def _line(metric: Metric) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in metric.labels.items())
    return f"{metric.name}{{{labels}}} {metric.value:.15g}" if labels else f"{metric.name} {metric.value:.15g}"
