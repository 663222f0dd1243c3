"""### Maintenance of the lake

Once a day small files are joined, old snapshots expire, and files are removed that no snapshot refers to or that were staged for finished
runs. It takes the publish lock where it must, so it never conflicts with publishing. It may run at any time, and again.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task

from dags.outcomes import final_errors
from schemas.config.settings import load_settings


@task(pool="process", execution_timeout=timedelta(hours=6))
def maintain() -> dict[str, int]:
    """Maintain the lake. Returns how much was done of each kind."""
    from storage.lake.maintenance import maintain as maintain_lake

    with final_errors():
        return maintain_lake(load_settings()).counts()


with DAG(
    dag_id="maintain_lake",
    description="Join small files, expire old snapshots, remove unused files",
    doc_md=__doc__,
    # the first run is at the next 3:30: without a start date Airflow makes no run for the past of a new home, which has nothing to maintain
    schedule=CronTriggerTimetable("30 3 * * *", timezone="UTC", run_immediately=timedelta()),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    tags={"lake"},
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
):
    maintain()
