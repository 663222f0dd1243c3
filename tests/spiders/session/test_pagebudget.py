"""`budgets.max_pages` of a run with two workers, one of which is killed: exactly so many pages, no more and no less."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from spiders.run import close, plan
from storage.frontier.frontier import open_frontier
from tests.demosite import DemoSite
from tests.spiders.worker.test_run import demo_crawl, rows_of

pytestmark = pytest.mark.xdist_group("demo")

MAX_PAGES = 300  # so many that the kill comes before the end
END_SECONDS = 120


def start(run: str, worker: str, settings: Settings, folder: Path) -> subprocess.Popen[bytes]:
    given = {f"CRAWLHOUSE_{name.upper()}": str(value) for name, value in settings.model_dump().items() if value}
    command = [sys.executable, "-m", "spiders.worker", "--run", run, "--worker", worker, "--statistics", str(folder / worker)]
    return subprocess.Popen(command, env={**os.environ, **given}, process_group=0)


@pytest.mark.chaos
def test_two_workers_and_a_kill_fetch_exactly_the_budget(demo_site: DemoSite, settings: Settings, tmp_path: Path) -> None:
    run = plan(demo_crawl(demo_site, f"budgets: {{max_pages: {MAX_PAGES}}}"), "k", settings).crawl_run
    processes = [start(run, worker, settings, tmp_path) for worker in ("w1", "w2")]
    frontier = open_frontier(settings)
    while not frontier.state(run).responses:
        time.sleep(0.02)
    processes[0].kill()
    assert processes[0].wait(END_SECONDS) == -signal.SIGKILL
    processes[0] = start(run, "w1", settings, tmp_path)
    assert [process.wait(END_SECONDS) for process in processes] == [0, 0]
    frontier.close()
    manifest = close(run, settings)
    assert manifest.counts.fetched == MAX_PAGES
    assert manifest.finish_reason == "budget:max_pages"
    assert manifest.counts.left_over > 0
    assert manifest.counts.balanced()
    redirects_out_of_scope = manifest.reasons.get("filtered:out_of_scope", 0)  # recorded, and not counted as pages
    assert sum(row.kind != "robots" for row in rows_of(manifest, settings)) == MAX_PAGES + redirects_out_of_scope
