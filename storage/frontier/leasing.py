"""Leasing hosts inside the caller's transaction: how many a worker may have, which ones it gets, and what is known of each.

The hosts of a run that can be fetched from are shared out evenly over its live workers. What remains after division goes to the workers
that ask first. A worker that joins late takes what is free, and the others return what is above their share.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, and_, func, or_, select, update

from schemas.errors import FencedError
from storage.database.clock import up_since
from storage.database.frontier_tables import HOSTS, RUN_HOSTS, WORKERS
from storage.database.upsert import upsert
from storage.frontier.queries import avoid_merge_joins, current_attempt, has_waiting_urls
from storage.frontier.records import HostShare, Lease
from storage.frontier.registration import FENCED_MESSAGE

LEASE_SECONDS = 60.0  # chosen: longer than a database is busy, and a crashed worker's hosts are free after a minute
RESTART_SECONDS = 30.0  # chosen: until then each worker has noticed that the server is back, and has renewed its leases
MAX_ACTIVE_HOSTS = 64  # of a worker; chosen: bounds its memory and open connections


def join_run(connection: Connection, run_no: int, worker: str, now: float) -> tuple[int, list[Lease]]:
    """Add a worker to a run, or its next attempt. Returns the number of the attempt, and the leases taken over."""
    statement = upsert(connection, WORKERS).values(run_no=run_no, worker=worker, attempt=1, joined_at=now)
    again = {"attempt": WORKERS.c.attempt + 1, "joined_at": now, "ended_at": None, "active_hosts": 0}
    connection.execute(statement.on_conflict_do_update(index_elements=["run_no", "worker"], set_=again))
    mine = and_(HOSTS.c.leased, HOSTS.c.lease_run == run_no, HOSTS.c.lease_worker == worker)
    held = list(connection.execute(select(HOSTS).where(mine).order_by(HOSTS.c.host_id).with_for_update()))
    connection.execute(update(HOSTS).where(mine).values(token=HOSTS.c.token + 1, free_at=now + LEASE_SECONDS))
    return current_attempt(connection, run_no, worker), [_lease(row, run_no) for row in held]


def host_share(connection: Connection, run_no: int, worker: str, active: int, now: float) -> HostShare:
    """How many hosts a worker with `active` hosts may lease, and how many it should return."""
    others = _other_workers(connection, run_no, worker, now)
    room = max(MAX_ACTIVE_HOSTS - active, 0)
    if not others:
        return HostShare(room, 0)
    free = _count_free(connection, run_no, now, MAX_ACTIVE_HOSTS * (len(others) + 1))
    return divide(free, active, others)


def divide(free: int, active: int, others: Sequence[int]) -> HostShare:
    """Divide the hosts of a run: `free` ones, the `active` ones of the worker that asks, and those of each of the `others`."""
    workers = len(others) + 1
    least, over = divmod(free + active + sum(others), workers)
    most = least + (over > 0)
    missing = sum(max(least - hosts, 0) for hosts in others)
    room = min(max(least - active, 0), free)
    if active + room == least < most and free - room > missing:  # the others have enough with what stays free
        room += 1
    excess = active - most
    if active == most > least and all(hosts <= most for hosts in others):
        excess = min(1, missing - free)  # the only ones who can return a host that somebody misses
    return HostShare(min(room, max(MAX_ACTIVE_HOSTS - active, 0)), max(excess, 0))


def lease_free_hosts(connection: Connection, run_no: int, worker: str, limit: int, now: float) -> list[Lease]:
    """Lease up to `limit` hosts with waiting URLs that are free; expired leases are taken over.

    While the server was away, nobody could renew a lease. So expired leases stay with their owners for a moment after its start.
    """
    restarted = 0 <= now - up_since(connection) < RESTART_SECONDS
    avoid_merge_joins(connection)
    free = select(HOSTS).join(RUN_HOSTS, RUN_HOSTS.c.host_id == HOSTS.c.host_id).where(has_waiting_urls(run_no), HOSTS.c.free_at <= now)
    free = free.where(~HOSTS.c.leased) if restarted else free
    free = free.order_by(RUN_HOSTS.c.host_id).limit(limit).with_for_update(of=HOSTS, skip_locked=True)
    rows = list(connection.execute(free))
    if rows:
        ids = [row.host_id for row in rows]
        values = {"token": HOSTS.c.token + 1, "leased": True, "lease_run": run_no, "lease_worker": worker}
        connection.execute(update(HOSTS).where(HOSTS.c.host_id.in_(ids)).values(**values, free_at=now + LEASE_SECONDS))
        first = and_(RUN_HOSTS.c.run_no == run_no, RUN_HOSTS.c.host_id.in_(ids), RUN_HOSTS.c.begun_at.is_(None))
        connection.execute(update(RUN_HOSTS).where(first).values(begun_at=now))
    return [_lease(row, run_no) for row in rows]


def worker_reports(connection: Connection, run_no: int, worker: str, attempt: int, active: int, now: float) -> None:
    """A worker is alive, and has that many hosts. Raises FencedError if it was started again elsewhere."""
    mine = and_(WORKERS.c.run_no == run_no, WORKERS.c.worker == worker, WORKERS.c.attempt == attempt)
    if not connection.execute(update(WORKERS).where(mine).values(active_hosts=active, seen_at=now)).rowcount:
        raise FencedError(FENCED_MESSAGE.format(what=f"the name '{worker}'"))


def worker_ends(connection: Connection, run_no: int, worker: str, attempt: int, now: float) -> None:
    """A worker ends and has released its hosts: from now on it has no share."""
    mine = and_(WORKERS.c.run_no == run_no, WORKERS.c.worker == worker, WORKERS.c.attempt == attempt)
    connection.execute(update(WORKERS).where(mine).values(active_hosts=0, ended_at=now))


def _other_workers(connection: Connection, run_no: int, worker: str, now: float) -> list[int]:
    """The numbers of active hosts of the run's other live workers. One that was silent for a whole lease counts as gone."""
    heard = or_(WORKERS.c.joined_at > now - LEASE_SECONDS, WORKERS.c.seen_at > now - LEASE_SECONDS)
    live = and_(WORKERS.c.run_no == run_no, WORKERS.c.worker != worker, WORKERS.c.ended_at.is_(None), heard)
    return list(connection.scalars(select(WORKERS.c.active_hosts).where(live)))


def _count_free(connection: Connection, run_no: int, now: float, limit: int) -> int:
    """The hosts with waiting URLs that nobody has leased, also those that must be left alone for a short time. Counts up to a limit."""
    avoid_merge_joins(connection)
    free = select(HOSTS.c.host_id).join(RUN_HOSTS, RUN_HOSTS.c.host_id == HOSTS.c.host_id).where(has_waiting_urls(run_no))
    unleased = or_(HOSTS.c.free_at <= now, and_(~HOSTS.c.leased, HOSTS.c.free_at <= now + LEASE_SECONDS))
    some = free.where(unleased).order_by(RUN_HOSTS.c.host_id).limit(limit).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


def _lease(row: Row[tuple[object, ...]], run_no: int) -> Lease:
    """The new lease of a host, whose row is from before. Its previous owner may have asked it a moment ago, if it did not release it."""
    same_run = row.lease_run == run_no  # the next run begins without what happened in this one
    busy, failures = (row.busy, row.failures) if same_run else (0, 0)
    return Lease(row.host_id, row.host, row.token + 1, row.delay if row.leased else 0.0, busy, failures)
