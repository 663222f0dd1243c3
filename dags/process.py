"""### The processing: from closed crawl runs to published rows

| task | what it does |
|---|---|
| `plan` | takes the closed crawl runs that are not published yet; if there is none, the run ends here |
| `extract` | one task per shard of WARC segments: text, metadata, page type; rows are staged per segment |
| `resolve` | site memory, language, signals; versions and duplicates, compared with the lake |
| `gate` | row rules send rows to `quarantine`; expectations judge the rest, and hold back a dataset's rows of a crawl run that fails |
| `publish` | checks the accounting, and commits captures, quarantine, articles and runs in one transaction |

`publish` makes an event of the Asset `crawlhouse://NAME` for each dataset's table that got rows, with crawl, counts, sequence and snapshot.

Of a large backlog `plan` takes the oldest crawl runs, and `publish` makes an Asset event of the captures, which starts the next run.

The Asset event of the captures only starts the run. The ledger says what to do, so a missed or repeated event changes nothing, and running
again changes nothing. The run's id is a digest of everything that decides its result.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, AssetAlias, get_current_context, task

from dags.defaults import PROCESS, RETRIES, RUN_TYPES, SHORT, START, captures_asset, table_alias, table_asset
from dags.documents import add_links, document, owner, owner_links
from dags.loading import load_dags
from dags.outcomes import final_errors
from dags.telling import deadline, is_of_this_try, report_published, tell_failure, tell_success
from schemas.config.crawl import Crawl
from schemas.config.schedule import longest_processing
from schemas.config.settings import load_settings
from schemas.numbers import plural
from schemas.outcomes import Outcome

LOG = logging.getLogger("dags.process")  # Airflow gives this module another name
MAX_SHARDS = 64  # more mapped tasks than a few hundred slow the scheduler
EXTRACT_TIMEOUT = timedelta(hours=6)  # a task that takes longer does not work at all; a retry goes on with the segments that are left
STEP_TIMEOUT = timedelta(hours=3)  # the same for the other steps, which read less


@task.short_circuit(**SHORT, execution_timeout=STEP_TIMEOUT)
def plan(name: str) -> str | None:
    """Plan the process run of all closed, unpublished crawl runs. None, which skips the other tasks, if there are none."""
    from processing import stages
    from storage.outages import wait_out

    with final_errors():
        planned = wait_out(stages.plan, name, load_settings())
        if planned is None:
            LOG.info("Nothing to process: no closed run of %s waits. `reprocess_%s` makes rows of published runs again.", name, name)
            return None
        LOG.info("%s processes %s", planned.process_run, ", ".join(planned.crawl_runs))
        return planned.process_run


@task(**SHORT, execution_timeout=STEP_TIMEOUT)
def shards(process_run: str) -> list[list[str]]:
    """The run's segments in at most `MAX_SHARDS` shards."""
    from processing import stages
    from storage.outages import wait_out

    with final_errors():
        segments = wait_out(lambda: list(stages.segments(process_run, load_settings())))
        LOG.info("%s has %s", process_run, plural(len(segments), "WARC segment"))
        return [segments[first::MAX_SHARDS] for first in range(min(MAX_SHARDS, len(segments)))]


@task(**PROCESS, execution_timeout=EXTRACT_TIMEOUT)
def extract(process_run: str, shard: list[str]) -> None:
    """Extract the pages of a shard's segments, one after the other."""
    from processing import stages
    from storage.outages import wait_out

    with final_errors():
        for segment in shard:
            wait_out(stages.extract, process_run, segment, load_settings())


@task(**PROCESS, execution_timeout=STEP_TIMEOUT, trigger_rule="none_failed")
def resolve(process_run: str) -> None:
    """Compare each page with its site and with the lake."""
    from processing import stages
    from storage.outages import wait_out

    with final_errors():
        wait_out(stages.resolve, process_run, load_settings())
        LOG.info("The pages of %s are compared with their sites and with the lake", process_run)


@task(**PROCESS, execution_timeout=STEP_TIMEOUT)
def gate(process_run: str) -> None:
    """Check the rows, and hold back what breaks a critical expectation. Rows that cannot be judged end the run here."""
    from processing import stages
    from storage.outages import wait_out

    with final_errors():
        wait_out(stages.gate, process_run, load_settings())


@task(**PROCESS, execution_timeout=STEP_TIMEOUT)
def publish(process_run: str) -> dict[str, int]:
    """Check that the accounting adds up, and commit the rows to the lake. Each table's Asset event says what came."""
    from processing import stages
    from storage.outages import wait_out

    with final_errors():
        report = wait_out(stages.publish, process_run, load_settings())
        LOG.log(logging.WARNING if report.held else logging.INFO, "%s", report.text())
        tables = wait_out(stages.published_tables, report, load_settings())
        tell_tables(tables)
        if wait_out(stages.is_backlog_left, process_run, load_settings()):
            name = report.crawl
            get_current_context()["outlet_events"][_backlog_alias(name)].add(captures_asset(name))
    tell_success(report.crawl, "process", report.crawl_runs[-1])
    if is_of_this_try(report.ingested_at):
        report_published(report, tables)
    return {name: getattr(report, name) for name in ("records", *Outcome)}


def _backlog_alias(name: str) -> AssetAlias:
    """An outlet by which a task makes an event of the crawl's captures, or none."""
    return AssetAlias(name=f"backlog_{name}", group="crawlhouse")


def tell_tables(events: dict[str, dict[str, Any]]) -> None:  # Any: texts and numbers
    """Make an Asset event for each of these tables."""
    outlets = get_current_context()["outlet_events"]
    for name, event in events.items():  # none of a table to which nothing was added: it would start the DAGs that wait for it
        outlets[table_alias(name)].add(table_asset(name), extra=event)


def process_dag(crawl: Crawl) -> DAG:
    """The DAG that processes one crawl's runs."""
    with DAG(
        dag_id=f"process_{crawl.name}",
        description=f"Turn what {crawl.name} fetched into published rows",
        doc_md=document(crawl, __doc__ or ""),
        schedule=[captures_asset(crawl.name)],
        start_date=START,
        catchup=False,
        max_active_runs=1,
        max_active_tasks=MAX_SHARDS,
        is_paused_upon_creation=False,
        tags={"process", crawl.name, *crawl.tags},
        default_args=RETRIES | {"on_failure_callback": tell_failure} | owner(crawl),
        owner_links=owner_links(crawl),
        deadline=deadline(crawl.name, longest_processing(crawl.schedule)),
        allowed_run_types=RUN_TYPES,
        auto_register=False,
    ) as dag:
        run: Any = plan(crawl.name)  # Any: Airflow's placeholder for the id
        published = publish.override(outlets=[*(table_alias(name) for name in crawl.datasets), _backlog_alias(crawl.name)])
        extracted = extract.partial(process_run=run).expand(shard=shards(run))
        extracted >> resolve(run) >> gate(run) >> published(run)
    add_links(dag)
    return dag


if not __package__:  # Airflow loads this file by its path; imports from the package only need the functions
    globals().update(load_dags("process", process_dag)[0])
