"""`crawlhouse demo`: crawls the bundled site through Airflow, shows the progress, and queries the published tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.status import Status
from rich.table import Table

from crawlhouse.airflow import stack
from crawlhouse.airflow.api import AirflowApi, DagRun, TaskState
from crawlhouse.demo.demo_site import start_site
from processing.publish.report import RunReport
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from schemas.errors import CrawlhouseError, UnavailableError
from schemas.keys import report_key
from schemas.manifest import Manifest
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store

CRAWL = "demo"
DAG_TIMEOUT_SECONDS = 90.0  # the DAG processor looks for new files every 15 s
RUN_TIMEOUT_SECONDS = 900.0  # a run takes half a minute on a quiet machine
POLL_SECONDS = 1.0
QUERIES = {
    "Articles per site and language": """
        SELECT host, language, count(*) AS articles, sum(word_count) AS words,
               min(published_at)::DATE AS oldest, max(published_at)::DATE AS newest
        FROM articles_latest GROUP BY ALL ORDER BY host, articles DESC LIMIT 10""",
    "The same story on both sites, and articles that changed": """
        SELECT title, version, host, duplicate_kind, round(duplicate_similarity::DOUBLE, 2) AS similarity
        FROM articles_latest WHERE duplicate_of IS NOT NULL OR version > 1
        ORDER BY version DESC, similarity DESC NULLS LAST, url LIMIT 8""",
    "What became of every capture": """
        SELECT outcome, coalesce(reason, '') AS reason, count(*) AS captures
        FROM captures WHERE sequence = (SELECT max(sequence) FROM runs) GROUP BY ALL ORDER BY captures DESC LIMIT 12""",
}


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The result of a demo run."""

    stack: stack.Stack
    tick: int
    manifest: Manifest
    report: RunReport
    seconds: float


def run_demo(settings: Settings, console: Console, port: int = stack.DEFAULT_PORT) -> DemoResult:
    """Start the site and Airflow, crawl and process through the DAGs, and show the accounting and queries. Site and Airflow keep running.

    Raises ConflictError for a taken port and UnavailableError when a run takes too long or fails.
    """
    began = time.monotonic()
    crawl = read_crawl(settings.crawls / f"{CRAWL}.yaml")
    with console.status("Starting the demo site") as status:
        tick = start_site(settings, crawl)
        console.print(f"The demo site runs at {' and '.join(seed.url for seed in crawl.seeds)}, its clock at {tick}.")
        airflow = _airflow(settings, port, status)
        console.print(f"Airflow runs at {airflow.url} (user {airflow.user}, password {airflow.password}).")
        with airflow.api() as api:
            crawl_run = _crawl(api, status, settings)
            report = _process(api, status, settings, crawl_run)
    manifest = _manifest(settings, crawl_run)
    result = DemoResult(airflow, tick, manifest, report, time.monotonic() - began)
    _show(console, settings, result)
    return result


def _airflow(settings: Settings, port: int, status: Status) -> stack.Stack:
    running = stack.status(settings)
    if running is not None and running.healthy:
        return running
    return stack.start(settings, port, say=status.update)


def _crawl(api: AirflowApi, status: Status, settings: Settings) -> str:
    """Trigger the crawl's DAG and wait for its end. Returns the crawl run that it made."""
    status.update("Waiting for Airflow to read the DAGs")
    for dag in (f"crawl_{CRAWL}", f"process_{CRAWL}", "maintain_lake"):
        api.wait_for_dag(dag, DAG_TIMEOUT_SECONDS)
        api.unpause(dag)
    run = api.trigger(f"crawl_{CRAWL}")
    done = api.wait(run, RUN_TIMEOUT_SECONDS, lambda run, tasks: status.update(_line(run, tasks) + _fetched(settings, run)))
    _check(api, done)
    return _crawl_run(settings, done.run_id)


def _process(api: AirflowApi, status: Status, settings: Settings, crawl_run: str) -> RunReport:
    """Wait for the processing that the crawl started. Returns its report."""
    dag, since, deadline = f"process_{CRAWL}", datetime.now(UTC), time.monotonic() + RUN_TIMEOUT_SECONDS
    while (report := _report(settings, crawl_run)) is None:
        runs = [run for run in api.dag_runs(dag) if run.state not in {"success", "failed"}]
        for run in runs[:1]:
            _check(api, api.wait(run, RUN_TIMEOUT_SECONDS, lambda run, tasks: status.update(_line(run, tasks))))
        for run in api.dag_runs(dag, after=since):
            _check(api, run)
        if time.monotonic() > deadline:
            raise UnavailableError(f"{dag} has not published {crawl_run}; look at {api.url}/dags/{dag}.")
        status.update(f"Waiting for {dag}")
        time.sleep(POLL_SECONDS)
    return report


def _line(run: DagRun, tasks: Sequence[TaskState]) -> str:
    states = [f"{task.task_id}{'' if task.map_index < 0 else f'[{task.map_index}]'} {task.state}" for task in tasks if task.state]
    return f"{run.dag_id}: {', '.join(states) or run.state}"


def _fetched(settings: Settings, run: DagRun) -> str:
    from storage.frontier.frontier import open_frontier

    crawl_run = _crawl_run(settings, run.run_id)
    if not crawl_run:
        return ""
    frontier = open_frontier(settings)
    try:
        return f" ({frontier.state(crawl_run).pages:,} pages stored)"
    finally:
        frontier.close()


def _crawl_run(settings: Settings, key: str) -> str:
    ledger = open_ledger(settings)
    try:
        return next((run.crawl_run for run in reversed(ledger.crawl_runs(CRAWL)) if run.key == key), "")
    finally:
        ledger.close()


def _manifest(settings: Settings, crawl_run: str) -> Manifest:
    ledger = open_ledger(settings)
    try:
        return ledger.manifest(crawl_run)
    finally:
        ledger.close()


def _report(settings: Settings, crawl_run: str) -> RunReport | None:
    """The report of the published process run that contains a crawl run, or None."""
    ledger = open_ledger(settings)
    try:
        if crawl_run in ledger.closed_unpublished(CRAWL):
            return None
        for name in ledger.process_runs(CRAWL):
            if crawl_run in ledger.process_run(name).crawl_runs and ledger.published_at(name) is not None:
                return RunReport.from_json(open_store(settings).get_bytes(report_key(name, "report.json")))
        return None
    finally:
        ledger.close()


def _check(api: AirflowApi, run: DagRun) -> None:
    if run.state != "failed":
        return
    failed = [task.task_id for task in api.tasks(run) if task.state == "failed"]
    raise CrawlhouseError(
        f"{run.dag_id} failed in {', '.join(failed) or 'an unknown task'}. Its log says why: {api.url}/dags/{run.dag_id}/runs/{run.run_id}"
    )


def _show(console: Console, settings: Settings, result: DemoResult) -> None:
    report = result.report
    console.print()
    console.print(f"URLs:    {result.manifest.counts.text()}")
    console.print(f"Records: {report.equation()}")
    for title, sql in QUERIES.items():
        console.print(_table(title, *_rows(settings, sql)))
    airflow = result.stack
    console.print(f"\nDone in {result.seconds:.0f} s. Airflow keeps running:")
    console.print(f"{airflow.url}  user {airflow.user}  password {airflow.password}")
    console.print(
        'Next: crawlhouse query "SELECT title, url FROM articles_latest LIMIT 5"; make demo again to see what changed; make down to stop.'
    )


def _rows(settings: Settings, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    from storage.lake.query import connect

    with connect(settings) as connection:
        answer = connection.execute(sql)
        return [column[0] for column in answer.description], answer.fetchall()


def _table(title: str, names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> Table:
    table = Table(title=title, title_justify="left")
    for index, name in enumerate(names):
        numeric = bool(rows) and isinstance(rows[0][index], int | float)
        table.add_column(name, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    return table
