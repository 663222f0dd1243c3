"""Fills a frontier for the benchmark with the rows that the product would write, by COPY or in large transactions."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from schemas.config.settings import Settings
from storage.database.engine import open_database
from storage.frontier.enqueue import count_waiting, host_ids
from storage.frontier.queries import run_number
from storage.frontier.records import Discovery
from storage.urls.host_key import canonical_host, url_digest

CHUNK_URLS = 200_000  # of one transaction
COLUMNS = ("digest", "crawl", "host_id", "run_no", "priority", "url", "kind", "via", "depth", "redirects", "first_seen", "due_at")
Row = tuple[bytes, str, int, int, int, str, str, str | None, int, int, float, float]


def load(settings: Settings, run: str, crawl: str, discoveries: Iterator[Discovery]) -> None:
    """Insert URLs that the frontier does not know, as waiting in a run."""
    database = open_database(settings.database_url("frontier"), pooled=True)
    try:
        while chunk := [found for found, _ in zip(discoveries, range(CHUNK_URLS), strict=False)]:
            with database.write() as connection:
                run_no = run_number(connection, run)
                hosts = host_ids(connection, (canonical_host(found.url) for found in chunk))
                counts = Counter[int]()
                _insert(connection, _rows(chunk, crawl, run_no, hosts, counts))
                count_waiting(connection, run_no, counts)
    finally:
        database.close()


def _rows(chunk: list[Discovery], crawl: str, run_no: int, hosts: dict[str, int], counts: Counter[int]) -> Iterator[Row]:
    now = time.time()
    for found in chunk:
        host_id = hosts[canonical_host(found.url)]
        counts[host_id] += 1
        named = (found.priority, found.url, found.kind.value, found.via, found.depth, found.redirects)
        yield url_digest(crawl, found.url), crawl, host_id, run_no, *named, now, now


def _insert(connection: Connection, rows: Iterable[Row]) -> None:
    names = ", ".join(COLUMNS)
    driver = connection.connection.driver_connection
    assert driver is not None
    if connection.dialect.name == "sqlite":
        driver.executemany(f"INSERT INTO urls ({names}) VALUES ({', '.join('?' * len(COLUMNS))})", rows)
        return
    with driver.cursor().copy(f"COPY urls ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def checkpoint(settings: Settings) -> None:
    """Bring the database into the state of one that has run for a while: statistics are collected and its log is written back."""
    database = open_database(settings.database_url("frontier"))
    if not database.is_sqlite:
        with database.write() as connection:
            connection.execute(text("ANALYZE"))
    engine = create_engine(database.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)" if database.is_sqlite else "CHECKPOINT"))
    database.close()
    os.sync()
