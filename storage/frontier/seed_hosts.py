"""The hosts to which the redirects of a crawl's seeds lead. They belong to the crawl, in this run and in later ones, for all workers."""

from __future__ import annotations

from sqlalchemy import select

from storage.database.engine import Database
from storage.database.frontier_tables import SEED_HOSTS
from storage.database.upsert import upsert


def read_seed_hosts(database: Database, crawl: str) -> list[str]:
    """The hosts, sorted."""
    with database.read() as connection:
        return list(connection.scalars(select(SEED_HOSTS.c.host).where(SEED_HOSTS.c.crawl == crawl).order_by(SEED_HOSTS.c.host)))


def add_seed_host(database: Database, crawl: str, host: str, url: str) -> None:
    """Add a host. `url` is where the redirects ended; the first one stays."""
    with database.write() as connection:
        statement = upsert(connection, SEED_HOSTS).values(crawl=crawl, host=host, url=url)
        connection.execute(statement.on_conflict_do_nothing())
