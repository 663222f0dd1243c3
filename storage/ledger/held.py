"""What the gate holds back: the rows of a dataset of a crawl run, until somebody decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from schemas.errors import ConflictError, NotFoundError
from storage.database.clock import current_time
from storage.database.engine import Database
from storage.database.ledger_tables import HELD

ACCEPTED, DISCARDED = "accepted", "discarded"


@dataclass(frozen=True, slots=True)
class Held:
    """The rows of a dataset of one crawl run, and why they are held back; who decided what of them, and why.

    `process_run` is the one that held them back.
    """

    crawl_run: str
    dataset: str
    crawl: str
    reason: str
    held_at: datetime | None = None
    decision: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
    process_run: str | None = None


def hold_rows(database: Database, process_run: str, held: Sequence[Held]) -> None:
    """Enter what a process run holds back, in place of what it held back before. What is decided stays as it is."""
    mine = (HELD.c.process_run == process_run) & HELD.c.decision.is_(None)
    with database.write() as connection:
        connection.execute(delete(HELD).where(mine))
        there = {(row.crawl_run, row.dataset) for row in connection.execute(select(HELD.c.crawl_run, HELD.c.dataset))}
        now = current_time(connection, None)
        for one in held:
            if (one.crawl_run, one.dataset) not in there:
                values = {"crawl_run": one.crawl_run, "dataset": one.dataset, "crawl": one.crawl, "reason": one.reason}
                connection.execute(insert(HELD).values(**values, process_run=process_run, held_at=now))


def hold_again(database: Database, process_run: str, held: Sequence[Held], crawl_runs: Sequence[str], datasets: Sequence[str]) -> None:
    """Enter all that a process run holds back of crawl runs whose rows it has made again or taken out. Doing it again changes nothing.

    What passed of these datasets is not held any more. What was decided on earlier rows does not hold for the rows that are there now.
    """
    with database.write() as connection:
        mine = connection.scalar(select(HELD.c.process_run).where(HELD.c.process_run == process_run).limit(1))
        if mine is not None:  # somebody may have decided since
            return
        now = current_time(connection, None)
        connection.execute(delete(HELD).where(HELD.c.crawl_run.in_(crawl_runs), HELD.c.dataset.in_(datasets)))
        for one in held:
            connection.execute(delete(HELD).where(HELD.c.crawl_run == one.crawl_run, HELD.c.dataset == one.dataset))
            values = {"crawl_run": one.crawl_run, "dataset": one.dataset, "crawl": one.crawl, "reason": one.reason}
            connection.execute(insert(HELD).values(**values, process_run=process_run, held_at=now))


def list_held(database: Database, crawl: str | None = None) -> list[Held]:
    """What is or was held back of a crawl, or of all, the oldest first."""
    query = select(HELD).order_by(HELD.c.held_at, HELD.c.crawl_run, HELD.c.dataset)
    with database.read() as connection:
        rows = connection.execute(query if crawl is None else query.where(HELD.c.crawl == crawl)).mappings().all()
    return [_held(row) for row in rows]


def discard_held(database: Database, crawl_run: str, dataset: str | None, decided_by: str, reason: str) -> int:
    """Decide that rows of a crawl run are never published; of how many datasets. Raises NotFoundError where nothing waits."""
    here = (HELD.c.crawl_run == crawl_run) & HELD.c.decision.is_(None)
    if dataset is not None:
        here &= HELD.c.dataset == dataset
    with database.write() as connection:
        decided = {"decision": DISCARDED, "decided_by": decided_by, "decision_reason": reason}
        count = connection.execute(update(HELD).where(here).values(**decided, decided_at=current_time(connection, None))).rowcount
    if not count:
        raise _nothing_held(crawl_run, dataset)
    return count


def held_of(database: Database, crawl_run: str, dataset: str | None = None) -> list[Held]:
    """What is or was held back of a crawl run, sorted by dataset. Raises NotFoundError where nothing ever was."""
    query = select(HELD).where(HELD.c.crawl_run == crawl_run).order_by(HELD.c.dataset)
    with database.read() as connection:
        rows = connection.execute(query if dataset is None else query.where(HELD.c.dataset == dataset)).mappings().all()
    if not rows:
        raise _nothing_held(crawl_run, dataset)
    return [_held(row) for row in rows]


def accept_held(connection: Connection, crawl_runs: Sequence[str], datasets: Sequence[str], decided_by: str, reason: str) -> None:
    """Enter that rows are accepted, inside the transaction that publishes them. Entering it again changes nothing."""
    here = HELD.c.crawl_run.in_(crawl_runs) & HELD.c.dataset.in_(datasets) & HELD.c.decision.is_(None)
    decided = {"decision": ACCEPTED, "decided_by": decided_by, "decision_reason": reason}
    connection.execute(update(HELD).where(here).values(**decided, decided_at=current_time(connection, None)))


def check_waiting(connection: Connection, crawl_run: str, datasets: Sequence[str]) -> None:
    """Raise ConflictError unless all these datasets wait for a decision. Nobody else decides until the transaction ends."""
    here = (HELD.c.crawl_run == crawl_run) & HELD.c.dataset.in_(datasets) & HELD.c.decision.is_(None)
    waiting = set(connection.scalars(select(HELD.c.dataset).where(here).with_for_update()))
    if decided := sorted(set(datasets) - waiting):
        raise ConflictError(f"{', '.join(decided)} of {crawl_run} was decided meanwhile. `crawlhouse gate list` shows it.")


def _nothing_held(crawl_run: str, dataset: str | None) -> NotFoundError:
    what = f"the dataset {dataset!r} of {crawl_run!r}" if dataset else repr(crawl_run)
    return NotFoundError(f"Nothing of {what} is held back. `crawlhouse gate list` shows what is.")


def _held(row: RowMapping) -> Held:
    return Held(
        row["crawl_run"],
        row["dataset"],
        row["crawl"],
        row["reason"],
        _time(row["held_at"]),
        row["decision"],
        row["decided_by"],
        _time(row["decided_at"]),
        row["decision_reason"],
        row["process_run"],
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
