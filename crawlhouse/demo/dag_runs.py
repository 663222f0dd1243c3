"""The demo's runs in Airflow: start a crawl's DAG, wait for its end, and wait until its processing has published it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from crawlhouse.airflow.api import AirflowApi, DagRun, TaskState
from processing.publish.report import RunReport
from schemas.config.settings import Settings
from schemas.errors import CrawlhouseError, UnavailableError
from schemas.keys import report_key
from schemas.numbers import plural
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store

NEWS, SHOP = "demo", "shop"  # the demo's crawls
DAG_TIMEOUT_SECONDS = 90.0  # the DAG processor looks for new files every 15 s
RUN_TIMEOUT_SECONDS = 900.0  # a run takes half a minute on a quiet machine
POLL_SECONDS = 1.0

Update = Callable[[str], None]  # shows what is being done


def prepare(api: AirflowApi, update: Update) -> None:
    """Wait until Airflow has read the DAGs, and let them be scheduled. Raises NotFoundError."""
    update("Waiting for Airflow to read the DAGs")
    for dag in ("maintain_lake", *(f"{kind}_{crawl}" for crawl in (NEWS, SHOP) for kind in ("process", "crawl"))):
        api.wait_for_dag(dag, DAG_TIMEOUT_SECONDS)
        api.unpause(dag)


def hold_processing(api: AirflowApi, crawl: str) -> None:
    """Keep what a crawl fetches from being processed, until its next run: that one is then processed with it."""
    api.pause(f"process_{crawl}")


def start_crawl(api: AirflowApi, crawl: str) -> DagRun:
    """Trigger a crawl's DAG."""
    return api.trigger(f"crawl_{crawl}")


def await_crawl(api: AirflowApi, settings: Settings, run: DagRun, crawl: str, update: Update) -> str:
    """Wait for the end of a crawl's DAG run. Returns the crawl run that it made. Raises CrawlhouseError if it failed."""
    done = api.wait(run, RUN_TIMEOUT_SECONDS, lambda run, tasks: update(_line(run, tasks) + _fetched(settings, run, crawl)))
    _check(api, done)
    return _crawl_run(settings, done.run_id, crawl)


def await_reports(api: AirflowApi, settings: Settings, crawl: str, crawl_runs: Sequence[str], update: Update) -> list[RunReport]:
    """Wait for the processing that the crawls started. Returns the reports of the process runs that have the crawl runs, in order.

    Raises CrawlhouseError if it failed and UnavailableError if it takes too long.
    """
    dag, since, deadline = f"process_{crawl}", datetime.now(UTC), time.monotonic() + RUN_TIMEOUT_SECONDS
    while (reports := _reports(settings, crawl, crawl_runs)) is None:
        runs = [run for run in api.dag_runs(dag) if run.state not in {"success", "failed"}]
        for run in runs[:1]:
            _check(api, api.wait(run, RUN_TIMEOUT_SECONDS, lambda run, tasks: update(_line(run, tasks))))
        for run in api.dag_runs(dag, after=since):
            _check(api, run)
        if time.monotonic() > deadline:
            raise UnavailableError(f"{dag} has not published {', '.join(crawl_runs)}; look at {api.url}/dags/{dag}.")
        update(f"Waiting for {dag}")
        time.sleep(POLL_SECONDS)
    return reports


def _line(run: DagRun, tasks: Sequence[TaskState]) -> str:
    states = [f"{task.task_id}{'' if task.map_index < 0 else f'[{task.map_index}]'} {task.state}" for task in tasks if task.state]
    return f"{run.dag_id}: {', '.join(states) or run.state}"


def _fetched(settings: Settings, run: DagRun, crawl: str) -> str:
    from storage.frontier.frontier import open_frontier

    crawl_run = _crawl_run(settings, run.run_id, crawl)
    if not crawl_run:
        return ""
    frontier = open_frontier(settings)
    try:
        return f" ({plural(frontier.state(crawl_run).pages, 'page')} stored)"
    finally:
        frontier.close()


def _crawl_run(settings: Settings, key: str, crawl: str) -> str:
    ledger = open_ledger(settings)
    try:
        return next((run.crawl_run for run in reversed(ledger.crawl_runs(crawl)) if run.key == key), "")
    finally:
        ledger.close()


def _reports(settings: Settings, crawl: str, crawl_runs: Sequence[str]) -> list[RunReport] | None:
    """The reports of the published process runs that have these crawl runs, or None while one of the crawl runs is not published."""
    ledger = open_ledger(settings)
    try:
        if not set(crawl_runs).isdisjoint(ledger.closed_unpublished(crawl)):
            return None
        names = [
            name
            for name in ledger.process_runs(crawl)
            if ledger.published_at(name) is not None and not set(crawl_runs).isdisjoint(ledger.process_run(name).crawl_runs)
        ]
    finally:
        ledger.close()
    store = open_store(settings)
    reports = [RunReport.from_json(store.get_bytes(report_key(name, "report.json"))) for name in names]
    return sorted(reports, key=lambda report: report.sequence) or None


def _check(api: AirflowApi, run: DagRun) -> None:
    if run.state != "failed":
        return
    failed = [task.task_id for task in api.tasks(run) if task.state == "failed"]
    raise CrawlhouseError(
        f"{run.dag_id} failed in {', '.join(failed) or 'an unknown task'}. Its log says why: {api.url}/dags/{run.dag_id}/runs/{run.run_id}"
    )
