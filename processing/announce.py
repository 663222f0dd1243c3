"""The Asset events of published runs that made none themselves, for DAGs that wait for new rows.

The task `publish` of a crawl's processing makes events of what it publishes. Rows also come and go by commands: `quarantine release`,
`retry` and `drop`, `gate accept`, `reprocess`, `rollback`, `process`; and by rows that are judged again. Airflow's own events say what was
told before, so nothing is told twice, and nothing is lost if this is killed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from pyiceberg.table import Table

from processing.publish.report import RunReport, report_of
from processing.publish.table_events import TableEvent, table_event
from processing.resources import Resources, open_resources
from schemas.config.settings import Settings
from schemas.keys import report_key
from schemas.runs import ProcessRun, RunKind
from storage.ledger.history import published_since

OWN_EVENT_TIME = timedelta(hours=1)  # in which the task that published has made its event, also if it was killed and tried again
CHANGED = ("added-records", "deleted-records")  # of a snapshot's summary


def untold_events(
    since: datetime, tables: Collection[str], told: Callable[[str], Collection[str]], settings: Settings
) -> dict[str, list[TableEvent]]:
    """By table, the events of runs published since then that changed it, oldest first.

    `told` gives the process runs that a table's earlier events name. It is asked only for tables with published runs.
    """
    events: dict[str, list[TableEvent]] = {}
    latest = datetime.now(UTC) - OWN_EVENT_TIME
    published = published_since(settings, since)
    if not published:
        return events
    with open_resources(settings) as resources:
        for name, published_at in published:
            run = resources.ledger.process_run(name)
            if run.kind is RunKind.PROCESS and published_at > latest:
                continue
            untold = [one.name for one in run.judged_datasets if one.name in tables and name not in told(one.name)]
            for table, event in _events(run, untold, resources).items():
                events.setdefault(table, []).append(event)
    return events


def _events(run: ProcessRun, tables: Collection[str], resources: Resources) -> dict[str, TableEvent]:
    """The events of the tables that a run changed."""
    commits = resources.ledger.commits(run.process_run)
    changed = [name for name in tables if name in commits and _changed(resources.lake.table(name), commits[name])]
    if not changed:
        return {}
    report = _report(run, resources)
    events = {name: table_event(report, run.kind, commits[name], name) for name in changed}
    return {name: event for name, event in events.items() if run.kind is not RunKind.PROCESS or event["published"]}


def _changed(table: Table, snapshot_id: int) -> bool:
    """Whether a snapshot added rows or took rows out; one that has expired is taken for one that did."""
    snapshot = table.snapshot_by_id(snapshot_id)
    if snapshot is None or snapshot.summary is None:
        return True
    summary = snapshot.summary.additional_properties
    return any(int(summary.get(name, 0)) for name in CHANGED)


def _report(run: ProcessRun, resources: Resources) -> RunReport:
    """The run's report; made of its rows in `runs` if the process that published it died before it was written."""
    key = report_key(run.process_run, "report.json")
    if resources.store.info(key) is None:
        return report_of(run, resources.lake.run_rows(run.process_run))
    return RunReport.from_json(resources.store.get_bytes(key))
