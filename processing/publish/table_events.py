"""The Asset event of a table for those who wait for its new rows: which run brought them, how many, and the snapshot that has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from processing.publish.report import RunReport
from schemas.runs import RunKind

TableEvent = dict[str, str | int | None]
NO_COUNTS = {"made": 0, "published": 0, "unchanged": 0, "quarantined": 0}


def table_events(report: RunReport, snapshots: Mapping[str, int], tables: Iterable[str]) -> dict[str, TableEvent]:
    """The event of each table to which a published run has added rows. `snapshots` are the run's commits."""
    added = [name for name in tables if report.datasets.get(name, NO_COUNTS).get("published")]
    return {name: table_event(report, RunKind.PROCESS, snapshots.get(name), name) for name in added}


def table_event(report: RunReport, kind: RunKind, snapshot: int | None, table: str) -> TableEvent:
    """The event of one table. The counts are of the run's rows in the table: made = published + unchanged + quarantined.

    Those of a run that replaces are of all rows that the changed records now have; a rollback leaves none.
    """
    run: TableEvent = {"crawl": report.crawl, "process_run": report.process_run, "kind": str(kind), "sequence": report.sequence}
    return {**run, "snapshot": snapshot, **(report.datasets.get(table) or NO_COUNTS)}
