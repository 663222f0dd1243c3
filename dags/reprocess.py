"""### Rows made again: from stored captures, by the code and the rules of today

| task | what it does |
|---|---|
| `plan` | chooses the captures by the form's fields, and plans a process run for each portion of the history |
| `replay` | calls the crawl's own spider, if it has one and a dataset takes its items, with the stored responses |
| `extract` | one task per shard of WARC segments: rows are staged per segment |
| `compare` | says in its log how many rows would be added, lost and changed; a dry run ends here |
| `publish` | portion by portion, the new rows take the place of the old ones in one commit each; `announce_tables` makes the Asset events |

It has no schedule: start it by *Trigger*, with the fields of its form. Without any of them it makes the rows of every published run of the
crawl again. Nothing is fetched. Clearing or retrying a task goes on where it stopped; what is made again already is left out.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, get_current_context, task

from dags.defaults import PROCESS, RETRIES, SHORT, START
from dags.loading import load_dags
from dags.outcomes import final_errors
from schemas.config.crawl import Crawl
from schemas.config.settings import load_settings
from schemas.errors import SpiderError

LOG = logging.getLogger(__name__)
MAX_SHARDS = 64  # more mapped tasks than a few hundred slow the scheduler
LONG_TIMEOUT = timedelta(hours=24)  # a whole history; a retry goes on with what is left
STEP_TIMEOUT = timedelta(hours=3)


@task.short_circuit(**SHORT, execution_timeout=STEP_TIMEOUT)
def plan(name: str) -> list[str]:
    """Plan the process runs. An empty list, which skips the other tasks, if there is nothing to make again."""
    from processing.reprocess.tasks import plan_again
    from storage.outages import wait_out

    with final_errors():
        planned: list[str] = wait_out(plan_again, name, dict(get_current_context()["params"]), load_settings())
        return planned


@task(**PROCESS, execution_timeout=LONG_TIMEOUT)
def replay(process_runs: list[str]) -> None:
    """Stage the items that the crawl's spider makes of the stored responses."""
    from processing.reprocess.tasks import with_spider
    from spiders.replay.process import replay as call_spider
    from storage.outages import wait_out

    with final_errors(SpiderError):
        for process_run in wait_out(with_spider, process_runs, load_settings()):
            call_spider(process_run, load_settings())


@task(**SHORT, execution_timeout=STEP_TIMEOUT)
def shards(process_runs: list[str]) -> list[list[list[str]]]:
    """The segments of all process runs, each with its process run, in at most `MAX_SHARDS` shards."""
    from processing import stages
    from storage.outages import wait_out

    with final_errors():
        pairs = [[one, segment] for one in process_runs for segment in wait_out(stages.segments, one, load_settings())]
        return [pairs[first::MAX_SHARDS] for first in range(min(MAX_SHARDS, len(pairs)))]


@task(**PROCESS, execution_timeout=LONG_TIMEOUT)
def extract(shard: list[list[str]]) -> None:
    """Extract the pages of a shard's segments, one after the other."""
    from processing import stages
    from storage.outages import wait_out

    with final_errors():
        for process_run, segment in shard:
            wait_out(stages.extract, process_run, segment, load_settings())


@task.short_circuit(**PROCESS, execution_timeout=LONG_TIMEOUT, trigger_rule="none_failed")
def compare(process_runs: list[str]) -> bool:
    """Log what would change. False, which skips publishing, in a dry run."""
    from processing.reprocess.tasks import compare_all
    from storage.outages import wait_out

    with final_errors():
        for line in wait_out(compare_all, process_runs, load_settings()):
            LOG.info("%s", line)
        return not get_current_context()["params"]["dry_run"]


@task(**PROCESS, execution_timeout=LONG_TIMEOUT)
def publish(process_runs: list[str]) -> dict[str, int]:
    """Publish one portion after the other, and return the sums of the outcomes of their records."""
    from processing.reprocess.again import publish as publish_portion
    from storage.outages import wait_out

    totals: Counter[str] = Counter()
    with final_errors():
        for process_run in process_runs:
            report = wait_out(publish_portion, process_run, load_settings())
            LOG.log(logging.WARNING if report.held else logging.INFO, "%s", report.text())
            totals.update(report.counts())
    return dict(totals)


def _params() -> dict[str, Param]:
    """The form's fields."""
    text = ["string", "null"]
    return {
        "run": Param(None, type=text, description="Only this crawl run, or the crawl runs of a process run"),
        "since": Param(None, type=text, description="Only crawl runs planned since then, like 2026-03-01"),
        "url": Param(None, type=text, description="Only captures of this page; * matches any text"),
        "quarantined": Param(False, type="boolean", description="Only captures with a row in quarantine"),
        "dataset": Param(None, type=text, description="Only the rows of this dataset"),
        "dry_run": Param(False, type="boolean", description="Compare only: publish nothing"),
    }


def reprocess_dag(crawl: Crawl) -> DAG:
    """The DAG that makes rows of one crawl again."""
    with DAG(
        dag_id=f"reprocess_{crawl.name}",
        description=f"Make rows of {crawl.name} again from stored captures",
        doc_md=f"{crawl.description}\n\n{__doc__}",
        schedule=None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        max_active_tasks=MAX_SHARDS,
        is_paused_upon_creation=False,
        tags={"reprocess", crawl.name, *crawl.tags},
        default_args=RETRIES,
        params=_params(),
        auto_register=False,
    ) as dag:
        runs: Any = plan(crawl.name)  # Any: Airflow's placeholder for the ids
        pairs = shards(runs)
        extracted = extract.expand(shard=pairs)
        replay(runs) >> pairs
        extracted >> compare(runs) >> publish(runs)
    return dag


if not __package__:  # Airflow loads this file by its path; imports from the package only need the functions
    globals().update(load_dags("reprocess", reprocess_dag)[0])
