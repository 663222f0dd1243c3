"""Planning a run: which URLs it fetches. It takes many short transactions, so that other writers need not wait.

The state of the run is `planning` until all its URLs are in it, then `open`. If planning is interrupted, planning the same run again
completes it; every step may be done twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, func, insert, literal, select, update

from runtime import failpoint
from schemas.capture import UrlKind
from schemas.config.crawl import Crawl
from schemas.errors import RunClosedError
from schemas.outcomes import Reason
from schemas.runs import CrawlRun
from storage.database.chunks import pause, write_chunks
from storage.database.clock import Clock, current_time
from storage.database.engine import Database
from storage.database.frontier_tables import RUN_HOSTS, URLS, WORKERS
from storage.database.ledger_tables import CRAWL_RUNS
from storage.frontier.due_plan import (
    count_budget_shortfall,
    count_due_urls,
    fitting_revisits,
    is_deferrable,
    is_due,
    next_due,
    revisit_priority,
)
from storage.frontier.enqueue import host_ids, insert_urls, set_due
from storage.frontier.queries import run_number
from storage.frontier.records import BudgetShortfall, Discovery
from storage.frontier.renaming import check_not_renaming
from storage.ledger.ledger import insert_crawl_run
from storage.urls.host_key import canonical_host

GIVEN_ROWS = 2_000  # in one transaction; chosen: it ends well within a second
T = TypeVar("T")
Values = Mapping[str, float | int | ColumnElement[int] | None]
DueAgain = Callable[[UrlKind, str, int, str], float]
PLANNING, OPEN, CLOSED = "planning", "open", "closed"


def plan_run(database: Database, run: CrawlRun, seeds: Sequence[Discovery], wanted: Sequence[Discovery], clock: Clock | None) -> CrawlRun:
    """Plan a run, or complete its planning. If a run of the same key is planned already, it is returned unchanged.

    Raises RunClosedError if another process closes the run meanwhile, ConflictError while the crawl is being renamed.
    """
    with database.write() as connection:
        check_not_renaming(connection, run.crawl.name)
        planned, _ = insert_crawl_run(connection, run, PLANNING)
        run_no = run_number(connection, planned.crawl_run)
        now = current_time(connection, clock)
        if _state(connection, run_no) != PLANNING:
            return planned
    crawl = run.crawl.name
    for given in _batches([*seeds, *wanted]):
        _add_idle(database, crawl, given, now)
    for given in _batches(wanted):
        with database.write() as connection:
            set_due(connection, crawl, given, now)
    release_left_over(database, crawl)
    if _has_new_config(database, crawl, run_no):
        write_chunks(database, lambda connection, limit: _reschedule_out_of_scope(connection, crawl, now, limit))
    _take_due(database, run.crawl, run_no, now)
    with database.read() as connection:
        shortfall = count_budget_shortfall(connection, run.crawl, run_no, now)
    with database.write() as connection:
        _open(connection, planned.crawl_run, run_no, shortfall)
    return planned


def _open(connection: Connection, crawl_run: str, run_no: int, shortfall: BudgetShortfall) -> None:
    state = _state(connection, run_no)
    if state == PLANNING:
        count_hosts(connection, run_no)
        values = {"state": OPEN, "budget_shortfall": json.dumps(asdict(shortfall))}
        connection.execute(update(CRAWL_RUNS).where(CRAWL_RUNS.c.run_no == run_no).values(values))
    elif state != OPEN:  # OPEN: another process planned the same run at the same time, and was faster
        raise RunClosedError(f"The crawl run {crawl_run} was closed while it was being planned. Plan a new run.")


def reschedule(database: Database, crawl: str, due_again: DueAgain, now: float) -> int:
    """Give the URLs of a crawl that are scheduled for later the time that `due_again` says; returns how many were read.

    It is given the URL's kind, text, depth and the revisit policy's state, and returns seconds since the epoch. URLs that failed, and
    those that a hint made due, keep their time.
    """
    after = 0
    later = (URLS.c.crawl == crawl) & URLS.c.run_no.is_(None) & (URLS.c.due_at > now)
    later &= URLS.c.revisit.is_not(None) & (URLS.c.fails == 0) & URLS.c.hinted_by.is_(None)
    query = select(URLS.c.url_id, URLS.c.kind, URLS.c.url, URLS.c.depth, URLS.c.revisit).where(later).order_by(URLS.c.url_id)
    change = update(URLS).where(URLS.c.url_id == bindparam("_url_id"), URLS.c.run_no.is_(None)).values(due_at=bindparam("_due_at"))

    def change_some(connection: Connection, limit: int) -> int:
        nonlocal after
        rows = list(connection.execute(query.where(URLS.c.url_id > after).limit(limit)))
        if rows:
            after = rows[-1].url_id
            times = [{"_url_id": row.url_id, "_due_at": due_again(UrlKind(row.kind), row.url, row.depth, row.revisit)} for row in rows]
            connection.execute(change, times)
        return len(rows)

    return write_chunks(database, change_some)


def withdraw_run(database: Database, run_no: int) -> bool:
    """Remove an open run that has no URLs and that no worker has joined, as if it had not been planned. False if it has any."""
    with database.write() as connection:
        if _state(connection, run_no) != OPEN:
            return False
        for table in (RUN_HOSTS, WORKERS):
            if connection.scalar(select(func.count()).select_from(table).where(table.c.run_no == run_no)):
                return False
        connection.execute(delete(CRAWL_RUNS).where(CRAWL_RUNS.c.run_no == run_no))
    return True


def release_left_over(database: Database, crawl: str) -> int:
    """Release the URLs that wait in closed runs of a crawl: an interrupted close left them there, or an earlier release."""
    closed = select(CRAWL_RUNS.c.run_no).where(CRAWL_RUNS.c.state == CLOSED)  # of any crawl: runs keep their name when a crawl is renamed
    waiting = (URLS.c.crawl == crawl) & URLS.c.run_no.is_not(None) & URLS.c.run_no.in_(closed)
    return write_chunks(database, lambda connection, limit: _release_rows(connection, waiting, limit))


def release_run(database: Database, run_no: int) -> int:
    """Release the URLs that wait in a closed run."""
    return write_chunks(database, lambda connection, limit: _release_rows(connection, URLS.c.run_no == run_no, limit))


def count_hosts(connection: Connection, run_no: int) -> None:
    """Count the waiting URLs of a run by host. Done once, at the end of planning."""
    waiting = select(literal(run_no), URLS.c.host_id, func.count(), func.count()).where(URLS.c.run_no == run_no).group_by(URLS.c.host_id)
    connection.execute(insert(RUN_HOSTS).from_select(["run_no", "host_id", "due", "pending"], waiting))


def _batches(given: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(given), GIVEN_ROWS):
        yield given[start : start + GIVEN_ROWS]


def _state(connection: Connection, run_no: int) -> str:
    """The state of a run, whose row is locked."""
    return str(connection.scalar(select(CRAWL_RUNS.c.state).where(CRAWL_RUNS.c.run_no == run_no).with_for_update()))


def _add_idle(database: Database, crawl: str, given: Sequence[Discovery], now: float) -> None:
    """Add the URLs that the crawl does not know. They are due, but wait in no run yet."""
    with database.write() as connection:
        hosts = host_ids(connection, (canonical_host(one.url) for one in given))
        insert_urls(connection, crawl, None, given, hosts, now)
    if len(given) == GIVEN_ROWS:
        pause(database)


def _has_new_config(database: Database, crawl: str, run_no: int) -> bool:
    """Whether the crawl's configuration differs from the one of its previous run."""
    runs = select(CRAWL_RUNS.c.config_hash).where(CRAWL_RUNS.c.crawl == crawl, CRAWL_RUNS.c.run_no <= run_no)
    with database.read() as connection:
        return len(set(connection.scalars(runs.order_by(CRAWL_RUNS.c.run_no.desc()).limit(2)))) > 1


def _reschedule_out_of_scope(connection: Connection, crawl: str, now: float, limit: int) -> int:
    """Make the URLs due that were out of scope."""
    idle = (URLS.c.crawl == crawl) & URLS.c.run_no.is_(None) & URLS.c.due_at.is_(None)
    return _change_some(connection, idle & (URLS.c.last_reason == Reason.OUT_OF_SCOPE.value), {"due_at": now}, limit)


def _take_due(database: Database, crawl: Crawl, run_no: int, now: float) -> None:
    """Move due URLs of the crawl into the run; if its budgets do not cover all of them, only as many known articles as fit.

    Each due row is read only a few times, however many chunks there are.
    """
    with database.read() as connection:
        counts = count_due_urls(connection, crawl, run_no, now)
    if counts.all_fit():
        write_chunks(database, lambda connection, limit: _take_next(connection, crawl.name, run_no, now, limit))
        return
    _take_new(database, crawl.name, run_no, now)
    with database.read() as connection:
        chosen = fitting_revisits(connection, crawl, counts, now)
    for part in _batches(chosen):
        with database.write() as connection:
            _take(connection, crawl.name, run_no, now, list(part))
        failpoint.reached("between-chunks")
        pause(database)


def _take_next(connection: Connection, crawl: str, run_no: int, now: float, limit: int) -> int:
    """Move the next due URLs into the run. They leave the index of due URLs, so the next chunk does not read them again."""
    rows = next_due(connection, crawl, now, None, limit)
    return _take(connection, crawl, run_no, now, [row.url_id for row in rows])


def _take_new(database: Database, crawl: str, run_no: int, now: float) -> None:
    """Move the URLs into the run that are not deferrable, in the order of the index: so no chunk reads the rows of earlier ones again."""
    after: tuple[float, int] | None = None

    def take_next(connection: Connection, limit: int) -> int:
        nonlocal after
        rows = next_due(connection, crawl, now, after, limit)
        after = (rows[-1].due_at, rows[-1].url_id) if rows else after
        _take(connection, crawl, run_no, now, [row.url_id for row in rows if not row.is_deferrable])
        return len(rows)

    write_chunks(database, take_next)


def _take(connection: Connection, crawl: str, run_no: int, now: float, rows: Sequence[int]) -> int:
    """Move those rows into the run that are still due and wait in no run; known articles come last. Returns 0 if planning has ended."""
    if _state(connection, run_no) != PLANNING:
        return 0
    priority = case((is_deferrable(now), revisit_priority()), else_=URLS.c.priority)
    _change_rows(connection, rows, is_due(crawl, now), {"run_no": run_no, "priority": priority})
    return len(rows)


def _release_rows(connection: Connection, waiting: ColumnElement[bool], limit: int) -> int:
    return _change_some(connection, waiting, {"run_no": None}, limit)


def _change_some(connection: Connection, chosen: ColumnElement[bool], values: Values, limit: int) -> int:
    """Change up to `limit` of the chosen rows; returns how many were read."""
    rows = list(connection.scalars(select(URLS.c.url_id).where(chosen).limit(limit)))
    _change_rows(connection, rows, chosen, values)
    return len(rows)


def _change_rows(connection: Connection, rows: Sequence[int], chosen: ColumnElement[bool], values: Values) -> None:
    """Change those rows that still meet the condition. They are locked in the order of their ids, as in all other writers.

    The CASE prevents SQLite from using the index of the condition, which may hold all due or waiting URLs.
    """
    if rows:
        mine = select(URLS.c.url_id).where(URLS.c.url_id.in_(rows)).order_by(URLS.c.url_id).with_for_update()
        is_chosen = case((chosen, 1), else_=0) == 1
        connection.execute(update(URLS).where(URLS.c.url_id.in_(mine), is_chosen).values(dict(values)))
