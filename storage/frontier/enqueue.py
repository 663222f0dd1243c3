"""Adding URLs to the frontier, inside the caller's transaction, and hosts to a crawl; the requests that were added.

All writers lock rows in the same order: hosts, hint_trust, urls, run_hosts, each sorted by its key. This prevents deadlocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, select, update

from schemas.config.settings import Settings
from storage.database.engine import Database, open_database
from storage.database.frontier_tables import HOSTS, RUN_HOSTS, SEED_HOSTS, URLS
from storage.database.upsert import upsert
from storage.frontier.records import Discovery
from storage.urls.host_key import canonical_host, url_digest

LOOKUP_ROWS = 500  # values in one IN list; far below the limit of parameters in a statement (32,766 on SQLite)


def host_ids(connection: Connection, hosts: Iterable[str]) -> dict[str, int]:
    """The ids of hosts; new hosts are added."""
    names = sorted(set(hosts))
    found: dict[str, int] = {}
    if names:
        connection.execute(upsert(connection, HOSTS).on_conflict_do_nothing(), [{"host": name} for name in names])
    for start in range(0, len(names), LOOKUP_ROWS):
        query = select(HOSTS.c.host, HOSTS.c.host_id).where(HOSTS.c.host.in_(names[start : start + LOOKUP_ROWS]))
        found.update((row.host, row.host_id) for row in connection.execute(query))
    return found


def insert_urls(
    connection: Connection, crawl: str, run_no: int | None, discoveries: Sequence[Discovery], hosts: Mapping[str, int], now: float
) -> Counter[tuple[int, str | None]]:
    """Insert the URLs that the crawl does not know yet. They wait in the run; without a run they are due.

    Returns the number of new URLs by (host id, URL of the page that they were found on).
    """
    asked = {url_digest(crawl, found.url, found.request): found for found in discoveries}
    if not asked:
        return Counter()
    _update_requests(connection, {digest: found.request for digest, found in asked.items() if found.request is not None})
    fresh = sorted(asked.keys() - _known(connection, asked))  # most links of a site lead to known pages, and an INSERT costs five look-ups
    rows = [_row(asked[digest], digest, crawl, run_no, hosts[canonical_host(asked[digest].url)], now) for digest in fresh]
    if not rows:
        return Counter()
    statement = upsert(connection, URLS).on_conflict_do_nothing(index_elements=["digest"]).returning(URLS.c.host_id, URLS.c.via)
    return Counter((row.host_id, row.via) for row in connection.execute(statement, rows))


def _known(connection: Connection, asked: Collection[bytes]) -> set[bytes]:
    """Those of the digests that are in the frontier. Others may be added meanwhile."""
    digests, known = sorted(asked), set[bytes]()
    for start in range(0, len(digests), LOOKUP_ROWS):
        known.update(connection.scalars(select(URLS.c.digest).where(URLS.c.digest.in_(digests[start : start + LOOKUP_ROWS]))))
    return known


def _update_requests(connection: Connection, requests: Mapping[bytes, str]) -> None:
    """Store the newest request of a spider for known URLs that have none, or that do not wait in a run.

    Rows are changed in the order of their ids, as registering does it.
    """
    digests, updated = sorted(requests), dict[int, str]()
    free = URLS.c.run_no.is_(None) | URLS.c.request.is_(None)
    for start in range(0, len(digests), LOOKUP_ROWS):
        query = select(URLS.c.url_id, URLS.c.digest, URLS.c.request).where(URLS.c.digest.in_(digests[start : start + LOOKUP_ROWS]), free)
        found = connection.execute(query)
        updated.update((row.url_id, requests[row.digest]) for row in found if row.request != requests[row.digest])
    if updated:
        known = update(URLS).where(URLS.c.url_id == bindparam("_url_id"), free).values(request=bindparam("_request"))
        connection.execute(known, [{"_url_id": url_id, "_request": updated[url_id]} for url_id in sorted(updated)])


def _row(found: Discovery, digest: bytes, crawl: str, run_no: int | None, host_id: int, now: float) -> dict[str, object]:
    published = found.hints.published_at
    return {
        "digest": digest,
        "crawl": crawl,
        "host_id": host_id,
        "run_no": run_no,
        "priority": found.priority,
        "url": found.url,
        "kind": found.kind.value,
        "via": found.via,
        "depth": found.depth,
        "redirects": found.redirects,
        "first_seen": now,
        "due_at": now,
        "hint_title": found.hints.title,
        "hint_published_at": published.timestamp() if published else None,
        "hint_source": found.hints.source,
        "request": found.request,
    }


def count_waiting(connection: Connection, run_no: int, added: Mapping[int, int]) -> None:
    """Add new waiting URLs to the counts of their hosts in the run."""
    if not added:
        return
    statement = upsert(connection, RUN_HOSTS)
    statement = statement.on_conflict_do_update(
        index_elements=["run_no", "host_id"],
        set_={"due": RUN_HOSTS.c.due + statement.excluded.due, "pending": RUN_HOSTS.c.pending + statement.excluded.pending},
    )
    rows = [{"run_no": run_no, "host_id": host_id, "due": count, "pending": count} for host_id, count in sorted(added.items())]
    connection.execute(statement, rows)


def set_due(connection: Connection, crawl: str, wanted: Sequence[Discovery], now: float) -> None:
    """Make known URLs due now, with the priority of `wanted`. Those that wait in a run stay there."""
    digests = sorted({url_digest(crawl, one.url) for one in wanted})
    for start in range(0, len(digests), LOOKUP_ROWS):
        idle = URLS.c.digest.in_(digests[start : start + LOOKUP_ROWS]) & URLS.c.run_no.is_(None)
        connection.execute(update(URLS).where(idle).values(due_at=now, priority=min(one.priority for one in wanted)))


def read_seed_hosts(database: Database, crawl: str) -> list[str]:
    """The hosts to which the redirects of a crawl's seeds lead, sorted. They belong to the crawl, in this run and later ones."""
    with database.read() as connection:
        return list(connection.scalars(select(SEED_HOSTS.c.host).where(SEED_HOSTS.c.crawl == crawl).order_by(SEED_HOSTS.c.host)))


def add_seed_host(database: Database, crawl: str, host: str, url: str) -> None:
    """Add such a host. `url` is where the redirects ended; the first one stays."""
    with database.write() as connection:
        statement = upsert(connection, SEED_HOSTS).values(crawl=crawl, host=host, url=url)
        connection.execute(statement.on_conflict_do_nothing())


def stored_requests(settings: Settings, digests: Collection[bytes]) -> dict[bytes, str | None]:
    """The requests of users' spiders by the digests of their URLs (`url_digest`). URLs that the frontier does not have are left out.

    Raises UnavailableError, StorageError.
    """
    wanted, found = sorted(digests), dict[bytes, str | None]()
    database = open_database(settings.database_url("frontier"))
    try:
        with database.read() as connection:
            for start in range(0, len(wanted), LOOKUP_ROWS):
                query = select(URLS.c.digest, URLS.c.request).where(URLS.c.digest.in_(wanted[start : start + LOOKUP_ROWS]))
                found |= {row.digest: row.request for row in connection.execute(query)}
    finally:
        database.close()
    return found
