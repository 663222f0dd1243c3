"""Closing a run: it takes nothing more, is counted, gets its manifest, and lets go of what is left over.

From `closing` on nothing registers in it and no URL joins it, so that what is counted and listed afterwards stays true.
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
    """Shuts a run and counts what became of its URLs.

    Raises ConflictError while a worker holds a live lease, and RunClosedError where the run is closed already.
    """
    state = connection.scalar(select(CRAWL_RUNS.c.state).where(CRAWL_RUNS.c.run_no == run_no).with_for_update())
    if state == CLOSED:
        raise RunClosedError(f"The crawl run {crawl_run} is closed already.")
    workers = ", ".join(sorted(connection.scalars(select(HOSTS.c.lease_worker).where(is_leased_by_run(run_no, now)).distinct())))
    if workers:
        raise ConflictError(f"Workers still hold hosts in {crawl_run}: {workers}. Let them end, or wait {lease_seconds:.0f} s.")
    if state == PLANNING:  # its planning was cut off
        count_hosts(connection, run_no)
    if state in {PLANNING, OPEN}:
        connection.execute(update(CRAWL_RUNS).where(CRAWL_RUNS.c.run_no == run_no).values(state=CLOSING))
    return count_outcomes(connection, run_no)


def finish_close(database: Database, run_no: int, manifest: Manifest) -> Manifest:
    """Closes a run with its manifest, unless it has one: the first one stays, and is returned. Its left-over URLs are let go."""
    with database.write() as connection:
        first = (CRAWL_RUNS.c.run_no == run_no) & CRAWL_RUNS.c.manifest.is_(None)
        values = {"state": CLOSED, "manifest": manifest.model_dump_json()}
        if not connection.execute(update(CRAWL_RUNS).where(first).values(values)).rowcount:
            found = connection.scalar(select(CRAWL_RUNS.c.manifest).where(CRAWL_RUNS.c.run_no == run_no))
            manifest = Manifest.model_validate_json(str(found))
    release_run(database, run_no)
    return manifest
