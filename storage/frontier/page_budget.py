"""The budget `budgets.max_pages` over all workers of a run: a worker reserves pages before it fetches them.

A page is spent when it is registered as fetched. So there are never more fetched pages than the budget, whichever process crashes. A worker
releases the pages that it reserved and did not use. If a worker was silent for a whole lease and others need pages, its reservation is
taken away; if it still lives, its next registration is refused, as if it had lost a host. Works inside the caller's transaction.
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

MAX_GRANT_PAGES = 100  # chosen: a worker asks rarely, and a crashed worker keeps few pages from the others
GRANT_SHARE = 8  # a grant is at most an eighth of the remaining pages: near the end, no worker keeps pages that others could fetch


def reserve_pages(connection: Connection, run_no: int, worker: str, attempt: int, limit: int, now: float, silent: float) -> PageGrant:
    """Reserve pages for a worker, none if `limit` is reached. If necessary, workers that are silent for `silent` seconds lose theirs."""
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
    """Release reserved pages that the worker will not fetch; all of them if `count` is None."""
    mine = and_(WORKERS.c.run_no == run_no, WORKERS.c.worker == worker, WORKERS.c.attempt == attempt, WORKERS.c.reserved > 0)
    left = 0 if count is None else WORKERS.c.reserved - count
    connection.execute(update(WORKERS).where(mine).values(reserved=left))


def spend_pages(connection: Connection, run_no: int, worker: str, results: Sequence[FetchResult], now: float) -> None:
    """Turn reserved pages into fetched ones. Comes first in its transaction. Raises FencedError if the reservation was taken away."""
    fetched = sum(result.outcome is FetchOutcome.FETCHED for result in results)
    mine = and_(WORKERS.c.run_no == run_no, WORKERS.c.worker == worker)
    reserved = connection.scalar(select(WORKERS.c.reserved).where(mine).with_for_update())
    if reserved is None:  # it never reserved pages: the caller counts them itself
        return
    if reserved < fetched:
        raise FencedError(FENCED_MESSAGE.format(what="the rest of the page budget"))
    connection.execute(update(WORKERS).where(mine).values(reserved=reserved - fetched, seen_at=now))


def _reserved(connection: Connection, run_no: int) -> int:
    return int(connection.scalar(select(func.sum(WORKERS.c.reserved)).where(WORKERS.c.run_no == run_no)) or 0)


def _take_back_from_silent(connection: Connection, run_no: int, worker: str, before: float) -> bool:
    """Take the reservations of silent workers; whether there were any. Locked rows are skipped: their workers are alive."""
    silent = and_(WORKERS.c.run_no == run_no, WORKERS.c.worker != worker, WORKERS.c.reserved > 0, WORKERS.c.seen_at < before)
    names = list(connection.scalars(select(WORKERS.c.worker).where(silent).with_for_update(skip_locked=True)))
    if names:
        connection.execute(update(WORKERS).where(silent, WORKERS.c.worker.in_(names)).values(reserved=0))
    return bool(names)
