"""Eight workers share the hosts of a run, while some are killed: the server sees every host's delay kept, and every worker works."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from spiders.run import close, plan
from tests.chaos.test_crawl_kills import check, end, start
from tests.spiders.sharedhosts import Workers, gaps, many_hosts, pages_by_worker, respond
from tests.spiders.smallserver import SmallServer, small_server

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

WORKERS, HOSTS, PAGES, DELAY = 8, 16, 100, 0.5
CLOCK_SECONDS = 0.02  # a request takes so long at most from the worker to the server's clock
SECONDS = 300


def keeps_delays(server: SmallServer) -> None:
    assert min(min(times) for times in gaps(server).values()) >= DELAY - CLOCK_SECONDS


def wait_until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_each_of_eight_workers_has_at_least_half_of_its_fair_share(settings: Settings) -> None:
    with small_server(respond, host="0.0.0.0") as server:
        run = plan(many_hosts(server, HOSTS, PAGES, DELAY), "k", settings).crawl_run
        with Workers(settings, run) as workers:
            working = [workers.start(f"w{number}") for number in range(WORKERS)]
            assert {worker.result(SECONDS).finish_reason for worker in working} == {"finished"}
        manifest = close(run, settings)
    assert len(server.asked) == HOSTS * PAGES
    pages = pages_by_worker(manifest, settings)
    assert sorted(pages) == [f"w{number}" for number in range(WORKERS)]
    assert min(pages.values()) >= HOSTS * PAGES / WORKERS / 2
    keeps_delays(server)


def test_hosts_change_hands_while_workers_die(settings: Settings, tmp_path: Path) -> None:
    """One is killed and comes back, one is killed for good, one is asked to end: a host's next owner waits for its turn."""
    with small_server(respond, host="0.0.0.0") as server:
        run = plan(many_hosts(server, HOSTS, PAGES, DELAY), "k", settings).crawl_run
        steady, returning = start(run, "steady", settings, tmp_path), start(run, "returning", settings, tmp_path)
        wait_until(lambda: len(server.asked) >= HOSTS)
        lost, leaving = start(run, "lost", settings, tmp_path), start(run, "leaving", settings, tmp_path)
        spools = [settings.home / "spool" / run / name for name in ("returning", "lost", "leaving")]
        wait_until(lambda: all(any(spool.glob("*.warc.gz")) for spool in spools))  # each has fetched something
        for process in (returning, lost):
            os.killpg(process.pid, signal.SIGKILL)
            end(process)
        leaving.terminate()
        assert end(leaving) == 0
        returned = start(run, "returning", settings, tmp_path)
        assert (end(steady), end(returned)) == (0, 0)
        manifest = close(run, settings)
    check(manifest, settings, HOSTS * PAGES)
    keeps_delays(server)
