"""Tells a crawl's channels of what changed, from its tasks. What cannot be told never fails a task: the next watch tries again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

# Airflow's own stub leaves some of them out.
from airflow.sdk import AsyncCallback, Context, DeadlineAlert, DeadlineReference, get_current_context  # type: ignore[attr-defined]

from schemas.config.settings import Settings, load_settings
from schemas.errors import CrawlhouseError

if TYPE_CHECKING:
    from processing.publish.report import RunReport
    from schemas.manifest import Manifest

LOG = logging.getLogger(__name__)
LOOKS, BETWEEN_LOOKS = 10, timedelta(minutes=1)  # chosen: after that the watch of every ten minutes has looked too
PLANNED_WITHIN = timedelta(minutes=2)  # chosen: the state of a crawl counts from its plan, which comes after the DAG run was queued


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


def is_of_this_try(at: datetime) -> bool:
    """Whether something was done since the running task began. A task that is cleared finds it done, and does not count it again."""
    began = get_current_context()["ti"].start_date
    return began is None or at >= began


def report_fetched(manifest: Manifest) -> None:
    """Count what a closed crawl run fetched in Airflow's own metrics, and tell OpenLineage of it, if these are sent anywhere."""
    from crawlhouse.monitor import airflow_stats, lineage

    if airflow_stats.is_on():
        airflow_stats.count_crawl_run(manifest)
    if lineage.is_active():
        lineage.tell_fetched(manifest, load_settings())


def report_published(report: RunReport, tables: Mapping[str, Mapping[str, object]]) -> None:
    """The same for what a process run published, and for the tables that got rows."""
    from crawlhouse.monitor import airflow_stats, lineage

    if airflow_stats.is_on():
        airflow_stats.count_process_run(report)
    if lineage.is_active():
        lineage.tell_published(report.crawl, tables, load_settings())


async def tell_overdue(crawl: str) -> None:
    """Tell a crawl's channels that a run takes too long: Airflow's triggerer calls it when a DAG run misses its deadline.

    A run whose `plan` was tried again is late some minutes after that: it is looked at again until it is late, or closed.
    """
    for _ in range(LOOKS):
        if await asyncio.to_thread(_tell_if_late, crawl):
            return
        await asyncio.sleep(BETWEEN_LOOKS.total_seconds())


def _tell_if_late(crawl: str) -> bool:
    """Tell what changed. Whether nothing more is to be expected."""
    from crawlhouse.monitor.watch import is_decided

    try:
        is_last = is_decided(crawl, load_settings())
    except CrawlhouseError as error:
        LOG.warning("The state of %s is not known: %s", crawl, error)
        return False
    _tell(crawl, lambda _: {})
    return is_last


def deadline(crawl: str, longest: timedelta | None) -> DeadlineAlert | None:
    """The deadline of a crawl's DAG: so long after a DAG run is queued. None without a limit."""
    if longest is None:
        return None
    callback = AsyncCallback(tell_overdue, {"crawl": crawl})
    interval = longest + PLANNED_WITHIN
    return DeadlineAlert(reference=DeadlineReference.DAGRUN_QUEUED_AT, interval=interval, callback=callback, name="late")


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
