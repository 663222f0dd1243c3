"""Closing a run: count what became of its URLs, store its manifest, and free the URLs that are left over.

In the state `closing` nothing is registered any more and no URL is added. So the counts and the manifest stay true.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from schemas.errors import ConflictError, RunClosedError
from schemas.manifest import FetchCounts, Manifest
from storage.database.engine import Database
from storage.database.frontier_tables import HOSTS
from storage.database.ledger_tables import CRAWL_RUNS
from storage.frontier.planning import OPEN, PLANNING, count_hosts, release_run
from storage.frontier.queries import count_outcomes, is_leased_by_run

CLOSING, CLOSED = "closing", "closed"


def begin_close(
    connection: Connection, crawl_run: str, run_no: int, now: float, lease_seconds: float
) -> tuple[FetchCounts, dict[str, int]]:
    """Set a run to `closing` and count what became of its URLs.

    Raises ConflictError while a worker holds a live lease, and RunClosedError if the run is closed already.
    """
    state = connection.scalar(select(CRAWL_RUNS.c.state).where(CRAWL_RUNS.c.run_no == run_no).with_for_update())
    if state == CLOSED:
        raise RunClosedError(f"The crawl run {crawl_run} is closed already.")
    workers = ", ".join(sorted(connection.scalars(select(HOSTS.c.lease_worker).where(is_leased_by_run(run_no, now)).distinct())))
    if workers:
        raise ConflictError(f"Workers still hold hosts in {crawl_run}: {workers}. Let them end, or wait {lease_seconds:.0f} s.")
    if state == PLANNING:  # its planning was interrupted
        count_hosts(connection, run_no)
    if state in {PLANNING, OPEN}:
        connection.execute(update(CRAWL_RUNS).where(CRAWL_RUNS.c.run_no == run_no).values(state=CLOSING))
    return count_outcomes(connection, run_no)


def finish_close(database: Database, run_no: int, manifest: Manifest) -> Manifest:
    """Close a run with its manifest and release its left-over URLs. If the run has a manifest already, that one stays and is returned."""
    with database.write() as connection:
        first = (CRAWL_RUNS.c.run_no == run_no) & CRAWL_RUNS.c.manifest.is_(None)
        values = {"state": CLOSED, "manifest": manifest.model_dump_json()}
        if not connection.execute(update(CRAWL_RUNS).where(first).values(values)).rowcount:
            found = connection.scalar(select(CRAWL_RUNS.c.manifest).where(CRAWL_RUNS.c.run_no == run_no))
            manifest = Manifest.model_validate_json(str(found))
    release_run(database, run_no)
    return manifest
