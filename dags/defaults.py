"""What all DAGs of crawls share: retries, pools and queues, the Asset that connects fetching and processing, the Assets of the tables."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, AssetAlias

HAS_QUEUES = os.environ.get("CRAWLHOUSE_QUEUES", "").lower() in {"1", "on", "t", "true", "y", "yes"}  # as `Settings` reads it

RUN_TYPES: Any = (
    "scheduled",
    "manual",
    "asset_triggered",
    "asset_materialization",
    "operator_triggered",
)  # Any: Airflow converts the names
# No backfill: a run takes what is due now, whatever date it is given. What was fetched is made again by `reprocess`.

START = datetime(2026, 1, 1, tzinfo=UTC)  # Airflow needs a date; without catch-up no run is made for the time before today
QUIET = {"show_return_value_in_logs": False}  # a task says in a sentence what came of it
RETRIES = {  # together two and a half minutes, for a database or a store that does not answer
    **QUIET,
    "retries": 3,
    "retry_delay": timedelta(seconds=20),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
}


def lane(name: str) -> dict[str, Any]:  # Any: mypy would take a text for the value of every argument
    """The pool of a kind of tasks, and, with CRAWLHOUSE_QUEUES, the Celery queue of the same name."""
    return {"pool": name, "queue": name} if HAS_QUEUES else {"pool": name}


FETCH = lane("fetch")  # spiders: they run for hours and mostly wait
PROCESS = lane("process")  # what reads pages and tables: it needs a core
SHORT = lane("short")  # planning and closing: minutes at most, and they must not wait for those


def captures_asset(name: str) -> Asset:
    """The captures of a crawl as an Airflow Asset. An event of it starts the crawl's processing."""
    return Asset(name=f"captures_{name}", uri=f"crawlhouse://captures/{name}", group="crawlhouse")


def table_asset(name: str) -> Asset:
    """The table of a dataset as an Airflow Asset, `Asset("crawlhouse://NAME")`. Each publish that adds rows to it makes an event."""
    return Asset(name=f"crawlhouse://{name}", uri=f"crawlhouse://{name}", group="crawlhouse")


def table_alias(name: str) -> AssetAlias:
    """An alias of a table's Asset as a task's outlet: the task makes events by it, or none. An Asset as outlet has one in any case."""
    return AssetAlias(name=f"crawlhouse://{name}", group="crawlhouse")
