"""What Airflow's database knows of the crawls' DAGs: paused, the next run, the last run's state. Two queries for all crawls."""

from __future__ import annotations

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from airflow.utils.state import DagRunState, TaskInstanceState
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crawlhouse.pages.overview import DagState
from crawlhouse.pages.run import AirflowSide
from crawlhouse.pages.site import FailedTask

STAGES = ("crawl_", "process_")
LOOKED_AT = 100  # DAG runs of a crawl's processing, the newest first


def read_dag_states(session: Session) -> dict[str, DagState]:
    """The state of each crawl's DAGs, by the crawl's name."""
    failed = _failed_runs(session)
    query = select(DagModel.dag_id, DagModel.is_paused, DagModel.next_dagrun_create_after)
    rows = session.execute(query.where(DagModel.dag_id.startswith("crawl_", autoescape=True), DagModel.is_stale.is_(False)))
    states: dict[str, DagState] = {}
    for dag_id, is_paused, next_run in rows:
        name = dag_id.removeprefix("crawl_")
        dag = next((f"{stage}{name}" for stage in STAGES if f"{stage}{name}" in failed), None)
        states[name] = DagState(is_paused, next_run, dag, failed.get(dag) if dag else None)
    return states


def read_airflow_side(session: Session, crawl: str, run_id: str | None, process_run: str | None) -> AirflowSide:
    """What Airflow knows of a crawl run: `run_id` is the DAG run that planned it, `process_run` published it."""
    processing = _processing(session, f"process_{crawl}", process_run) if process_run else None
    wanted = [(f"crawl_{crawl}", run_id), (f"process_{crawl}", processing)]
    failed = [task for dag_id, one in wanted if one is not None for task in _failed_tasks(session, dag_id, one)]
    return AirflowSide(processing, tuple(failed))


def process_run_of(session: Session, dag_id: str, run_id: str) -> str | None:
    """The process run that the task `plan` of a DAG run planned."""
    row = session.scalars(XComModel.get_many(run_id=run_id, dag_ids=dag_id, task_ids="plan", key="return_value")).first()
    process_run = XComModel.deserialize_value(row) if row is not None else None
    return process_run if isinstance(process_run, str) else None


def _processing(session: Session, dag_id: str, process_run: str) -> str | None:
    planned = select(XComModel).where(XComModel.dag_id == dag_id, XComModel.task_id == "plan", XComModel.key == "return_value")
    newest = session.scalars(planned.order_by(XComModel.dag_run_id.desc()).limit(LOOKED_AT))
    return next((row.run_id for row in newest if XComModel.deserialize_value(row) == process_run), None)


def _failed_tasks(session: Session, dag_id: str, run_id: str) -> list[FailedTask]:
    query = select(TaskInstance.task_id, TaskInstance.map_index).where(TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id)
    failed = query.where(TaskInstance.state == TaskInstanceState.FAILED).order_by(TaskInstance.start_date)
    return [FailedTask(dag_id, run_id, row.task_id, row.map_index) for row in session.execute(failed)]


def _failed_runs(session: Session) -> dict[str, str]:
    """The newest run of each DAG of a crawl, if it failed."""
    stage = DagRun.dag_id.startswith("crawl_", autoescape=True) | DagRun.dag_id.startswith("process_", autoescape=True)
    ended = DagRun.state.in_([DagRunState.SUCCESS, DagRunState.FAILED])
    newest = select(func.max(DagRun.id)).where(stage, ended).group_by(DagRun.dag_id)
    query = select(DagRun.dag_id, DagRun.run_id).where(DagRun.id.in_(newest), DagRun.state == DagRunState.FAILED)
    return {row.dag_id: row.run_id for row in session.execute(query)}
