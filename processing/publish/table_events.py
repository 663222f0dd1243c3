"""The Asset event of a table for those who wait for its new rows: which run brought them, how many, and the snapshot that has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from processing.publish.report import RunReport

TableEvent = dict[str, str | int | None]
NO_COUNTS: Mapping[str, int] = {}


def table_events(report: RunReport, snapshots: Mapping[str, int], tables: Iterable[str]) -> dict[str, TableEvent]:
    """The event of each table to which a published run has added rows. `snapshots` are the run's commits.

    The counts are of the run's rows in the table: made = published + unchanged + quarantined.
    """
    run: TableEvent = {"crawl": report.crawl, "process_run": report.process_run, "sequence": report.sequence}
    counts = {name: found for name in tables if (found := report.datasets.get(name, NO_COUNTS)).get("published")}
    return {name: {**run, "snapshot": snapshots.get(name), **found} for name, found in counts.items()}
