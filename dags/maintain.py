"""### Maintenance of the lake

Once a day small files are joined, old snapshots expire, and files are removed that no snapshot refers to or that were staged for finished
runs. It takes the publish lock where it must, so it never conflicts with publishing. It may run at any time, and again. Then the index of
what the lake knows is brought up to date, and some of its rows are compared with the tables.

`tidy` removes what is old: results of single fetches after 90 days, expired robots.txt files, logs of Airflow's tasks after 60 days.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task

from dags.defaults import PROCESS, QUIET, RUN_TYPES, SHORT
from dags.outcomes import final_errors
from schemas.config.settings import load_settings

LOG = logging.getLogger("dags.maintain")  # Airflow gives this module another name


@task(**PROCESS, execution_timeout=timedelta(hours=6))
def maintain() -> dict[str, int]:
    """Maintain the lake. Returns how much was done of each kind."""
    from processing.known.upkeep import maintain_index
    from storage.lake.maintenance import maintain as maintain_lake
    from storage.outages import wait_out

    with final_errors():
        done: dict[str, int] = wait_out(maintain_lake, load_settings()).counts()
        done |= wait_out(maintain_index, load_settings()).counts()
        return _said(done)


@task(**SHORT, execution_timeout=timedelta(hours=1))
def tidy() -> dict[str, int]:
    """Remove old rows and logs. Returns how many of each kind."""
    from storage.frontier.admin.upkeep import tidy as remove_old
    from storage.outages import wait_out

    with final_errors():
        return _said(wait_out(remove_old, load_settings()).counts())


def _said(done: dict[str, int]) -> dict[str, int]:
    """What was done, after it is logged as a sentence."""
    LOG.info("%s", ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in done.items() if count) or "Nothing had to be done")
    return done


def maintenance_dags() -> dict[str, DAG]:
    """The DAG of the maintenance, under a key like those of `dags.loading`."""
    with DAG(
        dag_id="maintain_lake",
        description="Join small files, expire old snapshots, remove unused files and old rows",
        doc_md=__doc__,
        # Without a start date the first run is at the next 3:30: a new home has nothing to maintain for the time before it.
        schedule=CronTriggerTimetable("30 3 * * *", timezone="UTC", run_immediately=timedelta()),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags={"lake"},
        default_args=QUIET | {"retries": 2, "retry_delay": timedelta(minutes=5)},
        allowed_run_types=RUN_TYPES,
        auto_register=False,
    ) as dag:
        maintain()
        tidy()
    return {f"DAG {dag.dag_id}": dag}


if not __package__:  # as in the other files
    globals().update(maintenance_dags())
