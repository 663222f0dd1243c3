"""Hosts go from one worker to another while a run goes on, and no host notices it: a worker's processes against a server's log."""

from __future__ import annotations

import time

import pytest

from schemas.config.settings import Settings
from spiders.run import close, plan
from tests.spiders.sharedhosts import Workers, gaps, hosts_by_worker, many_hosts, pages_by_worker, respond
from tests.spiders.smallserver import SmallServer, small_server

pytestmark = pytest.mark.servers_in_chaos

HOSTS, PAGES, DELAY = 6, 16, 0.5
SECONDS = 60


def wait_for(server: SmallServer, requests: int) -> None:
    deadline = time.monotonic() + SECONDS
    while len(server.asked) < requests:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.chaos
@pytest.mark.timeout(120)
def test_a_worker_that_joins_is_given_half_of_the_hosts(settings: Settings) -> None:
    with small_server(respond, host="0.0.0.0") as server:
        run = plan(many_hosts(server, HOSTS, PAGES, DELAY), "k", settings).crawl_run
        with Workers(settings, run) as workers:
            first = workers.start("first")
            wait_for(server, 2 * HOSTS)
            second = workers.start("second")
            assert {first.result(SECONDS).finish_reason, second.result(SECONDS).finish_reason} == {"finished"}
        manifest = close(run, settings)
    assert manifest.counts.fetched == len(server.asked) == HOSTS * PAGES
    hosts = hosts_by_worker(manifest, settings)
    handed_over = hosts["first"] & hosts["second"]
    assert len(hosts["first"]) == HOSTS
    assert len(handed_over) == len(hosts["second"]) == HOSTS // 2
    assert min(pages_by_worker(manifest, settings).values()) >= PAGES
    assert min(min(times) for times in gaps(server).values()) >= DELAY - 0.01  # the server's clock starts when it has read the request
