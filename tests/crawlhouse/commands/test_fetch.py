"""`crawlhouse fetch`: a further worker joins an open run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from spiders.run import plan
from storage.frontier.frontier import Frontier, open_frontier
from storage.index.rows import read_index
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.crawlhouse.conftest import COMMAND, Run, clean_environment

CRAWL = """
seeds: [{first}, {second}]
scope: {{exclude: [/odd/]}}
politeness: {{delay: 0.1}}
network: {{allow: [127.0.0.1/32]}}
budgets: {{max_pages_per_host: 14}}
"""


@pytest.fixture(scope="module")
def bases() -> Iterator[list[str]]:
    """The demo's two sites, on free ports."""
    command = [sys.executable, "-m", "demo.site", "--port", "0", "--second-port", "0", "--clock", "0", "--for", "300"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["bases"]
        process.terminate()


@pytest.fixture
def settings(tmp_path: Path, bases: list[str]) -> Settings:
    """A project whose crawl has two slow hosts."""
    (tmp_path / "crawls").mkdir()
    (tmp_path / "crawls" / "slow.yaml").write_text(CRAWL.format(first=bases[0], second=bases[1]))
    return Settings(home=tmp_path / "var", crawls=tmp_path / "crawls", store="", database="")


def test_a_run_is_joined_left_and_joined_again(nowhere: Run, settings: Settings) -> None:
    """One worker has a host. A second joins and is ended in the middle of the run. A third fetches the rest. Every URL is there once."""
    run = plan(read_crawl(settings.crawls / "slow.yaml"), "by hand 1", settings).crawl_run
    frontier = open_frontier(settings)
    number, _ = frontier.join(run, "first")
    mine = frontier.lease_hosts(run, "first", number, 1)
    command = [str(COMMAND), "fetch", "--run", run, "--worker", "second"]
    with subprocess.Popen(command, cwd=settings.home.parent, env=clean_environment()) as second:
        _wait_for_pages(frontier, run)
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 128 + signal.SIGTERM
    frontier.release(dict.fromkeys(mine, 0.0))
    frontier.close()
    joined = nowhere("fetch", "--run", "slow", "--workers", "2")
    assert joined.code == 0
    assert len(joined.out.splitlines()) == 2
    counts = json.loads(nowhere("crawl", "slow", "-f", "json").out)["counts"]
    assert counts["due"] == sum(counts[name] for name in ("fetched", "denied", "failed", "filtered", "left_over"))
    assert counts["fetched"] >= 20
    fetched = _fetched(settings, run)
    assert {"second"} < {worker for worker, _ in fetched}
    assert len({url for _, url in fetched}) == len(fetched)


def test_what_there_is_nothing_to_join(nowhere: Run, settings: Settings) -> None:
    run = plan(read_crawl(settings.crawls / "slow.yaml"), "by hand 1", settings)
    unknown = nowhere("fetch", "--run", "nothing")
    assert (unknown.code, "no crawl run 'nothing', and no run of a crawl" in unknown.err) == (3, True)
    frontier = open_frontier(settings)
    frontier.stop_run(run.crawl_run, "stopped")
    frontier.close()
    nowhere("crawl", "slow")
    closed = nowhere("fetch", "--run", "slow")
    assert (closed.code, "has no open run to join" in closed.err) == (6, True)
    named = nowhere("fetch", "--run", "slow", "--worker", "../up")
    assert (named.code, "is not a worker's name" in named.err) == (2, True)


def _fetched(settings: Settings, run: str) -> list[tuple[str, str]]:
    """Worker and URL of every page in the archive of a run."""
    store, segments = open_store(settings), open_ledger(settings).segments(run)
    indexes = [(one.segment.split("-")[0], read_index(store.get_bytes(one.index_key))) for one in segments]
    return [(worker, row.url) for worker, rows in indexes for row in rows if row.fetch_status == 200]


def _wait_for_pages(frontier: Frontier, run: str) -> None:
    deadline = time.monotonic() + 90
    while frontier.state(run).responses < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
