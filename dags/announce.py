"""### Asset events for changes that no task made

`process_<crawl>` makes an event of the Asset `crawlhouse://NAME` when it publishes. Rows also come and go by commands: by `quarantine`,
`gate accept`, `reprocess`, `rollback` and `process`. Every ten minutes `announce` makes the events of such changes, so that DAGs that wait
for a table start on these too. It looks back to its last successful run, or a week, and leaves out what an earlier event names; so it may
fail, run again, or be started by *Trigger* at once.

`published` counts the rows that a run has in the table. What `process` publishes by the command is announced after an hour.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, get_current_context, get_parsing_context, task

from dags.defaults import QUIET, RUN_TYPES, SHORT, table_alias, table_asset
from dags.loading import crawl_files
from dags.outcomes import final_errors
from schemas.config.settings import load_settings

LOG = logging.getLogger("dags.announce")  # Airflow gives this module another name
DAG_ID = "announce_tables"
LONGEST_LOOK_BACK = timedelta(days=7)  # of the first run, and of one that is started by hand
OVERLAP = timedelta(hours=2)  # longer than a publish has for its own event; and clocks of machines differ


@task(**SHORT, execution_timeout=timedelta(minutes=30))
def announce(tables: list[str]) -> dict[str, int]:
    """Make an event for each change of a table that has none yet. Returns how many by table."""
    from processing.announce import untold_events
    from storage.outages import wait_out

    since = _since()
    told = cache(lambda table: told_runs(table, since))
    with final_errors():
        events: dict[str, list[dict[str, Any]]] = wait_out(untold_events, since, tables, told, load_settings())
    outlets = get_current_context()["outlet_events"]
    for name, found in events.items():
        for event in found:
            LOG.info("%s: %s of %s (sequence %s)", name, event["kind"], event["crawl"], event["sequence"])
            outlets[table_alias(name)].add(table_asset(name), extra=event)
    if not any(events.values()):
        LOG.info("No command has changed a table since then")
    return {name: len(found) for name, found in events.items()}


def told_runs(table: str, since: datetime) -> set[str]:
    """The process runs that the events of a table name, of those since then."""
    events: Iterable[Any] = get_current_context()["inlet_events"][table_alias(table)].after(since.isoformat())
    return {event.extra["process_run"] for event in events}


def announce_dag(tables: list[str]) -> DAG:
    """The DAG that makes the events of these tables."""
    with DAG(
        dag_id=DAG_ID,
        description="Tell DAGs that wait for a table of changes that were made by commands",
        doc_md=__doc__,
        schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC", run_immediately=timedelta()),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags={"lake"},
        default_args=QUIET | {"retries": 2, "retry_delay": timedelta(minutes=1)},
        allowed_run_types=RUN_TYPES,
        auto_register=False,
    ) as dag:
        aliases = [table_alias(name) for name in tables]
        announce.override(inlets=aliases, outlets=aliases)(tables)
    return dag


def announce_dags() -> dict[str, DAG]:
    """The DAG of the events, under a key like those of `dags.loading`."""
    return {f"DAG {DAG_ID}": announce_dag(_tables())}


def _since() -> datetime:
    previous = get_current_context()["prev_start_date_success"]
    return previous - OVERLAP if previous else datetime.now(UTC) - LONGEST_LOOK_BACK


def _tables() -> list[str]:
    """The tables of all crawls. A machine that only has workers may have no crawl files: there, those that the ledger knows."""
    settings = load_settings()
    found = {name for crawl in crawl_files(settings.crawls)[0].values() for name in crawl.datasets}
    if not found and get_parsing_context().dag_id == DAG_ID:
        from storage.ledger.history import committed_tables

        found = committed_tables(settings)
    return sorted(found)


if not __package__:  # as in the other files
    globals().update(announce_dags())
