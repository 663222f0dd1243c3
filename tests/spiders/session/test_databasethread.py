"""A worker whose database is locked goes on with what needs no database; what was asked of it is done, in order, whoever waits for it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from spiders.run import close, plan
from storage.database.thread import DatabaseThread, run_to_completion
from tests.spiders.smallserver import small_server

SEEDS = 60
DEADLINE_SECONDS = 60


def test_a_locked_database_holds_up_no_request(sqlite_settings: Settings, tmp_path: Path) -> None:
    def respond(path: str, times: int) -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.02)
        return (404, {}, b"") if path.count("/") > 1 or "." in path else (200, {}, b"<p>A page. <a href='/found'>one</a>" + path.encode())

    with small_server(respond) as server:
        seeds = [f"{server.base}/{number}" for number in range(SEEDS)]
        text = f"seeds: {seeds}\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: 0.05, opt_outs: record}}"
        run = plan(parse_crawl(text, "busy"), "k", sqlite_settings).crawl_run
        command = [sys.executable, "-m", "spiders.worker", "--run", run, "--worker", "w", "--statistics", str(tmp_path / "w.json")]
        worker = subprocess.Popen(command, env={**os.environ, "CRAWLHOUSE_HOME": str(sqlite_settings.home)}, process_group=0)

        def wait_for(number: int) -> None:
            deadline = time.monotonic() + DEADLINE_SECONDS
            while len(server.asked) < number:
                assert time.monotonic() < deadline
                time.sleep(0.02)

        wait_for(5)
        with closing(sqlite3.connect(sqlite_settings.home / "frontier.sqlite", timeout=10.0)) as other:
            other.execute("BEGIN IMMEDIATE")
            wait_for(len(server.asked) + 30)
            other.rollback()
        assert worker.wait(DEADLINE_SECONDS) == 0
        assert close(run, sqlite_settings).counts.fetched == SEEDS + 1


def test_calls_are_made_in_order_and_their_results_come_back_in_order() -> None:
    async def work() -> list[str]:
        database, done = DatabaseThread(), list[str]()

        async def ask(name: str, seconds: float) -> None:
            await database.run(time.sleep, seconds)
            done.append(name)

        await asyncio.gather(ask("slow", 0.05), ask("quick", 0.0), ask("quick too", 0.0))
        database.close()
        return done

    assert asyncio.run(work()) == ["slow", "quick", "quick too"]


def test_a_call_is_made_also_if_its_caller_is_cancelled() -> None:
    async def work() -> list[str]:
        database, done = DatabaseThread(), list[str]()

        async def two_steps() -> None:
            await database.run(time.sleep, 0.02)
            await database.run(done.append, "both steps")

        held_up = asyncio.create_task(database.run(time.sleep, 0.05))
        cancelled = asyncio.create_task(database.run(done.append, "one call"))
        whole = asyncio.create_task(run_to_completion(two_steps()))
        await asyncio.sleep(0)
        for task in (cancelled, whole):
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await whole
        await held_up
        database.close()
        return done

    assert asyncio.run(work()) == ["one call", "both steps"]


def test_an_error_reaches_who_waits() -> None:
    async def work() -> None:
        database = DatabaseThread()
        try:
            await database.run(int, "no number")
        finally:
            database.close()

    with pytest.raises(ValueError, match="no number"):
        asyncio.run(work())
