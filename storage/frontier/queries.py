"""Queries of the frontier's tables, inside the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, select, text

from schemas.capture import UrlKind
from schemas.errors import NotFoundError, RunClosedError
from schemas.manifest import FetchCounts
from schemas.outcomes import FetchOutcome
from schemas.page import Hints
from storage.database.frontier_tables import FETCHES, HOSTS, RUN_HOSTS, URLS, WORKERS
from storage.database.ledger_tables import CRAWL_RUNS
from storage.frontier.hint_trust import HintTrust
from storage.frontier.records import BudgetShortfall, DueUrl, EarlierCapture, HostOutcomes, RunPhase

SOURCE_KINDS = frozenset({UrlKind.FEED.value, UrlKind.SITEMAP.value})
NAMES_AT_ONCE = 500  # hosts named in one query
EXAMPLES = 5  # URLs that stand for others with the same outcome and reason
MAX_PRIMARY_SOURCES = 8  # of a host; usually there is one; two if they changed at the same time


def run_number(connection: Connection, crawl_run: str) -> int:
    """The number of a crawl run. Raises NotFoundError."""
    found = connection.scalar(select(CRAWL_RUNS.c.run_no).where(CRAWL_RUNS.c.crawl_run == crawl_run))
    if found is None:
        raise NotFoundError(f"There is no crawl run {crawl_run!r}.")
    return int(found)


def check_open(connection: Connection, run_no: int) -> None:
    """Raise RunClosedError unless the run is open. Its row is locked until the end of the transaction, so it cannot begin to close before.

    Call it last in a transaction that writes. Registering locks this row last too, which prevents deadlocks.
    """
    query = select(CRAWL_RUNS.c.crawl_run, CRAWL_RUNS.c.state).where(CRAWL_RUNS.c.run_no == run_no)
    row = connection.execute(query.with_for_update(read=True)).one()
    if row.state != "open":
        raise RunClosedError(f"The crawl run {row.crawl_run} is {row.state}: nothing more is fetched in it. Plan a new run.")


def ending_phase(connection: Connection, run_no: int) -> RunPhase | None:
    """STOPPING or CLOSED if the run's own row says so, otherwise None."""
    row = connection.execute(select(CRAWL_RUNS.c.state, CRAWL_RUNS.c.stopping).where(CRAWL_RUNS.c.run_no == run_no)).one()
    if row.state != "open":
        return RunPhase.CLOSED
    return RunPhase.STOPPING if row.stopping else None


def current_attempt(connection: Connection, run_no: int, worker: str) -> int:
    """The number of a worker's current attempt: how often it has joined the run."""
    return int(connection.scalar(select(WORKERS.c.attempt).where(WORKERS.c.run_no == run_no, WORKERS.c.worker == worker)) or 0)


def avoid_merge_joins(connection: Connection) -> None:
    """Make PostgreSQL find each open host by its key: a merge or hash join would read all hosts that are done."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL enable_mergejoin = off"))
        connection.execute(text("SET LOCAL enable_hashjoin = off"))


def has_waiting_urls(run_no: int) -> ColumnElement[bool]:
    """Whether a row of `run_hosts` has URLs to fetch in the run."""
    return and_(RUN_HOSTS.c.run_no == run_no, RUN_HOSTS.c.pending > 0, RUN_HOSTS.c.stopped.is_(None))


def is_leased_by_run(run_no: int, now: float) -> ColumnElement[bool]:
    """Whether a row of `hosts` is leased by a live worker of the run."""
    return and_(HOSTS.c.leased, HOSTS.c.lease_run == run_no, HOSTS.c.free_at > now)


def count_outcomes(connection: Connection, run_no: int) -> tuple[FetchCounts, dict[str, int]]:
    """What became of a run's URLs: the counts, and `outcome:reason` -> number.

    `due` is counted when URLs enter the run, the others when they leave it. So a lost URL becomes visible.
    """
    query = select(FETCHES.c.outcome, FETCHES.c.reason, func.count().label("number")).where(FETCHES.c.run_no == run_no)
    outcomes = dict.fromkeys((outcome.value for outcome in FetchOutcome), 0)
    reasons: dict[str, int] = {}
    for row in connection.execute(query.group_by(FETCHES.c.outcome, FETCHES.c.reason)):
        outcomes[row.outcome] += row.number
        if row.reason:
            reasons[f"{row.outcome}:{row.reason}"] = row.number
    outcomes["left_over"] = connection.scalar(select(func.count()).select_from(URLS).where(URLS.c.run_no == run_no)) or 0
    due = connection.scalar(select(func.sum(RUN_HOSTS.c.due)).where(RUN_HOSTS.c.run_no == run_no)) or 0
    return FetchCounts(due=int(due), **outcomes), reasons


def left_over_urls(connection: Connection, run_no: int) -> tuple[str, ...]:
    """Up to EXAMPLES of the URLs that wait in a run, which its close leaves over."""
    return tuple(connection.scalars(select(URLS.c.url).where(URLS.c.run_no == run_no).order_by(URLS.c.url_id).limit(EXAMPLES)))


def budget_shortfall(connection: Connection, run_no: int) -> BudgetShortfall:
    """The due URLs that a run's budgets do not cover, as counted by its planning; none for a run that an earlier release planned."""
    text = connection.scalar(select(CRAWL_RUNS.c.budget_shortfall).where(CRAWL_RUNS.c.run_no == run_no))
    return BudgetShortfall(**json.loads(text)) if text else BudgetShortfall(0, 0, 0)


def next_due_url(connection: Connection, crawl: str) -> tuple[float, str] | None:
    """When the next URL of a crawl is due that waits in no run, and which. None if no URL ever is."""
    idle = (URLS.c.crawl == crawl) & URLS.c.run_no.is_(None) & URLS.c.due_at.is_not(None) & URLS.c.held.is_(None)
    row = connection.execute(select(URLS.c.due_at, URLS.c.url).where(idle).order_by(URLS.c.due_at).limit(1)).one_or_none()
    return None if row is None else (row.due_at, row.url)


def count_due(connection: Connection, run_no: int) -> tuple[int, int]:
    """How many hosts have URLs in a run, and how many URLs these are."""
    row = connection.execute(select(func.count(), func.coalesce(func.sum(RUN_HOSTS.c.due), 0)).where(RUN_HOSTS.c.run_no == run_no)).one()
    return row[0], int(row[1])


def busiest_hosts(connection: Connection, run_no: int, limit: int) -> dict[str, int]:
    """The hosts with most URLs in a run, and how many. Of equals, the first by name."""
    query = _hosts_of_run(run_no, HOSTS.c.host, RUN_HOSTS.c.due).order_by(RUN_HOSTS.c.due.desc(), HOSTS.c.host)
    return {row.host: row.due for row in connection.execute(query.limit(limit))}


def due_by_host(connection: Connection, run_no: int, names: Collection[str]) -> dict[str, int]:
    """How many URLs some hosts have in a run, without those that have none."""
    found: dict[str, int] = {}
    for some in _batches(names):
        query = _hosts_of_run(run_no, HOSTS.c.host, RUN_HOSTS.c.due).where(HOSTS.c.host.in_(some))
        found |= {row.host: row.due for row in connection.execute(query)}
    return found


def host_outcomes(connection: Connection, run_no: int, names: Collection[str]) -> dict[str, HostOutcomes]:
    """What became of the URLs of some hosts in a run."""
    columns = (HOSTS.c.host_id, HOSTS.c.host, RUN_HOSTS.c.due, RUN_HOSTS.c.pending, RUN_HOSTS.c.stopped)
    found: dict[str, HostOutcomes] = {}
    for some in _batches(names):
        hosts = list(connection.execute(_hosts_of_run(run_no, *columns).where(HOSTS.c.host.in_(some))))
        found |= {row.host: HostOutcomes(row.due, row.pending, row.stopped) for row in hosts}
        names_by_id = {row.host_id: row.host for row in hosts}
        kinds = (URLS.c.host_id, FETCHES.c.outcome, FETCHES.c.reason)
        counts = select(*kinds, func.count().label("number")).join(URLS, URLS.c.url_id == FETCHES.c.url_id)
        here = (FETCHES.c.run_no == run_no) & URLS.c.host_id.in_(list(names_by_id))
        for row in connection.execute(counts.where(here).group_by(*kinds)):
            name = f"{row.outcome}:{row.reason}" if row.reason else row.outcome
            found[names_by_id[row.host_id]].reasons[name] = row.number
    return found


def _hosts_of_run(run_no: int, *columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns).join(RUN_HOSTS, RUN_HOSTS.c.host_id == HOSTS.c.host_id).where(RUN_HOSTS.c.run_no == run_no)


def _batches(names: Collection[str]) -> Iterator[list[str]]:
    ordered = iter(sorted(names))
    while some := list(islice(ordered, NAMES_AT_ONCE)):
        yield some


def primary_sources(connection: Connection, crawl: str, host_id: int) -> dict[int, str]:
    """The revisit states of a host's primary sources (feeds and sitemaps), by the ids of their URLs."""
    query = select(URLS.c.url_id, URLS.c.revisit).where(URLS.c.host_id == host_id, URLS.c.is_primary_source, URLS.c.crawl == crawl)
    return {row.url_id: row.revisit for row in connection.execute(query.order_by(URLS.c.url_id).limit(MAX_PRIMARY_SOURCES))}


def is_source_row(row: RowMapping) -> bool:
    """Whether a row of `urls` is a feed or sitemap, or a hub: a page that is visited for its links."""
    return row["kind"] in SOURCE_KINDS or str(row["revisit"]).startswith("[1,")


def due_url(row: RowMapping, primary_sources: Mapping[int, str], trust: Mapping[str, HintTrust]) -> DueUrl:
    """A row of `urls` as the URL that a worker fetches. `primary_sources` and `trust` are those of its host."""
    published = row["hint_published_at"]
    hinted = None if published is None else datetime.fromtimestamp(published, UTC)
    return DueUrl(
        url_id=row["url_id"],
        host_id=row["host_id"],
        url=row["url"],
        kind=UrlKind(row["kind"]),
        via=row["via"],
        depth=row["depth"],
        redirects=row["redirects"],
        priority=row["priority"],
        first_seen=row["first_seen"],
        revisit=row["revisit"],
        fails=row["fails"],
        etag=row["etag"],
        last_modified=row["last_modified"],
        earlier=_earlier(row),
        hints=Hints(row["hint_title"], hinted, row["hint_source"]),
        held=row["held"],
        request=row["request"],
        other_primary_sources=tuple(text for url_id, text in primary_sources.items() if url_id != row["url_id"])
        if is_source_row(row)
        else (),
        hinted_by=row["hinted_by"],
        hint_trust=trust,
    )


def _earlier(row: RowMapping) -> EarlierCapture | None:
    if row["capture_filename"] is None:
        return None
    return EarlierCapture(row["capture_filename"], row["capture_offset"], row["content_digest"], row["captured_at"])
