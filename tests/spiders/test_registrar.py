"""What was found goes to the frontier in transactions that take a moment each, however much it is."""

from __future__ import annotations

import asyncio

from sqlalchemy import func, select

from schemas.capture import UrlKind
from schemas.crawlfile import parse_crawl
from schemas.settings import Settings
from spiders.databasethread import DatabaseThread
from spiders.registrar import FLUSH_URLS, Registrar
from spiders.run import plan
from spiders.spool import Spool, spool_folder
from spiders.statistics import WorkerStatistics
from storage.database import open_database
from storage.frontier import open_frontier
from storage.frontierrecords import Discovery
from storage.frontiertables import URLS
from storage.objects import open_store
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
        registrar = Registrar(run, "w", frontier, open_store(sqlite_settings), spool, statistics, database)
        registrar.find([Discovery(f"http://127.0.0.1/{number}", UrlKind.PAGE, "http://127.0.0.1/", 1) for number in range(MANY)])
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
