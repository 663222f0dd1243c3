"""Tells a crawl's channels of what changed, from its tasks. What cannot be told never fails a task: the next watch tries again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from airflow.sdk import Context

from schemas.config.settings import Settings, load_settings
from schemas.errors import CrawlhouseError

LOG = logging.getLogger(__name__)


def tell_failure(context: Context) -> None:
    """Note that a task of a crawl failed for good. Airflow calls it with the task's error."""
    stage, _, crawl = str(context["dag"].dag_id).partition("_")
    task, error = context["ti"].task_id, context.get("exception")
    killed = f"The task {task} of {stage}_{crawl} ended without an error of its own: it was killed, or took too long."
    sentence = f"{error}" if error else killed
    from crawlhouse.monitor.watch import failure

    _tell(crawl, lambda settings: failure(crawl, stage, sentence, settings))


def tell_success(crawl: str, stage: str, crawl_run: str) -> None:
    """Note that a stage of a crawl, `crawl` or `process`, succeeded, and tell its channels of what changed."""
    from crawlhouse.monitor.watch import success

    _tell(crawl, lambda settings: success(crawl, stage, crawl_run, settings))


def _tell(crawl: str, read_events: Callable[[Settings], Mapping[str, Any]]) -> None:  # Any: conditions, whose module is heavy
    from crawlhouse.monitor.watch import watch_crawl
    from storage.outages import patience, wait_out

    settings = load_settings()
    try:
        with patience(settings):
            events = wait_out(read_events, settings)
            wait_out(watch_crawl, crawl, settings, find_connection, events)
    except CrawlhouseError as error:
        LOG.warning("The state of %s is not told: %s", crawl, error)


def find_connection(name: str) -> Any:  # Any: Airflow gives it no type
    """The Airflow connection of a channel; None if there is none."""
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Connection.get(name)
    except AirflowNotFoundException:
        return None
