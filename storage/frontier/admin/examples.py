"""URLs of a run as examples: a few for each outcome and reason, and its progress while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from schemas.manifest import FetchCounts
from storage.database.engine import Database
from storage.database.frontier_tables import FETCHES, HOSTS, ROBOTS, RUN_HOSTS, URLS, WORKERS
from storage.database.ledger_tables import CRAWL_RUNS
from storage.frontier.queries import EXAMPLES, count_outcomes, left_over_urls, run_number

MOST_DUE = 100_000  # URLs that are counted
NAMES_AT_ONCE = 500  # in one query


@dataclass(frozen=True, slots=True)
class HostUse:
    """What a run has used of a host's budgets: URLs with a result, and bytes of bodies."""

    urls: int
    bytes: int


def example_urls(database: Database, crawl_run: str) -> dict[str, list[str]]:
    """Up to EXAMPLES URLs for each `outcome:reason` of a run, and for `left_over` while the run is open.

    Results of fetches are kept for 90 days.
    """
    with database.read() as connection:
        run_no = run_number(connection, crawl_run)
        place = func.row_number().over(partition_by=(FETCHES.c.outcome, FETCHES.c.reason), order_by=FETCHES.c.url_id).label("place")
        with_reason = (FETCHES.c.run_no == run_no) & FETCHES.c.reason.is_not(None)
        ranked = select(FETCHES.c.url_id, FETCHES.c.outcome, FETCHES.c.reason, place).where(with_reason).subquery()
        query = select(ranked.c.outcome, ranked.c.reason, URLS.c.url).join(URLS, URLS.c.url_id == ranked.c.url_id)
        found: dict[str, list[str]] = {}
        for row in connection.execute(query.where(ranked.c.place <= EXAMPLES).order_by(ranked.c.url_id)):
            found.setdefault(f"{row.outcome}:{row.reason}", []).append(row.url)
        left = list(left_over_urls(connection, run_no))
    return found | ({"left_over": left} if left else {})


def run_progress(database: Database, crawl_run: str) -> tuple[FetchCounts, dict[str, int], dict[str, int]]:
    """What became of a run's URLs so far: the counts, the reasons, and what its workers report: responses, received, errors."""
    with database.read() as connection:
        run_no = run_number(connection, crawl_run)
        counts, reasons = count_outcomes(connection, run_no)
        columns = [func.coalesce(func.sum(WORKERS.c[name]), 0).label(name) for name in ("responses", "received", "errors")]
        row = connection.execute(select(*columns).where(WORKERS.c.run_no == run_no)).mappings().one()
        return counts, reasons, {name: int(row[name]) for name in ("responses", "received", "errors")}


@dataclass(frozen=True, slots=True)
class OpenRun:
    """How far a run is that is not closed: responses of its workers, and URLs that wait."""

    responses: int
    waiting: int


def open_runs(database: Database) -> dict[str, OpenRun]:
    """The runs that are not closed, by crawl run."""
    responses = select(func.sum(WORKERS.c.responses)).where(WORKERS.c.run_no == CRAWL_RUNS.c.run_no).scalar_subquery()
    waiting = select(func.sum(RUN_HOSTS.c.pending)).where(RUN_HOSTS.c.run_no == CRAWL_RUNS.c.run_no).scalar_subquery()
    query = select(CRAWL_RUNS.c.crawl_run, responses, waiting).where(CRAWL_RUNS.c.state != "closed")
    with database.read() as connection:
        return {name: OpenRun(int(done or 0), int(left or 0)) for name, done, left in connection.execute(query)}


def host_states(database: Database, crawl: str | None, limit: int) -> list[dict[str, object]]:
    """Hosts with the delay, back-off and lease that the frontier keeps, and how many URLs wait: the busiest first.

    Each row has host, delay, busy, failures, free_at, leased, worker, waiting, stopped and urls.
    """
    waiting = select(RUN_HOSTS.c.host_id, func.sum(RUN_HOSTS.c.pending).label("waiting"), func.max(RUN_HOSTS.c.stopped).label("stopped"))
    waiting = waiting.where(RUN_HOSTS.c.pending > 0).group_by(RUN_HOSTS.c.host_id)
    open_hosts = waiting.subquery()
    columns = [HOSTS.c[name] for name in ("host", "delay", "busy", "failures", "free_at", "leased", "lease_worker")]
    joined = HOSTS.outerjoin(open_hosts, open_hosts.c.host_id == HOSTS.c.host_id)
    query = select(*columns, HOSTS.c.host_id, open_hosts.c.waiting, open_hosts.c.stopped).select_from(joined)
    if crawl is not None:
        query = query.where(HOSTS.c.host_id.in_(select(URLS.c.host_id).where(URLS.c.crawl == crawl)))
    query = query.order_by(func.coalesce(open_hosts.c.waiting, 0).desc(), HOSTS.c.failures.desc(), HOSTS.c.host).limit(limit)
    with database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def robots_states(database: Database, hosts: Sequence[str]) -> dict[str, tuple[int | None, float]]:
    """The status of the cached robots.txt of hosts, and when it is read again, in seconds since the epoch. None: no response."""
    origins = {f"{scheme}://{host}": host for host in hosts for scheme in ("http", "https")}
    found: dict[str, tuple[int | None, float]] = {}
    names = sorted(origins)
    with database.read() as connection:
        for start in range(0, len(names), NAMES_AT_ONCE):
            here = ROBOTS.c.origin.in_(names[start : start + NAMES_AT_ONCE])
            for row in connection.execute(select(ROBOTS.c.origin, ROBOTS.c.status, ROBOTS.c.expires_at).where(here)):
                found[origins[row.origin]] = (row.status, row.expires_at)
    return found


def due_by_host(database: Database, crawl: str, now: float) -> dict[int, int]:
    """How many URLs of a crawl are due and wait in no run, by host; of the MOST_DUE that are due longest."""
    due = (URLS.c.crawl == crawl) & URLS.c.run_no.is_(None) & (URLS.c.due_at <= now) & URLS.c.held.is_(None)
    first = select(URLS.c.host_id).where(due).order_by(URLS.c.due_at).limit(MOST_DUE).subquery()
    with database.read() as connection:
        rows = connection.execute(select(first.c.host_id, func.count().label("number")).group_by(first.c.host_id))
        return {row.host_id: row.number for row in rows}


def last_run_use(database: Database, crawl: str) -> tuple[str, dict[int, HostUse]] | None:
    """The newest run of a crawl: its configuration as JSON, and what it has used of its budgets, by host. None without a run."""
    newest = select(CRAWL_RUNS.c.run_no, CRAWL_RUNS.c.config).where(CRAWL_RUNS.c.crawl == crawl).order_by(CRAWL_RUNS.c.run_no.desc())
    columns = (RUN_HOSTS.c.host_id, RUN_HOSTS.c.due, RUN_HOSTS.c.pending, RUN_HOSTS.c.received)
    with database.read() as connection:
        run = connection.execute(newest.limit(1)).one_or_none()
        if run is None:
            return None
        rows = connection.execute(select(*columns).where(RUN_HOSTS.c.run_no == run.run_no))
        return run.config, {row.host_id: HostUse(row.due - row.pending, row.received) for row in rows}


def queued_urls(database: Database, crawls: Sequence[str], now: float) -> dict[str, int]:
    """How many URLs of crawls wait in open runs or are due; of each crawl, at most MOST_DUE that are due."""
    pending = select(CRAWL_RUNS.c.crawl, func.sum(RUN_HOSTS.c.pending)).join(RUN_HOSTS, RUN_HOSTS.c.run_no == CRAWL_RUNS.c.run_no)
    open_runs = pending.where(CRAWL_RUNS.c.state != "closed", RUN_HOSTS.c.pending > 0).group_by(CRAWL_RUNS.c.crawl)
    found: dict[str, int] = {}
    with database.read() as connection:
        waiting = {row[0]: int(row[1]) for row in connection.execute(open_runs)}
        for crawl in crawls:
            due = (URLS.c.crawl == crawl) & URLS.c.run_no.is_(None) & (URLS.c.due_at <= now) & URLS.c.held.is_(None)
            first = select(URLS.c.url_id).where(due).limit(MOST_DUE).subquery()
            found[crawl] = waiting.get(crawl, 0) + (connection.scalar(select(func.count()).select_from(first)) or 0)
    return found
