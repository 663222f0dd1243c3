"""What Airflow's database knows of the crawls' DAGs: paused, the next run, the last run's state. Two queries for all crawls."""

from __future__ import annotations

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.utils.state import DagRunState
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crawlhouse.pages.overview import DagState

STAGES = ("crawl_", "process_")


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


def _failed_runs(session: Session) -> dict[str, str]:
    """The newest run of each DAG of a crawl, if it failed."""
    stage = DagRun.dag_id.startswith("crawl_", autoescape=True) | DagRun.dag_id.startswith("process_", autoescape=True)
    ended = DagRun.state.in_([DagRunState.SUCCESS, DagRunState.FAILED])
    newest = select(func.max(DagRun.id)).where(stage, ended).group_by(DagRun.dag_id)
    query = select(DagRun.dag_id, DagRun.run_id).where(DagRun.id.in_(newest), DagRun.state == DagRunState.FAILED)
    return {row.dag_id: row.run_id for row in session.execute(query)}
