"""### Watching the crawls

Every ten minutes the state of each crawl is read, and the channels of `notify:` are told what changed: a crawl that is late or silent has
no task that could say so. What a channel did not take is told again. If Airflow sends metrics (its section `[metrics]`), the state of all
crawls is sent too. Without metrics, and without `notify:` in any crawl file, there is no such DAG.
"""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, CronTriggerTimetable, get_parsing_context, task

from dags.defaults import QUIET, RUN_TYPES, SHORT
from dags.outcomes import final_errors
from dags.telling import find_connection
from schemas.config.settings import Settings, load_settings

LOG = logging.getLogger("dags.watch")  # Airflow gives this module another name
NOTIFY = re.compile(rb"^notify:", re.MULTILINE)
NAME = "watch_crawls"


@task(**SHORT, execution_timeout=timedelta(minutes=10))
def watch() -> list[str]:
    """Tell what changed. Returns a line for each channel and change."""
    from crawlhouse.monitor.watch import watch_crawls
    from storage.outages import wait_out

    with final_errors():
        told = wait_out(watch_crawls, load_settings(), find_connection)
        if not told:
            LOG.info("Nothing has changed")
        send_metrics(load_settings())
        return [f"{one.channel}: {one.title}{f', but: {one.problem}' if one.problem else ''}" for one in told]


def send_metrics(settings: Settings) -> None:
    """Send the state of all crawls to Airflow's own metrics, if they go anywhere."""
    from crawlhouse.monitor import airflow_stats

    if airflow_stats.is_on():
        from crawlhouse.monitor.metrics import read_metrics
        from crawlhouse.monitor.waiting import waiting_rows

        airflow_stats.send_gauges(read_metrics(settings, waiting_rows(settings)))


def watch_dags() -> dict[str, DAG]:
    """The DAG of the watch, if any crawl file says whom to tell, or if Airflow sends metrics."""
    if get_parsing_context().dag_id not in {None, NAME} or not (_sends_metrics() or _has_channels(load_settings().crawls)):
        return {}
    with DAG(
        dag_id=NAME,
        description="Tell when a crawl is late or silent, and what could not be told before",
        doc_md=__doc__,
        schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC", run_immediately=timedelta()),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags={"lake"},
        default_args=QUIET | {"retries": 2, "retry_delay": timedelta(minutes=1)},
        allowed_run_types=RUN_TYPES,
        auto_register=False,
    ) as dag:
        watch()
    return {f"DAG {dag.dag_id}": dag}


def _sends_metrics() -> bool:
    from airflow.configuration import conf

    return any(conf.getboolean("metrics", switch, fallback=False) for switch in ("statsd_on", "statsd_datadog_enabled", "otel_on"))


def _has_channels(folder: Path) -> bool:
    """Whether a crawl file, or one of many crawls, has the key. The text alone is looked at: parsing all files takes long."""
    return any(NOTIFY.search(path.read_bytes()) for path in folder.glob("*.yaml") if path.is_file())


if not __package__:  # as in the other files
    globals().update(watch_dags())
