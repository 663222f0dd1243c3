"""`budgets.max_pages` across all workers of a run, inside the caller's transaction: pages are set aside before they are fetched.

A page counts once it is registered as fetched, so that fetched pages are never more than the budget, whoever dies in between. What a
worker set aside and did not use falls back to the run: given back by itself, or taken from it when it was not heard of for a whole lease
and others need it; should it still live, its next registering transaction is refused, as if it had lost a host.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, func, select, update

from schemas.errors import FencedError
from schemas.outcomes import FetchOutcome
from storage.database.frontier_tables import WORKERS
from storage.database.ledger_tables import CRAWL_RUNS
from storage.frontier.records import FetchResult, PageGrant
from storage.frontier.registration import FENCED_MESSAGE

MAX_GRANT_PAGES = 100
GRANT_SHARE = 8  # a grant is at most this part of what is left, so that near the end no worker sits on pages that others could fetch


def reserve_pages(connection: Connection, run_no: int, worker: str, attempt: int, limit: int, now: float, silent: float) -> PageGrant:
    """Sets pages aside for a worker, none where `limit` is reached. Workers not heard of for `silent` seconds lose theirs if need be."""
    mine = and_(WORKERS.c.run_no == run_no, WORKERS.c.worker == worker, WORKERS.c.attempt == attempt)
    if connection.scalar(select(WORKERS.c.attempt).where(mine).with_for_update()) is None:
        raise FencedError(FENCED_MESSAGE.format(what=f"the name '{worker}'"))
    pages = connection.scalar(select(CRAWL_RUNS.c.pages).where(CRAWL_RUNS.c.run_no == run_no).with_for_update()) or 0
    left = limit - pages - _reserved(connection, run_no)
    if left <= 0 and _take_back_from_silent(connection, run_no, worker, now - silent):
        left = limit - pages - _reserved(connection, run_no)
    granted = min(MAX_GRANT_PAGES, max(1, left // GRANT_SHARE)) if left > 0 else 0
    connection.execute(update(WORKERS).where(mine).values(reserved=func.coalesce(WORKERS.c.reserved, 0) + granted, seen_at=now))
    return PageGrant(granted, pages)


def release_pages(connection: Connection, run_no: int, worker: str, attempt: int, count: int | None) -> None:
    """Gives back pages that a worker set aside and will not fetch; all of them where `count` is None."""
    mine = and_(WORKERS.c.run_no == run_no, WORKERS.c.worker == worker, WORKERS.c.attempt == attempt, WORKERS.c.reserved > 0)
    left = 0 if count is None else WORKERS.c.reserved - count
    connection.execute(update(WORKERS).where(mine).values(reserved=left))


def spend_pages(connection: Connection, run_no: int, worker: str, results: Sequence[FetchResult], now: float) -> None:
    """Turns pages set aside into fetched ones; first in its transaction. Raises FencedError where they were taken away."""
    fetched = sum(result.outcome is FetchOutcome.FETCHED for result in results)
    mine = and_(WORKERS.c.run_no == run_no, WORKERS.c.worker == worker)
    reserved = connection.scalar(select(WORKERS.c.reserved).where(mine).with_for_update())
    if reserved is None:  # it never asked: this caller counts for itself
        return
    if reserved < fetched:
        raise FencedError(FENCED_MESSAGE.format(what="the rest of the page budget"))
    connection.execute(update(WORKERS).where(mine).values(reserved=reserved - fetched, seen_at=now))


def _reserved(connection: Connection, run_no: int) -> int:
    return int(connection.scalar(select(func.sum(WORKERS.c.reserved)).where(WORKERS.c.run_no == run_no)) or 0)


def _take_back_from_silent(connection: Connection, run_no: int, worker: str, before: float) -> bool:
    """Rows that someone is writing just now belong to the living, and waiting for them could never end."""
    silent = and_(WORKERS.c.run_no == run_no, WORKERS.c.worker != worker, WORKERS.c.reserved > 0, WORKERS.c.seen_at < before)
    names = list(connection.scalars(select(WORKERS.c.worker).where(silent).with_for_update(skip_locked=True)))
    if names:
        connection.execute(update(WORKERS).where(silent, WORKERS.c.worker.in_(names)).values(reserved=0))
    return bool(names)
