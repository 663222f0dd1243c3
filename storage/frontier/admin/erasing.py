"""Erase URLs from the database of frontier and ledger.

The row of a URL stays as a number, without the URL and what was known of it, so that the sums of its runs hold. A URL of a run that is not
closed stays until then: its worker writes the result.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, String, Table, delete, func, or_, select, update

from runtime.failpoint import reached
from storage.database.chunks import CHUNK_ROWS, pause
from storage.database.engine import Database
from storage.database.frontier_tables import FETCHES, HOSTS, ROBOTS, RUN_HOSTS, SEED_HOSTS, URLS
from storage.database.ledger_tables import COMMITS, CRAWL_RUNS, PROCESS_INPUTS, PROCESS_RUNS, SEGMENTS
from storage.database.version_table import METADATA
from storage.urls.host_key import DIGEST_BYTES

ERASED_HOST = "erased.invalid"  # a name that never exists (RFC 2606)
OWN_TABLES = frozenset({"urls", "hosts", "robots", "seed_hosts", "schema_version"})  # that have rules of their own
NAMES = frozenset({"crawl", "crawl_run", "warc_key", "index_key"})  # columns without texts of pages
_KEPT = frozenset({"url_id", "crawl", "host_id", "kind", "priority", "depth", "redirects", "first_seen", "fails", "last_outcome"})
_KEPT_TOO = frozenset({"last_reason", "last_status", "last_fetch", "is_primary_source"})


@dataclass(frozen=True, slots=True)
class ErasedText:
    """What is erased: `names` are the hosts that it may be of, and `covers` says of a URL whether it is.

    `json_text` gives a text without such URLs, JSON or not.
    """

    names: Collection[str]
    covers: Callable[[str], bool]
    json_text: Callable[[str], str]

    def near(self, column: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a column contains one of the names."""
        return or_(*(func.lower(column).contains(name, autoescape=True) for name in sorted(self.names)))


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """How many rows were changed: URLs, rows that mention one, hosts; and `waiting` URLs, whose run is not closed."""

    urls: int = 0
    mentions: int = 0
    hosts: int = 0
    waiting: int = 0

    def __add__(self, other: ErasedRows) -> ErasedRows:
        return ErasedRows(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def erase_urls(database: Database, erased: ErasedText) -> ErasedRows:
    """Erase the URLs, what leads to them, and the texts of the ledger that mention them. Doing it again changes nothing."""
    done = ErasedRows()
    last = -1
    near = or_(*(erased.near(column) for column in (URLS.c.url, URLS.c.via, URLS.c.request)))
    while True:
        query = select(URLS.c.url_id).where(URLS.c.url_id > last, near).order_by(URLS.c.url_id).limit(CHUNK_ROWS)
        with database.read() as connection:
            ids = list(connection.scalars(query))
        for start in range(0, len(ids), 500):
            with database.write() as connection:
                done += _erase_some(connection, ids[start : start + 500], erased)
            reached("erase.between.urls")
        if len(ids) < CHUNK_ROWS:
            break
        last = ids[-1]
        pause(database)
    with database.write() as connection:
        done += ErasedRows(mentions=sum(_erase_texts(connection, table, erased) for table in METADATA.sorted_tables))
        done += ErasedRows(hosts=_erase_hosts(connection, erased))
    return done


def count_urls(database: Database, erased: ErasedText) -> int:
    """How many URLs would be erased."""
    with database.read() as connection:
        return sum(erased.covers(url) for url in connection.scalars(select(URLS.c.url).where(erased.near(URLS.c.url))))


def found_on(database: Database, erased: ErasedText) -> set[str]:
    """The pages on which the URLs were found, that are not erased themselves."""
    with database.read() as connection:
        rows = connection.execute(select(URLS.c.url, URLS.c.via).where(erased.near(URLS.c.url), URLS.c.via.is_not(None)))
        return {row.via for row in rows if erased.covers(row.url) and not erased.covers(row.via)}


def drop_process_runs(connection: Connection, crawl_runs: Collection[str]) -> list[str]:
    """Forget the process runs of these crawl runs that are not published: they have read what is erased. The next plan makes them anew.

    A process that goes on with one cannot publish any more. Gives their names.
    """
    query = select(PROCESS_RUNS.c.process_run).join(PROCESS_INPUTS, PROCESS_INPUTS.c.process_run == PROCESS_RUNS.c.process_run)
    chosen = query.where(PROCESS_INPUTS.c.crawl_run.in_(sorted(crawl_runs)), PROCESS_RUNS.c.published_at.is_(None)).distinct()
    names = sorted(connection.scalars(chosen))
    for table in (COMMITS, PROCESS_INPUTS, PROCESS_RUNS):
        connection.execute(delete(table).where(table.c.process_run.in_(names)))
    return names


def set_digests(database: Database, digests: Mapping[str, str]) -> None:
    """Set the digests of registered segments, by their WARC files."""
    with database.write() as connection:
        for key, digest in sorted(digests.items()):
            connection.execute(update(SEGMENTS).where(SEGMENTS.c.warc_key == key).values(digest=digest))


def _erase_some(connection: Connection, ids: Sequence[int], erased: ErasedText) -> ErasedRows:
    open_runs = select(CRAWL_RUNS.c.run_no).where(CRAWL_RUNS.c.state != "closed")
    busy = set(connection.scalars(select(FETCHES.c.url_id).where(FETCHES.c.url_id.in_(ids), FETCHES.c.run_no.in_(open_runs))))
    query = select(URLS.c.url_id, URLS.c.run_no, URLS.c.url, URLS.c.via, URLS.c.request).where(URLS.c.url_id.in_(ids))
    urls = mentions = waiting = 0
    for row in connection.execute(query.order_by(URLS.c.url_id).with_for_update()).all():
        if erased.covers(row.url):
            is_waiting = row.run_no is not None or row.url_id in busy
            waiting += is_waiting
            urls += not is_waiting
            values = {} if is_waiting else _empty(row.url_id)
        else:
            values = _without_mentions(row, erased)
            mentions += bool(values)
        if values:
            connection.execute(update(URLS).where(URLS.c.url_id == row.url_id).values(values))
    return ErasedRows(urls, mentions, 0, waiting)


def _empty(url_id: int) -> dict[str, object]:
    """The columns of a URL's row without what is known of it."""
    nothing = {column.name: None for column in URLS.c if column.nullable and column.name not in _KEPT | _KEPT_TOO}
    digest = secrets.token_bytes(DIGEST_BYTES)
    return nothing | {"digest": digest, "url": f"https://{ERASED_HOST}/{url_id}", "held": "dropped", "is_primary_source": False}


def _without_mentions(row: Row[*tuple[Any, ...]], erased: ErasedText) -> dict[str, object]:
    values: dict[str, object] = {}
    if row.via is not None and erased.covers(row.via):
        values["via"] = None
    if row.request is not None and (text := erased.json_text(row.request)) != row.request:
        values["request"] = text
    return values


def _erase_texts(connection: Connection, table: Table, erased: ErasedText) -> int:
    """Clean the texts of a table that may repeat a URL, such as configurations and reasons."""
    key = list(table.primary_key.columns)
    columns = [one for one in table.c if isinstance(one.type, String) and not one.primary_key and one.name not in NAMES]
    if not columns or table.name in OWN_TABLES:
        return 0
    changed = 0
    for row in connection.execute(select(*key, *columns).where(or_(*map(erased.near, columns)))).mappings().all():
        texts = {one.name: row[one.name] for one in columns if row[one.name]}
        clean = {name: new for name, text in texts.items() if (new := erased.json_text(text)) != text}
        if clean:
            connection.execute(update(table).where(*(one == row[one.name] for one in key)).values(clean))
            changed += 1
    return changed


def _erase_hosts(connection: Connection, erased: ErasedText) -> int:
    """Erase what is known of hosts all of whose pages are erased, and of origins and seeds of them."""
    anywhere = secrets.token_hex(8)
    changed = 0
    for row in connection.execute(select(HOSTS.c.host_id, HOSTS.c.host).where(erased.near(HOSTS.c.host))).all():
        open_runs = select(CRAWL_RUNS.c.run_no).where(CRAWL_RUNS.c.state != "closed")
        is_open = select(RUN_HOSTS.c.run_no).where(RUN_HOSTS.c.host_id == row.host_id, RUN_HOSTS.c.run_no.in_(open_runs)).limit(1)
        if erased.covers(f"https://{row.host}/{anywhere}") and connection.scalar(is_open) is None:
            changed += connection.execute(
                update(HOSTS).where(HOSTS.c.host_id == row.host_id).values(host=f"{row.host_id}.{ERASED_HOST}")
            ).rowcount
    for row in connection.execute(select(SEED_HOSTS)).all():
        if erased.covers(row.url) or erased.covers(f"https://{row.host}/{anywhere}"):
            here = (SEED_HOSTS.c.crawl == row.crawl) & (SEED_HOSTS.c.host == row.host)
            changed += connection.execute(delete(SEED_HOSTS).where(here)).rowcount
    for origin in connection.scalars(select(ROBOTS.c.origin)).all():
        if erased.covers(f"{origin}/robots.txt"):
            changed += connection.execute(delete(ROBOTS).where(ROBOTS.c.origin == origin)).rowcount
    return changed
