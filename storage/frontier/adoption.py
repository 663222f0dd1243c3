"""Registers a segment that no worker of this database fetched, with what its captures say of their URLs. One transaction: all or nothing.

The run is open and no URL waits in it. So every URL enters it and leaves it in the same transaction, and the run's equation holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, select, update

from schemas.capture import UrlKind
from schemas.manifest import Segment
from schemas.outcomes import FetchOutcome, Reason
from storage.database.clock import Clock, current_time
from storage.database.engine import Database
from storage.database.frontier_tables import FETCHES, RUN_HOSTS, URLS
from storage.database.ledger_tables import SEGMENTS
from storage.database.upsert import upsert
from storage.frontier.enqueue import LOOKUP_ROWS, count_waiting, host_ids, insert_urls
from storage.frontier.queries import due_url, run_number
from storage.frontier.records import Discovery, DueUrl, EarlierCapture, FetchResult
from storage.frontier.registration import add_totals, visit_values
from storage.ledger.ledger import insert_segment
from storage.urls.host_key import canonical_host, url_digest

WORKER = "adopt"


@dataclass(frozen=True, slots=True)
class AdoptedUrl:
    """What a capture says of its URL, which is canonical. `fetched_at` is in seconds since the epoch.

    `is_page`: whether it is a page, a feed or a sitemap, and no picture or style sheet. `capture` is what a later revisit record may refer
    to, None if that is not possible.
    """

    url: str
    kind: UrlKind
    is_page: bool
    via: str | None
    depth: int
    status: int
    fetched_at: float
    outcome: FetchOutcome
    reason: Reason | None
    capture: EarlierCapture | None


Learn = Callable[[DueUrl, AdoptedUrl], FetchResult]


def adopt_segment(
    database: Database, crawl_run: str, crawl: str, segment: Segment, urls: Sequence[AdoptedUrl], learn: Learn, clock: Clock | None = None
) -> bool:
    """Register a segment, once; whether it was not registered before. `urls` may name a URL several times: its last capture counts.

    `learn` makes the result of a URL that no later fetch is known of. Raises RunClosedError if the run is closed or is being closed.
    """
    latest = {one.url: one for one in sorted(urls, key=lambda one: one.fetched_at)}
    with database.write() as connection:
        if connection.scalar(select(SEGMENTS.c.segment).where(SEGMENTS.c.segment == segment.segment)) is not None:
            return False
        run_no, now = run_number(connection, crawl_run), current_time(connection, clock)
        rows = _known_urls(connection, crawl, list(latest.values()), now)
        results = [_result(row, latest[row["url"]], learn) for row in rows]
        fresh = _write_fetches(connection, run_no, results)
        for row, result in zip(rows, results, strict=True):
            if row["run_no"] is None and _is_news(row, result.fetched_at):
                values = {**visit_values(result), "first_seen": min(row["first_seen"], result.fetched_at)}
                connection.execute(update(URLS).where(URLS.c.url_id == result.url_id).values(values))
        _count_due(connection, run_no, [result for result in results if result.url_id in fresh])
        insert_segment(connection, crawl_run, WORKER, segment, now)
        add_totals(connection, crawl_run, [result for result in results if result.url_id in fresh], segment)
    return True


def _known_urls(connection: Connection, crawl: str, urls: Sequence[AdoptedUrl], now: float) -> list[RowMapping]:
    """The rows of URLs, in the order of their ids; those that the crawl does not know are added."""
    hosts = host_ids(connection, (canonical_host(one.url) for one in urls))
    found = [Discovery(one.url, one.kind, one.via, one.depth) for one in urls]
    insert_urls(connection, crawl, None, found, hosts, now)
    digests = sorted(url_digest(crawl, one.url) for one in urls)
    rows: list[RowMapping] = []
    for part in _parts(digests):
        query = select(URLS).where(URLS.c.digest.in_(part)).order_by(URLS.c.url_id).with_for_update()
        rows += connection.execute(query).mappings()
    return sorted(rows, key=lambda row: row["url_id"])


def _is_news(row: RowMapping, fetched_at: float) -> bool:
    """Whether the frontier knows of no later fetch of a URL."""
    return row["last_fetch"] is None or row["last_fetch"] < fetched_at


def _result(row: RowMapping, found: AdoptedUrl, learn: Learn) -> FetchResult:
    if _is_news(row, found.fetched_at):
        due = due_url(row, {}, {})
        return learn(replace(due, first_seen=min(due.first_seen, found.fetched_at)), found)
    return FetchResult(row["url_id"], row["host_id"], found.outcome, found.reason, found.status, found.fetched_at)


def _write_fetches(connection: Connection, run_no: int, results: Sequence[FetchResult]) -> set[int]:
    """Write what became of URLs in the run; the last fetch counts. Returns the URLs that the run did not have yet."""
    ids = sorted(result.url_id for result in results)
    there: set[int] = set()
    for part in _parts(ids):
        there.update(connection.scalars(select(FETCHES.c.url_id).where(FETCHES.c.run_no == run_no, FETCHES.c.url_id.in_(part))))
    statement = upsert(connection, FETCHES)
    new = {name: getattr(statement.excluded, name) for name in ("outcome", "reason", "status", "fetched_at")}
    statement = statement.on_conflict_do_update(
        index_elements=["run_no", "url_id"], set_=new, where=statement.excluded.fetched_at >= FETCHES.c.fetched_at
    )
    if results:
        connection.execute(statement, [_fetch(result, run_no) for result in results])
    return set(ids) - there


def _count_due(connection: Connection, run_no: int, results: Sequence[FetchResult]) -> None:
    """Count URLs as due in the run, and as done."""
    counts: dict[int, int] = {}
    for result in results:
        counts[result.host_id] = counts.get(result.host_id, 0) + 1
    count_waiting(connection, run_no, counts)
    for host_id, count in sorted(counts.items()):
        here = (RUN_HOSTS.c.run_no == run_no) & (RUN_HOSTS.c.host_id == host_id)
        connection.execute(update(RUN_HOSTS).where(here).values(pending=RUN_HOSTS.c.pending - count))


def _fetch(result: FetchResult, run_no: int) -> dict[str, object]:
    return {
        "run_no": run_no,
        "url_id": result.url_id,
        "outcome": result.outcome.value,
        "reason": result.reason.value if result.reason else None,
        "status": result.status,
        "fetched_at": result.fetched_at,
    }


def _parts(values: Sequence[bytes] | Sequence[int]) -> Iterator[Sequence[bytes] | Sequence[int]]:
    for start in range(0, len(values), LOOKUP_ROWS):
        yield values[start : start + LOOKUP_ROWS]
