"""What all DAGs of crawls share: how they are retried, and the Asset that joins fetching and processing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Asset

START = datetime(2026, 1, 1, tzinfo=UTC)
RETRIES = {
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
}


def captures_asset(name: str) -> Asset:
    """What a crawl's runs leave behind; an event of it wakes the processing."""
    return Asset(name=f"captures_{name}", uri=f"crawlhouse://captures_asset/{name}", group="crawlhouse")
