"""The registering transaction: a segment, the outcomes of its URLs and their next due times are written together or not at all.

On the main path, `storage.frontier.frontier` comes before. After it, the close of the run lists the segment in the manifest, and
`processing.extract` reads it from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, insert, select, update

from schemas.errors import FencedError, RunClosedError
from schemas.manifest import Segment
from schemas.outcomes import FetchOutcome
from storage.database.frontier_tables import FETCHES, HOSTS, RUN_HOSTS, URLS
from storage.database.ledger_tables import CRAWL_RUNS
from storage.frontier.records import FetchResult

FENCED_MESSAGE = "A newer owner holds {what}: this worker lost its lease while it was away. Nothing of the open segment was registered."

REDIRECTS = (300, 301, 302, 303, 307, 308)
PAGES = (200, 299)

CLOSED_MESSAGE = (
    "The crawl run {crawl_run} is closed or is being closed: nothing more is registered. What waited in it is due in the next run."
)


def check_tokens(connection: Connection, tokens: Mapping[int, int]) -> None:
    """Lock the hosts' rows and check that this worker still has every lease. Raises FencedError."""
    query = select(HOSTS.c.host_id, HOSTS.c.token).where(HOSTS.c.host_id.in_(sorted(tokens))).order_by(HOSTS.c.host_id)
    held = {row.host_id: row.token for row in connection.execute(query.with_for_update())}
    for host_id, token in tokens.items():
        if held.get(host_id) != token:
            raise FencedError(FENCED_MESSAGE.format(what=f"host number {host_id}"))


def write_results(connection: Connection, run_no: int, results: Sequence[FetchResult]) -> None:
    """Write the results of URLs; they are done in the run. Raises FencedError if one of them does not wait in it any more."""
    if not results:
        return
    statement = update(URLS).where(URLS.c.url_id == bindparam("_url_id"), URLS.c.run_no == bindparam("_run_no"))
    rows = [_url_values(result, run_no) for result in sorted(results, key=lambda result: result.url_id)]
    statement = statement.values({name: bindparam(name) for name in rows[0] if not name.startswith("_")})
    if connection.execute(statement, rows).rowcount != len(rows):
        raise FencedError(FENCED_MESSAGE.format(what="some of its URLs"))
    connection.execute(insert(FETCHES), [_fetch_values(result, run_no) for result in results])
    received = Counter[int]()
    for result in results:
        received[result.host_id] += result.received
    for host_id, count in sorted(Counter(result.host_id for result in results).items()):
        here = (RUN_HOSTS.c.run_no == run_no) & (RUN_HOSTS.c.host_id == host_id)
        totals = {"pending": RUN_HOSTS.c.pending - count, "received": RUN_HOSTS.c.received + received[host_id]}
        connection.execute(update(RUN_HOSTS).where(here).values(totals))
    for result in results:
        if result.chain:
            _write_chain(connection, run_no, result)


def _write_chain(connection: Connection, run_no: int, result: FetchResult) -> None:
    """Give the redirects that led to a URL its outcome, where they count as fetched in this run: the chain led nowhere.

    A page that names another one in a refresh is a redirect with the status of a page.
    """
    digests = [bytes.fromhex(digest) for digest in result.chain]
    url_ids = list(connection.scalars(select(URLS.c.url_id).where(URLS.c.digest.in_(digests)).order_by(URLS.c.url_id)))
    is_step = FETCHES.c.status.in_(REDIRECTS) | FETCHES.c.status.between(*PAGES)
    redirects = is_step & (FETCHES.c.outcome == FetchOutcome.FETCHED.value)
    here = (FETCHES.c.run_no == run_no) & FETCHES.c.url_id.in_(url_ids) & redirects
    fetched = list(connection.scalars(select(FETCHES.c.url_id).where(here)))
    values = {"outcome": result.outcome.value, "reason": result.reason.value if result.reason else None}
    connection.execute(update(FETCHES).where(FETCHES.c.run_no == run_no, FETCHES.c.url_id.in_(fetched)).values(values))
    last = {"last_outcome": values["outcome"], "last_reason": values["reason"]}
    connection.execute(update(URLS).where(URLS.c.url_id.in_(fetched)).values(last))


def add_totals(connection: Connection, crawl_run: str, results: Sequence[FetchResult], segment: Segment | None) -> None:
    """Add fetched pages and archived bytes to the totals, which budgets are compared with. Raises RunClosedError unless the run is open.

    The run's row is locked until the end of the transaction: a close that begins meanwhile waits for it.
    """
    pages = sum(result.outcome is FetchOutcome.FETCHED for result in results)
    totals = {"bytes": CRAWL_RUNS.c.bytes + (segment.size if segment else 0), "pages": CRAWL_RUNS.c.pages + pages}
    still_open = (CRAWL_RUNS.c.crawl_run == crawl_run) & (CRAWL_RUNS.c.state == "open")
    if not connection.execute(update(CRAWL_RUNS).where(still_open).values(totals)).rowcount:
        raise RunClosedError(CLOSED_MESSAGE.format(crawl_run=crawl_run))


def visit_values(result: FetchResult) -> dict[str, object]:
    """The columns of a URL that a visit sets."""
    earlier = result.earlier
    return {
        "kind": result.kind.value,
        "due_at": result.due_at,
        "revisit": result.revisit,
        "fails": result.fails,
        "etag": result.etag,
        "last_modified": result.last_modified,
        "content_digest": earlier.content_digest if earlier else None,
        "capture_filename": earlier.warc_filename if earlier else None,
        "capture_offset": earlier.offset if earlier else None,
        "captured_at": earlier.fetched_at if earlier else None,
        "last_outcome": result.outcome.value,
        "last_reason": result.reason.value if result.reason else None,
        "last_status": result.status,
        "last_fetch": result.fetched_at,
    }


def _url_values(result: FetchResult, run_no: int) -> dict[str, object]:
    return {
        "_url_id": result.url_id,
        "_run_no": run_no,
        "run_no": None,
        **visit_values(result),
        "is_primary_source": result.is_primary_source,
        "hinted_by": None,
    }


def _fetch_values(result: FetchResult, run_no: int) -> dict[str, object]:
    return {
        "run_no": run_no,
        "url_id": result.url_id,
        "outcome": result.outcome.value,
        "reason": result.reason.value if result.reason else None,
        "status": result.status,
        "fetched_at": result.fetched_at,
    }
