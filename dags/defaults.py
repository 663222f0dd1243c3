"""What all DAGs of crawls share: their retries, the Asset that connects fetching and processing, and the Assets of the lake's tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import Asset, AssetAlias

START = datetime(2026, 1, 1, tzinfo=UTC)  # Airflow needs a date; without catch-up no run is made for the time before today
RETRIES = {  # together two and a half minutes, for a database or a store that does not answer
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
}


def captures_asset(name: str) -> Asset:
    """The captures of a crawl as an Airflow Asset. An event of it starts the crawl's processing."""
    return Asset(name=f"captures_{name}", uri=f"crawlhouse://captures/{name}", group="crawlhouse")


def table_asset(name: str) -> Asset:
    """The table of a dataset as an Airflow Asset, `Asset("crawlhouse://NAME")`. Each publish that adds rows to it makes an event."""
    return Asset(name=f"crawlhouse://{name}", uri=f"crawlhouse://{name}", group="crawlhouse")


def table_alias(name: str) -> AssetAlias:
    """An alias of a table's Asset as a task's outlet: the task makes events by it, or none. An Asset as outlet has one in any case."""
    return AssetAlias(name=f"crawlhouse://{name}", group="crawlhouse")
