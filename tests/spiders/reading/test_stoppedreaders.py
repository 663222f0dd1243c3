"""Readers that are stopped for a time, alone or with their worker, cost no URL and leave nobody waiting for ever."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress

import psutil
import pytest

from schemas.config.settings import Settings
from spiders.run import close
from tests.spiders.crawling import outcomes
from tests.spiders.reading.test_readers import PAGE, planned, readers_of, start_worker, until
from tests.spiders.smallserver import Headers, small_server


def test_a_reader_that_was_stopped_while_it_had_nothing_to_do_is_replaced(sqlite_settings: Settings) -> None:
    is_asked, is_stopped = threading.Event(), threading.Event()

    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        if path == "/next":
            is_asked.set()
            is_stopped.wait(60)
        return (404 if "." in path else 200), {}, PAGE

    with small_server(respond) as server:
        run = planned(sqlite_settings, [server.base + "/page"], "politeness: {delay: 0}")  # one after the other
        worker = start_worker(run, sqlite_settings, "tests.spiders.broken_worker")
        try:
            assert is_asked.wait(60)
            for reader in readers_of(worker.pid):
                reader.suspend()
            is_stopped.set()
            assert worker.wait(90) == 0
        finally:
            worker.kill()
        close(run, sqlite_settings)
    assert set(outcomes(sqlite_settings).values()) == {"fetched"}


@pytest.mark.chaos
def test_a_worker_that_is_stopped_with_its_readers_goes_on(sqlite_settings: Settings) -> None:
    with small_server(lambda path, times: ((404 if "." in path else 200), {}, PAGE)) as server:
        run = planned(sqlite_settings, [server.base + "/naps", server.base + "/page"])
        worker = start_worker(run, sqlite_settings, "tests.spiders.broken_worker")
        try:
            until(lambda: readers_of(worker.pid) and any(one.path == "/naps" for one in server.asked))
            stopped = [psutil.Process(worker.pid), *readers_of(worker.pid)]
            for process in stopped:
                process.suspend()
            time.sleep(6)
            for process in stopped:
                with suppress(psutil.NoSuchProcess):
                    process.resume()
            assert worker.wait(90) == 0
        finally:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGCONT)
            worker.kill()
        close(run, sqlite_settings)
    assert set(outcomes(sqlite_settings).values()) == {"fetched"}
