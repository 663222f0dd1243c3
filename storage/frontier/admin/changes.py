"""Changing the frontier by hand, also while workers run.

No lease is taken or ended here. A URL that waits in an open run stays with the worker that has leased its host: the worker reads `held`
before every fetch and writes the result itself. So fencing and the accounting of the run stay true.

Changes of many URLs are made in many short transactions. They may be repeated if they were interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, delete, func, or_, select, tuple_, update
from sqlalchemy.exc import DataError

from schemas.config.settings import Settings
from schemas.errors import ConfigError, ConflictError, NotFoundError
from storage.database.chunks import CHUNK_ROWS, pause, write_chunks
from storage.database.clock import Clock, current_time
from storage.database.engine import Database, open_database
from storage.database.frontier_tables import FETCHES, HINTS, HOSTS, RUN_HOSTS, SEED_HOSTS, URLS, WORKERS
from storage.database.ledger_tables import ALARMS, CRAWL_RUNS, HELD, MEMORIES
from storage.frontier.admin.conditions import conditions, state_column
from storage.frontier.admin.selection import Change, Selection, UrlState
from storage.frontier.renaming import check_not_renaming, end_renaming, is_renaming, start_renaming
from storage.urls.host_key import url_digest
from storage.urls.request_body import describe_request


@dataclass(frozen=True, slots=True)
class UrlRow:
    """A URL of the frontier, for people. Times in seconds since the epoch; `worker` is the worker that holds its host now.

    `request` is GET, or the method of a spider's request and the beginning of its body: each request has its own row.
    """

    url: str
    crawl: str
    host: str
    kind: str
    state: str
    due_at: float | None
    last_outcome: str | None
    last_reason: str | None
    last_status: int | None
    last_fetch: float | None
    fails: int
    worker: str | None
    request: str


def open_frontier_admin(settings: Settings, clock: Clock | None = None) -> FrontierAdmin:
    """Access to the frontier of this home for changes by hand. Raises UnavailableError, StorageError."""
    return FrontierAdmin(open_database(settings.database_url("frontier")), clock)


class FrontierAdmin:
    """Counts, lists and changes URLs. `clock` gives seconds since the epoch; without it the database's clock is used."""

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock

    def counts(self, selection: Selection) -> dict[tuple[str, str], int]:
        """How many of the URLs are in which state: (crawl, state) -> number. Raises ConfigError for a bad pattern."""
        now = self._now()
        state = state_column(now).label("state")
        query = select(URLS.c.crawl, state, func.count().label("number")).where(*conditions(selection, now))
        with _patterns_checked(), self._database.read() as connection:
            rows = connection.execute(query.group_by(URLS.c.crawl, state).order_by(URLS.c.crawl, state))
            return {(row.crawl, row.state): row.number for row in rows}

    def urls(self, selection: Selection, limit: int) -> list[UrlRow]:
        """The first `limit` of the URLs, in the order in which they were found. Raises ConfigError for a bad pattern."""
        now = self._now()
        live = and_(HOSTS.c.leased, HOSTS.c.free_at > now)
        names = ("url", "crawl", "kind", "due_at", "last_outcome", "last_reason", "last_status", "last_fetch", "fails")
        query = select(
            *(URLS.c[name] for name in names),
            URLS.c.request,
            HOSTS.c.host,
            HOSTS.c.lease_worker,
            live.label("live"),
            state_column(now).label("state"),
        )
        query = query.join(HOSTS, HOSTS.c.host_id == URLS.c.host_id).where(*conditions(selection, now)).order_by(URLS.c.url_id).limit(limit)
        with _patterns_checked(), self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            UrlRow(
                **{name: row[name] for name in names},
                host=row["host"],
                state=row["state"],
                worker=row["lease_worker"] if row["live"] else None,
                request=describe_request(row["request"]),
            )
            for row in rows
        ]

    def change(self, selection: Selection, change: Change) -> int:
        """Change the URLs; returns how many. URLs that wait in an open run are not retried. Raises ConfigError for a bad pattern."""
        now = self._now()
        affected, values = _rows_and_values(change, now)
        chosen = select(URLS.c.url_id).where(affected, *conditions(selection, now)).order_by(URLS.c.url_id).limit(CHUNK_ROWS)
        last, count = -1, 0
        while True:
            with _patterns_checked(), self._database.read() as connection:  # a pattern may take long; reading blocks no other writer
                rows = list(connection.scalars(chosen.where(URLS.c.url_id > last)))
            # The rows are locked in the order of their ids, as workers lock them: this prevents deadlocks.
            mine = select(URLS.c.url_id).where(affected, URLS.c.url_id.in_(rows)).order_by(URLS.c.url_id).with_for_update()
            if rows:
                with self._database.write() as connection:
                    count += connection.execute(update(URLS).where(URLS.c.url_id.in_(mine)).values(values)).rowcount
            if len(rows) < CHUNK_ROWS:
                return count
            last = rows[-1]
            pause(self._database)

    def delete_crawl(self, crawl: str) -> int:
        """Delete a crawl's URLs and the outcomes of their fetches; its runs stay in the ledger. Returns how many URLs.

        Raises NotFoundError if the frontier does not know the crawl, and ConflictError while it has an open run.
        """
        with self._database.read() as connection:
            check_not_renaming(connection, crawl)
            self._check_no_open_run(connection, crawl)
        runs = select(CRAWL_RUNS.c.run_no).where(CRAWL_RUNS.c.crawl == crawl)
        for table in (FETCHES, RUN_HOSTS, WORKERS):
            self._delete(table, table.c.run_no.in_(runs))
        self._delete(HINTS, HINTS.c.crawl == crawl)
        self._delete(SEED_HOSTS, SEED_HOSTS.c.crawl == crawl)
        return self._delete(
            URLS, URLS.c.crawl == crawl
        )  # last: as long as some are left, the crawl is known and the deletion can be repeated

    def _delete(self, table: Table, chosen: ColumnElement[bool]) -> int:
        key = tuple(table.primary_key.columns)

        def delete_some(connection: Connection, limit: int) -> int:
            rows = select(*key).where(chosen).limit(limit)
            return connection.execute(delete(table).where(tuple_(*key).in_(rows))).rowcount

        return write_chunks(self._database, delete_some)

    def rename_crawl(self, old: str, new: str) -> int:
        """Move a crawl's URLs and the version of its site memory to another name; its runs keep the old name. Returns how many URLs.

        If it was interrupted, repeat it to complete it; until then neither crawl can be planned. Raises NotFoundError if the frontier does
        not know the crawl, and ConflictError while it has an open run, or if the new name is taken.
        """
        with self._database.write() as connection:
            if not is_renaming(connection, old, new):
                self._check_no_open_run(connection, old)
                if _has_urls(connection, new):
                    raise ConflictError(f"The frontier knows a crawl {new!r} already. Choose another name, or delete that one first.")
                start_renaming(connection, old, new)
                _move_memory_and_trust(connection, old, new)
        return write_chunks(self._database, lambda connection, limit: _rename_urls(connection, old, new, limit))

    def crawls(self) -> list[str]:
        """The crawls that the frontier knows, sorted."""
        with self._database.read() as connection:
            return sorted(connection.scalars(select(CRAWL_RUNS.c.crawl).union(select(URLS.c.crawl))))

    def close(self) -> None:
        """Close the database connections."""
        self._database.close()

    def _now(self) -> float:
        with self._database.read() as connection:
            return current_time(connection, self._clock)

    def _check_no_open_run(self, connection: Connection, crawl: str) -> None:
        if not _has_urls(connection, crawl):
            raise NotFoundError(f"The frontier knows no crawl {crawl!r}: it was never planned, or it was deleted or renamed.")
        query = select(CRAWL_RUNS.c.crawl_run).where(CRAWL_RUNS.c.crawl == crawl, CRAWL_RUNS.c.state != "closed")
        run = connection.scalar(query)
        if run is not None:
            raise ConflictError(f"The crawl {crawl} has an open run, {run}. End it with `crawlhouse stop {crawl}` first.")


def _rows_and_values(change: Change, now: float) -> tuple[ColumnElement[bool], Mapping[str, object]]:
    """Which rows a change applies to, and their new values."""
    held = URLS.c.held
    if change is Change.RETRY:
        return URLS.c.run_no.is_(None), {"due_at": now, "held": None, "fails": 0}
    if change is Change.RESUME:
        return held == UrlState.PAUSED.value, {"held": None}
    if change is Change.PAUSE:
        return held.is_(None), {"held": UrlState.PAUSED.value}
    return or_(held.is_(None), held != UrlState.DROPPED.value), {"held": UrlState.DROPPED.value}


def _has_urls(connection: Connection, crawl: str) -> bool:
    return connection.scalar(select(URLS.c.url_id).where(URLS.c.crawl == crawl).limit(1)) is not None


def _move_memory_and_trust(connection: Connection, old: str, new: str) -> None:
    """Move a crawl's site memory, its trust in sources, its seeds' hosts, its alarms and what the gate holds back to the new name.

    Memory, trust, hosts and alarms of a deleted crawl of that name are removed.
    """
    for table in (MEMORIES, HINTS, SEED_HOSTS, ALARMS):
        connection.execute(delete(table).where(table.c.crawl == new))
    for table in (MEMORIES, HINTS, SEED_HOSTS, ALARMS, HELD):
        connection.execute(update(table).where(table.c.crawl == old).values(crawl=new))


def _rename_urls(connection: Connection, old: str, new: str, limit: int) -> int:
    query = select(URLS.c.url_id, URLS.c.url, URLS.c.request).where(URLS.c.crawl == old).order_by(URLS.c.url_id).limit(limit)
    rows = connection.execute(query).all()
    if rows:
        statement = update(URLS).where(URLS.c.url_id == bindparam("_url_id")).values(crawl=new, digest=bindparam("_digest"))
        connection.execute(statement, [{"_url_id": row.url_id, "_digest": url_digest(new, row.url, row.request)} for row in rows])
    if len(rows) < limit:
        end_renaming(connection, old, new)
    return len(rows)


@contextmanager
def _patterns_checked() -> Iterator[None]:
    """Turn PostgreSQL's error about a pattern that it does not understand into a ConfigError."""
    try:
        yield
    except DataError as error:
        message = str(error.orig).splitlines()[0]
        raise ConfigError(f"The database does not understand the pattern: {message}. Write it in a simpler way.") from error
