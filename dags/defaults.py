"""What all DAGs of crawls share: their crawls, how they are retried, and the Asset that joins fetching and processing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Asset

from schemas.crawl import Crawl
from schemas.crawlfile import read_crawls
from schemas.settings import load_settings

START = datetime(2026, 1, 1, tzinfo=UTC)
RETRIES = {
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
}


def crawls() -> list[Crawl]:
    """The crawls whose files are without mistakes; the others are told by broken_crawls.py."""
    return list(read_crawls(load_settings().crawls)[0].values())


def captures(name: str) -> Asset:
    """What a crawl's runs leave behind; an event of it wakes the processing."""
    return Asset(name=f"captures_{name}", uri=f"crawlhouse://captures/{name}", group="crawlhouse")
