"""### A crawl: from its YAML to a closed run

| task | what it does |
|---|---|
| `plan` | takes the URLs that are due and stores the configuration with the run; the same Airflow run always gets the same crawl run |
| `fetch` | one spider process per worker; they share the frontier, and a retried task takes over the leases of its previous attempt |
| `close` | writes the manifest, checks the crawl's thresholds and starts `process_<name>`; it runs even when a worker failed |
| `verdict` | does nothing; because of it a failed `fetch` makes the whole run fail, although `close` succeeded |

If nothing is due, `plan` says when the next URL is, all tasks are skipped, and there is no crawl run.

Clearing, retrying or killing a task loses nothing: a URL is done only when its WARC segment is registered.
A Celery worker that is asked to end asks its spiders to end; their tasks go on on another worker, and no try is used up.
Marking `fetch` as failed or success ends its spider, which stores what it has. If `close` failed because of a threshold, what was
fetched is processed with the crawl's next run, or by `crawlhouse process`. The crawl itself is `crawls/<name>.yaml`.
"""

from __future__ import annotations

import logging
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, BaseOperator, Context, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowRescheduleException, AirflowSkipException

from dags.connections import connection_secrets
from dags.defaults import FETCH, RETRIES, SHORT, START, captures_asset
from dags.links import add_links
from dags.loading import load_dags
from dags.outcomes import final_errors
from dags.telling import tell_failure, tell_success
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import load_settings
from schemas.errors import ClockError, NotFoundError, SpiderError, UnavailableError

LOG = logging.getLogger(__name__)
MAX_WORKERS = 100  # of one run; chosen: with a delay of a second they fetch some 6,000 pages a second from as many hosts
STEP_TIMEOUT = timedelta(minutes=10)  # planning 100,000 seeds takes seconds; the rest is for a slow database
GO_ON_AFTER = timedelta(seconds=5)  # until then the worker that ends takes no task any more
FETCH_GRACE = timedelta(minutes=10)  # beyond the crawl's own `max_minutes`: for the start, and for the upload of the last segments


@task(**SHORT, execution_timeout=STEP_TIMEOUT)
def plan(name: str) -> list[dict[str, str]]:
    """Plan the crawl run of this Airflow run. Returns its id with the name of each worker.

    If nothing is due, all tasks are skipped, and there is no crawl run.
    """
    from processing.extract.checks.rule_check import check_rules
    from spiders import run
    from storage.outages import wait_out

    with final_errors(SpiderError):  # a module that cannot be imported
        settings, context = load_settings(), get_current_context()
        path = settings.crawls / f"{name}.yaml"
        crawl = _read(path)
        check_rules(crawl, path)
        params = context["params"]
        urls = [str(url) for url in params["urls"] or ()]
        planned = wait_out(run.plan, crawl, key=str(context["run_id"]), settings=settings, urls=urls)
        if idle := wait_out(run.describe_nothing_due, planned, settings):
            wait_out(run.withdraw, planned.crawl_run, settings)
            LOG.info("%s", idle)
            raise AirflowSkipException(idle)
        return [{"crawl_run": planned.crawl_run, "worker": f"w{number}"} for number in range(int(params["workers"]))]


def _read(path: Path) -> Crawl:
    """Read the crawl file. A missing file is an error that is retried: another machine may have it, or it may be copied meanwhile."""
    try:
        return read_crawl(path)
    except NotFoundError as error:
        raise UnavailableError(
            f"{error} This is {socket.gethostname()}: every machine with a worker needs all crawl files. Put it there and clear this task."
        ) from error


class Fetch(BaseOperator):
    """Fetch as one worker until the run has neither due URLs nor leased hosts. If the task is ended, its spider stores what it has."""

    def __init__(self, *, crawl_run: str, worker: str, **settings: Any) -> None:  # Any: the operator's own settings
        super().__init__(**settings)
        self.crawl_run, self.worker = crawl_run, worker

    def execute(self, context: Context) -> None:
        """Run the spider and wait for its end."""
        from spiders import run
        from storage.outages import wait_out

        with final_errors():
            settings = load_settings()
            secrets = connection_secrets(wait_out(run.secret_names, self.crawl_run, settings))
            try:
                statistics = run.fetch(self.crawl_run, self.worker, settings, secrets=secrets)
            except ClockError as error:
                self._leave_to_others(error)
                return
            LOG.info("%s: %s", self.crawl_run, statistics.text())
            if statistics.finish_reason == "stopped" and wait_out(run.has_more, self.crawl_run, settings):
                LOG.warning(
                    "The spider was asked to end, probably because its Celery worker ends. The task goes on as soon as there is a slot."
                )
                raise AirflowRescheduleException(datetime.now(UTC) + GO_ON_AFTER)  # type: ignore[no-untyped-call]

    def _leave_to_others(self, error: ClockError) -> None:
        """Put the task off as long as there is something to fetch: a machine whose clock is right takes it, or this one when it is set.

        That uses up no retry. Raises the error when the run's time is over.
        """
        from spiders import run
        from storage.outages import wait_out

        settings = load_settings()
        if not wait_out(run.has_more, self.crawl_run, settings):
            LOG.warning("%s Other workers have fetched all that was due.", error)
            return
        now, left = wait_out(run.time_left, self.crawl_run, settings)
        if left < timedelta():
            raise error
        LOG.warning("%s The task goes on as soon as another machine, or this one with a right clock, has a slot.", error)
        raise AirflowRescheduleException(now + GO_ON_AFTER)  # type: ignore[no-untyped-call]

    def on_kill(self) -> None:
        """Ask the spider to end. It has a process group of its own, which Airflow's signals do not reach."""
        from spiders.worker_process import stop_workers

        stop_workers()


@task(**SHORT, execution_timeout=timedelta(minutes=30))
def close(planned: list[dict[str, str]], asset: Asset) -> dict[str, int]:
    """Close the run, check its thresholds, and add its counts to the Asset event that starts the processing."""
    from spiders import run
    from storage.outages import wait_out

    with final_errors():
        manifest = wait_out(run.close, planned[0]["crawl_run"], load_settings())
    LOG.info("%s (%s): %s", manifest.crawl_run, manifest.finish_reason, manifest.counts.text())
    counts = manifest.counts.model_dump()
    get_current_context()["outlet_events"][asset].extra = {"crawl_run": manifest.crawl_run, **counts}
    tell_success(manifest.crawl, "crawl", manifest.crawl_run)
    return counts


def _params(crawl: Crawl) -> dict[str, Param]:
    """The parameters of a run that is triggered by hand."""
    urls = Param([], type=["array", "null"], items={"type": "string"}, description="URLs to fetch now, in addition to what is due")
    workers = Param(crawl.workers, type="integer", minimum=1, maximum=MAX_WORKERS, description="Fetch workers of this run")
    return {"workers": workers, "urls": urls}


def crawl_dag(crawl: Crawl) -> DAG:
    """The DAG of one crawl."""
    with DAG(
        dag_id=f"crawl_{crawl.name}",
        description=crawl.description or f"Fetch {crawl.name}",
        doc_md=f"{crawl.description}\n\n{__doc__}",
        schedule=crawl.schedule,
        start_date=START.astimezone(ZoneInfo(crawl.timezone)),  # a schedule's hours are of its zone
        catchup=False,
        max_active_runs=1,
        max_active_tasks=MAX_WORKERS,
        is_paused_upon_creation=crawl.paused,
        tags={"crawl", crawl.name, *crawl.tags},
        default_args=RETRIES | {"on_failure_callback": tell_failure},
        params=_params(crawl),
        auto_register=False,  # Airflow finds it by its name in a module, so a module that only imports this function does not own the DAG
    ) as dag:
        planned: Any = plan(crawl.name)  # Any: Airflow's placeholder for the list
        fetched = Fetch.partial(
            task_id="fetch",
            **FETCH,
            execution_timeout=crawl.max_run_time() + FETCH_GRACE,
            map_index_template="{{ task.worker }}",
        ).expand_kwargs(planned)
        closed = close.override(outlets=[captures_asset(crawl.name)])(planned, captures_asset(crawl.name))
        verdict = EmptyOperator(task_id="verdict", **SHORT, execution_timeout=STEP_TIMEOUT)
        planned >> fetched >> closed.as_teardown(setups=planned, on_failure_fail_dagrun=True) >> verdict
        fetched >> verdict
    add_links(dag)
    return dag


if not __package__:  # Airflow loads this file by its path; imports from the package only need the functions
    globals().update(load_dags("crawl", crawl_dag)[0])
