"""What was found goes to the frontier in transactions that take a moment each, however much it is."""

from __future__ import annotations

import asyncio

from sqlalchemy import func, select

from schemas.capture import UrlKind
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from spiders.run import plan
from spiders.spool.registrar import FLUSH_URLS, Registrar
from spiders.spool.spool import Spool, spool_folder
from spiders.spool.statistics import WorkerStatistics
from storage.database.engine import open_database
from storage.database.frontier_tables import URLS
from storage.database.thread import DatabaseThread
from storage.frontier.frontier import open_frontier
from storage.frontier.records import Discovery
from storage.objects.open import open_store
from tests.spiders.crawling import LOOPBACK

MANY = 5 * FLUSH_URLS // 2


def test_other_calls_come_between_the_parts_of_many_finds(sqlite_settings: Settings) -> None:
    """So leases are renewed and hosts are asked for meanwhile."""
    run = plan(parse_crawl(f"seeds: ['http://127.0.0.1/']\n{LOOPBACK}", "test"), "key", sqlite_settings)
    tables, frontier = open_database(sqlite_settings.database_url("frontier")), open_frontier(sqlite_settings)
    statistics = WorkerStatistics(crawl_run=run.crawl_run, worker="w")
    spool = Spool(spool_folder(sqlite_settings, run.crawl_run, "w"), run, "w", 1, "agent")

    def count() -> int:
        with tables.read() as connection:
            return int(connection.execute(select(func.count()).select_from(URLS)).scalar_one())

    async def work() -> list[int]:
        database, counts = DatabaseThread(), list[int]()
        registrar = Registrar(run, frontier, open_store(sqlite_settings), spool, statistics, database, 3600.0, lambda _: False)
        registrar.add_discoveries([Discovery(f"http://127.0.0.1/{number}", UrlKind.PAGE, "http://127.0.0.1/", 1) for number in range(MANY)])
        flushing = asyncio.create_task(registrar.flush())
        while not flushing.done():
            await asyncio.sleep(0)
            counts.append(await database.run(count))
        await flushing
        database.close()
        return counts

    assert {1 + FLUSH_URLS, 1 + 2 * FLUSH_URLS} <= set(asyncio.run(work()))
    assert statistics.found == MANY
    frontier.close()
    tables.close()
