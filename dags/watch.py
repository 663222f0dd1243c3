"""### Watching the crawls

Every ten minutes the state of each crawl is read, and the channels of `notify:` are told what changed: a crawl that is late or silent has
no task that could say so. What a channel did not take is told again. Without `notify:` in any crawl file there is no such DAG.
"""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, CronTriggerTimetable, get_parsing_context, task

from dags.defaults import SHORT
from dags.outcomes import final_errors
from dags.telling import find_connection
from schemas.config.settings import load_settings

LOG = logging.getLogger(__name__)
NOTIFY = re.compile(rb"^notify:", re.MULTILINE)
NAME = "watch_crawls"


@task(**SHORT, execution_timeout=timedelta(minutes=10))
def watch() -> list[str]:
    """Tell what changed. Returns a line for each channel and change."""
    from crawlhouse.monitor.watch import watch_crawls
    from storage.outages import wait_out

    with final_errors():
        told = wait_out(watch_crawls, load_settings(), find_connection)
        return [f"{one.channel}: {one.title}{f', but: {one.problem}' if one.problem else ''}" for one in told]


def watch_dags() -> dict[str, DAG]:
    """The DAG of the watch, if any crawl file says whom to tell."""
    if get_parsing_context().dag_id not in {None, NAME} or not _has_channels(load_settings().crawls):
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
        default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
        auto_register=False,
    ) as dag:
        watch()
    return {f"DAG {dag.dag_id}": dag}


def _has_channels(folder: Path) -> bool:
    """Whether a crawl file, or one of many crawls, has the key. The text alone is looked at: parsing all files takes long."""
    return any(NOTIFY.search(path.read_bytes()) for path in folder.glob("*.yaml") if path.is_file())


if not __package__:  # as in the other files
    globals().update(watch_dags())
