"""What the frontier knows about one URL: how it was found, its state, and what became of it in each run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, select

from schemas.config.settings import Settings
from storage.database.clock import current_time
from storage.database.engine import open_database
from storage.database.frontier_tables import FETCHES, HOSTS, RUN_HOSTS, URLS
from storage.database.ledger_tables import CRAWL_RUNS, SEGMENTS
from storage.frontier.admin.conditions import state_column
from storage.frontier.hint_trust import HintTrust
from storage.frontier.hints import host_trust
from storage.urls.host_key import url_digest
from storage.urls.request_body import METHOD, describe_request

MAX_VIA = 20  # steps back to the seed; a loop ends earlier
MAX_POSTS = 100  # to show
POSITION = ("kind", "depth", "redirects", "priority", "first_seen", "due_at")
NOTES = (*POSITION, "held", "fails", "etag", "last_modified", "hint_title", "hint_source", "hinted_by", "is_primary_source", "revisit")
CAPTURE = ("capture_filename", "capture_offset", "captured_at", "content_digest")


@dataclass(frozen=True, slots=True)
class PastVisit:
    """What became of the URL in a run. `fetched_at` in seconds since the epoch."""

    crawl_run: str
    outcome: str
    reason: str | None
    status: int | None
    fetched_at: float


@dataclass(frozen=True, slots=True)
class UrlHistory:
    """A URL in a crawl's frontier.

    `via` are the URLs from the page that it was found on back to the seed. `waits_in` is the open run, `worker` the worker that has its
    host, and `stopped` the reason why that run stopped fetching from its host. `notes` and `capture` are columns of `urls`;
    `segment_registered` says whether the segment of the capture is registered. `trust` is, by kind of source, the trust in its hints on
    this host. `request` is GET, or the method and the beginning of the body of a spider's request.
    """

    url: str
    crawl: str
    state: str
    via: tuple[str, ...]
    visits: tuple[PastVisit, ...]
    waits_in: str | None
    worker: str | None
    stopped: str | None
    notes: dict[str, Any]  # Any: columns of several types, for showing
    capture: dict[str, Any] | None
    segment_registered: bool
    trust: dict[str, HintTrust]
    request: str


def read_history(settings: Settings, crawl: str, url: str) -> UrlHistory | None:
    """The history of a canonical URL in a crawl, None if the crawl never found it. Raises UnavailableError, StorageError."""
    return next(iter(_histories(settings, URLS.c.digest == url_digest(crawl, url))), None)


def read_post_histories(settings: Settings, crawl: str, url: str) -> list[UrlHistory]:
    """The histories of a spider's requests with a body to the same URL, in the order in which they were found; at most MAX_POSTS.

    There is no index for them: all URLs of the crawl are read. Raises UnavailableError, StorageError.
    """
    mine = (URLS.c.crawl == crawl) & (URLS.c.url == url) & URLS.c.request.contains(f'"{METHOD}"', autoescape=True)
    return [history for history in _histories(settings, mine) if history.request != "GET"]


def _histories(settings: Settings, mine: ColumnElement[bool]) -> list[UrlHistory]:
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection:
            now = current_time(connection)
            query = select(URLS, HOSTS.c.lease_worker, HOSTS.c.leased, HOSTS.c.free_at, state_column(now).label("state"))
            query = query.join(HOSTS, HOSTS.c.host_id == URLS.c.host_id).where(mine).order_by(URLS.c.url_id).limit(MAX_POSTS)
            return [_history(connection, row, now) for row in connection.execute(query).mappings().all()]
    finally:
        database.close()


def known_crawls(settings: Settings) -> list[str]:
    """The crawls that have runs, sorted."""
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection:
            return sorted(connection.scalars(select(CRAWL_RUNS.c.crawl).distinct()))
    finally:
        database.close()


def _history(connection: Connection, row: RowMapping, now: float) -> UrlHistory:
    capture = {name: row[name] for name in CAPTURE} if row["capture_filename"] else None
    query = select(SEGMENTS.c.segment).where(SEGMENTS.c.warc_key == row["capture_filename"])
    return UrlHistory(
        url=row["url"],
        crawl=row["crawl"],
        state=row["state"],
        via=_via_chain(connection, row["crawl"], row["via"]),
        visits=_visits(connection, row["url_id"]),
        waits_in=_run_name(connection, row["run_no"]),
        worker=row["lease_worker"] if row["leased"] and row["free_at"] > now else None,
        stopped=_stopped(connection, row),
        notes={name: row[name] for name in NOTES},
        capture=capture,
        segment_registered=capture is not None and connection.scalar(query) is not None,
        trust=host_trust(connection, row["crawl"], row["host_id"]),
        request=describe_request(row["request"]),
    )


def _via_chain(connection: Connection, crawl: str, via: str | None) -> tuple[str, ...]:
    chain: list[str] = []
    while via is not None and via not in chain and len(chain) < MAX_VIA:
        chain.append(via)
        via = connection.scalar(select(URLS.c.via).where(URLS.c.digest == url_digest(crawl, via)))
    return tuple(chain)


def _visits(connection: Connection, url_id: int) -> tuple[PastVisit, ...]:
    query = select(CRAWL_RUNS.c.crawl_run, FETCHES.c.outcome, FETCHES.c.reason, FETCHES.c.status, FETCHES.c.fetched_at)
    query = query.join(FETCHES, FETCHES.c.run_no == CRAWL_RUNS.c.run_no).where(FETCHES.c.url_id == url_id)
    return tuple(PastVisit(**row) for row in connection.execute(query.order_by(FETCHES.c.run_no)).mappings())


def _run_name(connection: Connection, run_no: int | None) -> str | None:
    return None if run_no is None else connection.scalar(select(CRAWL_RUNS.c.crawl_run).where(CRAWL_RUNS.c.run_no == run_no))


def _stopped(connection: Connection, row: RowMapping) -> str | None:
    here = (RUN_HOSTS.c.run_no == row["run_no"]) & (RUN_HOSTS.c.host_id == row["host_id"])
    return connection.scalar(select(RUN_HOSTS.c.stopped).where(here))
